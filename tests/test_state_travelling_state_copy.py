import shutil

import pytest

from runner.errors import StateError
from runner.state.store import Store
from runner.state.travelling.state_copy import StateCopy, copy_in, home_of
from tests.kit import make_job, register
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
    copy.refresh()
    copy.will_change()
    copy.path.write_bytes(b"more")
    copy.path.with_name("state.sqlite-wal").write_bytes(b"log")
    copy.refresh()
    assert copy.path.read_bytes() == b"first"
    assert copy.path.with_name("state.sqlite.old-1").read_bytes() == b"more"
    assert copy.path.with_name("state.sqlite-wal.old-1").read_bytes() == b"log"


def test_there_may_be_no_state_yet(copy, bucket):
    bucket.remove("state.sqlite")
    assert copy.refresh() is None
    assert copy.holders == []


def test_the_last_holders_are_kept(copy):
    for number in range(30):
        copy.begin(f"holder-{number}")
    assert copy.holders == [f"holder-{number}" for number in range(10, 30)]


def test_a_folder_that_was_copied_has_no_holder(copy, bucket, tmp_path):
    copy.begin("one")
    shutil.copytree(tmp_path / "bucket-state", tmp_path / "other" / "bucket-state")
    assert StateCopy(bucket, copy_in(tmp_path / "other")).holders == []
    (tmp_path / "bucket-state").rename(tmp_path / "moved")
    (tmp_path / "third").mkdir()
    (tmp_path / "moved").rename(tmp_path / "third" / "bucket-state")
    assert StateCopy(bucket, copy_in(tmp_path / "third")).holders == ["one"]


def put_state(bucket, copy, jobs):
    """Put a state with so many attempts, in place of what is there. Its version."""
    made = copy.path.with_name("made.sqlite")
    made.parent.mkdir(exist_ok=True)
    with Store.open(made) as store:
        each = [make_job(number) for number in range(1, jobs + 1)]
        with store.transaction():
            register(store, each, None)
            for job in each[store.intents() :]:
                store.intend(job, 1.0, None, "USD")
    return bucket.replace("state.sqlite", made, bucket.find("state.sqlite").version)


def test_a_later_state_takes_the_place_of_its_copy(copy, bucket):
    for jobs in (1, 2):
        put_state(bucket, copy, jobs)
        copy.refresh()
    assert not list(copy.path.parent.glob("*.old-*"))


def test_an_earlier_state_takes_the_place_of_no_copy(copy, bucket):
    put_state(bucket, copy, 1)
    earlier = bucket.read("state.sqlite")[0]
    put_state(bucket, copy, 2)
    copy.refresh()
    later = copy.path.read_bytes()
    bucket.replace("state.sqlite", earlier, bucket.find("state.sqlite").version)
    with pytest.raises(StateError, match="is not the latest state"):
        copy.refresh()
    bucket.remove("state.sqlite")
    assert copy.refresh() is None
    with pytest.raises(StateError, match="is gone"):
        copy.begin_anew(copy.path.with_name("none"))
    assert copy.path.read_bytes() == later


def test_a_copy_of_another_bucket_is_refused(copy, tmp_path):
    copy.begin("one")
    assert home_of(tmp_path) is None, "a run that did not get the lease binds the folder to nothing"
    copy.will_change()
    assert home_of(tmp_path) == "s3://memory/state"
    copy.check_home()
    copy.path.with_name("home").write_text("s3://other/state")
    with pytest.raises(StateError, match="has the state of s3://other/state, not of s3://memory/state"):
        copy.check_home()


def test_a_run_may_put_a_later_state_while_it_is_read(copy, bucket, monkeypatch):
    found, versions = bucket.find, []

    def find(path):
        stored = found(path)
        if len(versions) < 2:
            versions.append(bucket.replace(path, f"later {len(versions)}".encode(), stored.version))
        return stored

    monkeypatch.setattr(bucket, "find", find)
    assert copy.refresh() == versions[-1]
    assert copy.path.read_bytes() == b"later 1"
