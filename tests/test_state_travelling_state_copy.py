import pytest

from runner.errors import StateError
from runner.state.travelling.state_copy import StateCopy, copy_in, home_of
from tests.memory_bucket import memory_bucket


@pytest.fixture
def bucket():
    made = memory_bucket()
    made.put_new("state.sqlite", b"first")
    return made


@pytest.fixture
def copy(bucket, tmp_path):
    return StateCopy(bucket, copy_in(tmp_path))


def test_a_copy_is_the_state_of_the_bucket(copy, bucket, tmp_path):
    version = copy.refresh()
    assert copy.path.read_bytes() == b"first"
    assert version == bucket.find("state.sqlite").version
    assert home_of(tmp_path) == "s3://memory/state"
    newer = bucket.replace("state.sqlite", b"second", version)
    assert copy.refresh() == newer
    assert copy.path.read_bytes() == b"second"


def test_a_copy_that_equals_the_state_is_not_loaded_again(copy):
    copy.refresh()
    copy.path.write_bytes(b"still the same, as far as anybody said")
    copy.refresh()
    assert copy.path.read_bytes() == b"still the same, as far as anybody said"


def test_a_copy_that_may_know_more_is_set_aside(copy):
    version = copy.refresh()
    copy.will_change()
    copy.path.write_bytes(b"more")
    copy.path.with_name("state.sqlite-wal").write_bytes(b"log")
    copy.refresh()
    assert copy.path.read_bytes() == b"first"
    assert copy.path.with_name("state.sqlite.old-1").read_bytes() == b"more"
    assert copy.path.with_name("state.sqlite-wal.old-1").read_bytes() == b"log"
    copy.equals(version)
    copy.clear()
    assert not copy.path.exists()
    assert not copy.path.with_name("state.sqlite.old-2").exists()


def test_there_may_be_no_state_yet(copy, bucket):
    bucket.remove("state.sqlite")
    assert copy.refresh() is None
    assert copy.holders == []


def test_the_last_holder_and_the_one_before_it_are_kept(copy):
    for holder in ("one", "two", "three"):
        copy.begin(holder)
    assert copy.holders == ["two", "three"]


def test_a_copy_of_another_bucket_is_refused(copy, tmp_path):
    copy.begin("one")
    copy.check_home()
    copy.path.with_name("home").write_text("s3://other/state")
    with pytest.raises(StateError, match="has the state of s3://other/state, not of s3://memory/state"):
        copy.check_home()
