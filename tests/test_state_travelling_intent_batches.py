import json
from dataclasses import replace

import pytest

from runner.buckets.bucket import Bucket
from runner.errors import LockedError, ObjectChangedError, StateError
from runner.state.travelling.intent_batches import Intent, batches_above, last_batch, put_batch
from tests.memory_bucket import memory_bucket

INTENT = Intent(1, "a" * 16, 250, "USD", 1.5, None, "caller", 1e9, "shoe/plain", False, {"sha256:1": "https://x/?sig"})


def put(bucket, number, holder="mine", term=1):
    return put_batch(bucket, number, holder, term, "state", [INTENT])


def test_batches_come_back_in_their_order():
    bucket = memory_bucket()
    assert last_batch(bucket) == 0
    for number in range(1, 12):
        assert put(bucket, number) == number
    assert [each.number for each in batches_above(bucket, 0)] == list(range(1, 12))
    assert [each.number for each in batches_above(bucket, 9)] == [10, 11]
    assert next(batches_above(bucket, 10)).intents == (INTENT,)
    assert last_batch(bucket) == 11


def test_the_same_batch_may_be_put_again_and_others_are_passed_by():
    bucket = memory_bucket()
    assert put(bucket, 1) == 1
    assert put(bucket, 1) == 1, "the answer to it was lost"
    assert put(bucket, 1, "theirs", 2) == 2, "what a holder put that had lost the lease stays"
    assert [each.holder for each in batches_above(bucket, 0)] == ["mine", "theirs"]


def test_a_number_that_a_store_refuses_for_a_moment_is_not_left_out(monkeypatch):
    """As S3 does while an earlier call for the same object is not over (409)."""
    bucket = memory_bucket()
    refusals = iter([True, True, False])
    put_new = Bucket.put_new

    def refused(self, *words):
        if next(refusals):
            raise ObjectChangedError("a conflict", "try again")
        return put_new(self, *words)

    monkeypatch.setattr(Bucket, "put_new", refused)
    assert put(bucket, 1) == 1


def test_a_machine_that_was_copied_while_it_ran_is_told():
    bucket = memory_bucket()
    put(bucket, 1)
    with pytest.raises(LockedError, match="a copy of this very run"):
        put_batch(bucket, 1, "mine", 1, "state", [replace(INTENT, job_id="b" * 16)])


def test_a_batch_that_is_gone_is_damage():
    bucket = memory_bucket()
    for number in (1, 2, 3):
        put(bucket, number)
    bucket.remove("intents/2.json")
    assert [each.number for each in batches_above(bucket, 2)] == [3]
    with pytest.raises(StateError, match=r"intents/2\.json is gone, and later intents are there"):
        list(batches_above(bucket, 0))
    with pytest.raises(StateError, match=r"intents/2\.json is gone"):
        list(batches_above(bucket, 1))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b'{"version": 2}', b'{"version": 1, "intents": [{}]}', b'{"version": 1, "intents": 5}',
     json.dumps({"version": 1, "number": "1", "holder": "", "term": 1, "state": "", "intents": []}).encode()],
)  # fmt: skip
def test_what_is_no_batch_is_told(content):
    bucket = memory_bucket()
    bucket.put_new("intents/1.json", content)
    with pytest.raises(StateError, match="cannot be read"):
        list(batches_above(bucket, 0))


def test_other_objects_are_none_of_ours():
    bucket = memory_bucket()
    for path in ("intents/readme.txt", "intents/0.json", "intents/01.json", "intents/a/1.json", "other/1.json"):
        bucket.put_new(path, b"x")
    assert last_batch(bucket) == 0
    assert list(batches_above(bucket, 0)) == []
