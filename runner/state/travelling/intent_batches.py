"""Intents in a bucket: each batch of submissions is an object there before any POST of it leaves.

Whoever goes on without the machine that sent them knows from these what may have been bought.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from runner.buckets.bucket import Bucket
from runner.errors import LockedError, ObjectChangedError, StateError

_FOLDER = "intents"
_VERSION = 1
_NAME = re.compile(rf"{_FOLDER}/([1-9][0-9]{{0,11}})\.json")
# Of intents that a former holder put after it had lost the lease, and never sent.
_MOST_STRANGERS = 1000
# Of one batch: no batch of ours is nearly as large.
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Intent:
    """An attempt as it was before its POST, with the path that its job got and whether that is a retake."""

    number: int
    job_id: str
    price: int | None
    currency: str
    intended_at: float
    organisation: str | None
    caller: str
    window_start: float | None
    path: str
    is_retake: bool
    addresses: dict[str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Intents that were put together, in one term of the lease."""

    number: int
    holder: str
    term: int
    state: str
    intents: tuple[Intent, ...]

    def as_bytes(self) -> bytes:
        return json.dumps({"version": _VERSION, **asdict(self)}).encode()

    @classmethod
    def of(cls, content: bytes, where: str) -> Self:
        """Raises StateError for what is no batch."""
        try:
            document = json.loads(content)
            if document.pop("version") != _VERSION:
                raise ValueError("its version is not known here")
            intents = tuple(Intent(**each) for each in document.pop("intents"))
            batch = cls(**document, intents=intents)
            if not all(isinstance(each, int) for each in (batch.number, batch.term, *(i.number for i in intents))):
                raise TypeError("a member is of another type")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StateError(f"{where} cannot be read ({error})", _REMEDY) from None
        return batch


def put_batch(bucket: Bucket, number: int, holder: str, term: int, state: str, intents: Sequence[Intent]) -> int:
    """Put a batch under the next free number from `number` on, and return that.

    What is there in place of it was put by a holder that had lost the lease, and looks at that before it sends. Raises
    LockedError where it is of this holder: a machine that was copied while it ran. Raises BucketError.
    """
    for _ in range(_MOST_STRANGERS):
        batch = Batch(number, holder, term, state, tuple(intents))
        try:
            bucket.put_new(_path(number), batch.as_bytes(), "application/json")
        except ObjectChangedError:
            # Nothing is there where the store refuses for another call that is not over: no number is left out.
            found = _read(bucket, number)
            number += found is not None
            if found is not None and found.holder == holder:
                hint = "nothing more was sent by this one; end one of the two machines"
                raise LockedError(f"a copy of this very run works with {bucket.address}, too", hint) from None
        else:
            return number
    raise StateError(f"others put intents to {bucket.address} all the time", _REMEDY)


def last_batch(bucket: Bucket) -> int:
    """The highest number that there is; 0 if there is none."""
    return max(_numbers(bucket), default=0)


def batches_above(bucket: Bucket, number: int) -> Iterator[Batch]:
    """The batches above a number, in their order. Raises StateError where one between them is gone."""
    found = sorted(each for each in _numbers(bucket) if each > number)
    if found and found != list(range(number + 1, found[-1] + 1)):
        missing = next(each for each in range(number + 1, found[-1]) if each not in found)
        raise StateError(f"{bucket.address.below(_path(missing))} is gone, and later intents are there", _REMEDY)
    for each in found:
        batch = _read(bucket, each)
        if batch is None:
            raise StateError(f"{bucket.address.below(_path(each))} is gone", _REMEDY)
        yield batch


def _read(bucket: Bucket, number: int) -> Batch | None:
    """Raises StateError for what is no batch."""
    found = bucket.read(_path(number), _MOST_BYTES)
    return None if found is None else Batch.of(found[0], str(bucket.address.below(_path(number))))


def _numbers(bucket: Bucket) -> Iterator[int]:
    for each in bucket.each(_FOLDER):
        named = _NAME.fullmatch(each.path)
        if named:
            yield int(named[1])


def _path(number: int) -> str:
    return f"{_FOLDER}/{number}.json"


_REMEDY = "nothing was sent; put back what was there, or see what the service has: reelrun requests MODEL"
