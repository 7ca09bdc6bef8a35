import time
from decimal import Decimal

import pytest

from runner.buckets.bucket import Bucket
from runner.errors import BucketError, LockedError, StateError
from runner.model import Status
from runner.state.travelling.intent_batches import Intent, batches_above
from runner.state.travelling.lease import Lease, LeaseRecord
from runner.state.travelling.travelling_store import TravellingStore
from tests.kit import make_job, register
from tests.memory_bucket import memory_bucket

RECORD = LeaseRecord("mine", "process 1 on a", "10:00", "10:03", 1)
JOBS = [make_job(number) for number in range(1, 5)]


@pytest.fixture
def bucket():
    return memory_bucket()


@pytest.fixture
def store(tmp_path, bucket):
    with TravellingStore.open(tmp_path / "state.sqlite") as opened:
        with opened.transaction():
            register(opened, JOBS, None)
        opened.travel(bucket, Lease.take(bucket, None, RECORD, time.monotonic), None, 0, time.time)
        yield opened


def intend(store, job, at=1.0):
    with store.transaction():
        return store.intend(job, at, Decimal("0.25"), "USD", caller="me", window_start=7.0, addresses={"sha256:1": "x"})


def intent(number, job, at=2.0, path=None):
    return Intent(number, job.id, 250, "USD", at, None, "me", 7.0, path or job.output, False, {"sha256:1": "x"})


def inherit(store, *intents):
    with store.transaction():
        store.inherit(intents, 9.0)
    return {each.job_id: each for each in store.open_attempts()}


def status(store, job):
    return next(Status(row[0]) for row in store.rows("SELECT status FROM jobs WHERE id = ?", (job.id,)))


def test_intents_are_in_the_bucket_with_the_jobs_that_they_name(store, bucket):
    first = intend(store, JOBS[0])
    store.secure(first.number)
    state = bucket.find("state.sqlite")
    assert state is not None, "the plan is there before the first intents"
    for job in JOBS[1:3]:
        last = intend(store, job)
    store.secure(last.number)
    batches = list(batches_above(bucket, 0))
    assert [[each.job_id for each in batch.intents] for batch in batches] == [[JOBS[0].id], [JOBS[1].id, JOBS[2].id]]
    assert batches[0].intents[0] == Intent(
        1, JOBS[0].id, 250_000_000, "USD", 1.0, None, "me", 7.0, JOBS[0].output, False, {"sha256:1": "x"}
    )
    assert bucket.find("state.sqlite") == state, "a large state is not put with each of them"


def test_the_state_follows_and_comes_home(store, bucket, tmp_path):
    store.follow()
    intend(store, JOBS[0])
    version = store.come_home()
    assert bucket.find("state.sqlite").version == version
    (tmp_path / "copy.sqlite").write_bytes(bucket.read("state.sqlite")[0])
    with TravellingStore.read(tmp_path / "copy.sqlite") as copy:
        assert [each.job_id for each in copy.open_attempts()] == [JOBS[0].id]
        assert (copy.term, copy.put, copy.batch) == (1, store.put, 0)
    lease = LeaseRecord.of(bucket.read("lease.json")[0], "")
    assert (lease.is_handed_back, lease.put, lease.state) == (True, store.put, store.id)


def test_who_lost_the_lease_puts_no_state(store, bucket):
    store.bring()
    found = bucket.read("lease.json")
    Lease.take(bucket, (LeaseRecord.of(found[0], ""), found[1]), LeaseRecord("b", "b", "", "", 2), time.monotonic)
    bucket.replace("state.sqlite", b"theirs", bucket.find("state.sqlite").version)
    intend(store, JOBS[0])
    with pytest.raises(LockedError, match="taken over: b"):
        store.come_home()
    with pytest.raises(LockedError):
        store.check_in_place()
    assert bucket.read("state.sqlite")[0] == b"theirs"


def test_a_state_that_no_run_wrote_ends_the_run(store, bucket):
    store.bring()
    bucket.replace("state.sqlite", b"strange", bucket.find("state.sqlite").version)
    intend(store, JOBS[0])
    with pytest.raises(StateError, match="somebody else wrote"):
        store.bring()


def test_what_a_lost_machine_may_have_sent_is_unknown(store):
    opened = inherit(store, intent(1, JOBS[0]), intent(2, JOBS[1]))
    assert {each.number for each in opened.values()} == {1, 2}
    assert all(each.is_inherited and each.lost_at == 9.0 for each in opened.values())
    assert opened[JOBS[0].id].addresses == {"sha256:1": "x"}
    assert status(store, JOBS[0]) is Status.UNKNOWN
    assert intend(store, JOBS[2]).number == 3, "no number is given twice"
    assert not store.open_attempts()[2].is_inherited


def test_an_intent_that_the_state_has_is_not_taken_twice(store):
    known = intend(store, JOBS[0])
    opened = inherit(store, intent(known.number, JOBS[0], at=1.0))
    assert list(opened) == [JOBS[0].id]
    assert opened[JOBS[0].id].is_inherited, "its answer may still come, to nobody"


def test_a_later_intent_shows_that_the_one_before_it_had_ended(store):
    known = intend(store, JOBS[0])
    with store.transaction():
        store.accept(known, "r-1", 2.0)
    opened = inherit(store, intent(5, JOBS[0]))
    assert opened[JOBS[0].id].number == 5
    assert store.claimed(["r-1"]) == {"r-1"}, "it answers no other submission"
    assert store.has_attempts()


def test_a_number_that_another_attempt_has_is_not_taken(store):
    intend(store, JOBS[0])
    opened = inherit(store, intent(1, JOBS[1]))
    assert {each: opened[each].number for each in opened} == {JOBS[0].id: 1, JOBS[1].id: 2}


def test_a_path_that_another_job_has_is_not_taken(store):
    intend(store, JOBS[0])
    opened = inherit(store, intent(2, JOBS[1], path=JOBS[0].output))
    assert opened[JOBS[1].id].path == f"{JOBS[0].output}-{JOBS[1].id[:8]}"


def test_what_succeeded_stays(store):
    known = intend(store, JOBS[0])
    with store.transaction():
        store.accept(known, "r-1", 2.0)
        store.conclude(known, Status.SUCCEEDED, 3.0)
    assert inherit(store, intent(5, JOBS[0])) == {}
    assert status(store, JOBS[0]) is Status.SUCCEEDED


def test_an_intent_of_a_job_that_nobody_knows_is_damage(store):
    with pytest.raises(StateError, match="is not in the state"):
        inherit(store, intent(1, make_job(99)))


def test_answers_that_are_lost_one_after_another_are_no_other_runner(store, bucket, monkeypatch):
    """Each time the store has written, and nobody was told."""
    for lost in ("put_new", "replace", "replace"):
        put = getattr(Bucket, lost)

        def unanswered(self, *words, put=put):
            put(self, *words)
            raise BucketError("no answer in time")

        store.write("UPDATE jobs SET seconds = coalesce(seconds, 0) + 1")
        with monkeypatch.context() as patched:
            patched.setattr(Bucket, lost, unanswered)
            with pytest.raises(BucketError, match="no answer"):
                store.bring()
    store.bring()
    assert bucket.find("state.sqlite").version == store.come_home()
