import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import BucketError, LockedError, StateError
from runner.state.travelling.lease import FRESH, Lease, LeaseRecord, read_lease, told
from tests.memory_bucket import memory_bucket

MINE = LeaseRecord("mine", "process 1 on a", "10:00", "10:03", 1)
THEIRS = replace(MINE, holder="theirs", words="process 2 on b", term=2)


def take(bucket, record, now=lambda: 0.0):
    return Lease.take(bucket, read_lease(bucket), record, now)


def test_a_lease_is_read_as_it_was_taken():
    bucket = memory_bucket()
    assert read_lease(bucket) is None
    lease = take(bucket, MINE)
    assert read_lease(bucket)[0] == MINE
    lease.permit()
    lease.renew(until="10:06", put=3)
    assert read_lease(bucket)[0] == replace(MINE, until="10:06", put=3)
    assert told(MINE) == "process 1 on a, since 10:00, and due to say by 10:03 that it goes on"
    assert told(replace(MINE, is_handed_back=True)) == "process 1 on a, since 10:00"


def test_of_two_that_saw_the_same_one_takes_it():
    bucket = memory_bucket()
    found = read_lease(bucket)
    Lease.take(bucket, found, MINE, lambda: 0.0)
    with pytest.raises(LockedError, match="just now"):
        Lease.take(bucket, found, THEIRS, lambda: 0.0)
    seen = read_lease(bucket)
    Lease.take(bucket, seen, THEIRS, lambda: 0.0)
    with pytest.raises(LockedError, match="just now"):
        Lease.take(bucket, seen, replace(MINE, holder="third"), lambda: 0.0)


def test_who_lost_it_sends_nothing():
    bucket = memory_bucket()
    lease = take(bucket, MINE)
    take(bucket, THEIRS)
    for call in (lease.permit, lease.look, lambda: lease.renew(put=9)):
        with pytest.raises(LockedError, match="taken over: process 2 on b"):
            call()
    assert lease.lost is not None
    assert read_lease(bucket)[0] == THEIRS


def test_a_lease_that_was_removed_is_nobodys():
    bucket = memory_bucket()
    lease = take(bucket, MINE)
    bucket.remove("lease.json")
    with pytest.raises(LockedError, match="nobody has it"):
        lease.permit()


def test_a_look_that_took_too_long_permits_nothing():
    times = iter([0.0, FRESH + 0.1, 10.0, 10.0 + FRESH])
    lease = take(memory_bucket(), MINE, lambda: next(times))
    with pytest.raises(BucketError, match="took too long"):
        lease.permit()
    lease.permit()


def test_a_renewal_whose_answer_was_lost_is_no_other_runner():
    bucket = memory_bucket()
    lease = take(bucket, MINE)
    bucket.replace("lease.json", replace(MINE, until="later").as_bytes(), read_lease(bucket)[1])
    lease.renew(put=4)
    assert read_lease(bucket)[0] == replace(MINE, put=4)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda each: st.dictionaries(st.text(max_size=8), each)
    )
)
def test_what_is_no_lease_is_told(document):
    with pytest.raises(StateError, match="is no lease"):
        LeaseRecord.of(json.dumps(document).encode(), "s3://x/lease.json")


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xff", b"[1]", MINE.as_bytes()[:-9], MINE.as_bytes().replace(b": 1", b": 7", 1)),
        *(
            MINE.as_bytes().replace(b'"put": 0', b'"put": "0"'),
            MINE.as_bytes().replace(b'"batch": 0', b'"batch": null'),
        ),
    ],
)
def test_a_lease_that_was_cut_or_is_newer_is_told(content):
    with pytest.raises(StateError, match="is no lease"):
        LeaseRecord.of(content, "s3://x/lease.json")
