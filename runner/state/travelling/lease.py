"""The lease of a state in a bucket: which runner may submit with it. Time never ends it.

A holder that is gone keeps it until somebody takes it over, and a holder that only slept sees that before it sends:
it looks right before each POST, and what it looked at is not older than a few seconds when the POST leaves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Self

from runner.buckets.bucket import Bucket
from runner.errors import BucketError, LockedError, ObjectChangedError, StateError

_OBJECT = "lease.json"
_VERSION = 1
# Seconds of CLOCK_BOOTTIME from a look at the lease to the first byte of a POST.
FRESH = 5.0
# What a lease says of the time until which its holder will have renewed it, in seconds. It decides nothing.
TERM = 180.0
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """Who holds a lease. `term` counts the holders.

    `put` is the number of the last state, and `batch` that of the last intents, that the holder put before it wrote
    this. `words`, `since` and `until` are for people.
    """

    holder: str
    words: str
    since: str
    until: str
    term: int
    state: str = ""
    put: int = 0
    batch: int = 0
    is_handed_back: bool = False

    def as_bytes(self) -> bytes:
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=1).encode()

    @classmethod
    def of(cls, content: bytes, where: str) -> Self:
        """Raises StateError for what is no lease."""
        try:
            document = json.loads(content)
            if document.pop("version") != _VERSION:
                raise ValueError("its version is not known here")
            record = cls(**document)
            numbers = (record.term, record.put, record.batch)
            if not isinstance(record.holder, str) or not all(isinstance(each, int) for each in numbers):
                raise TypeError("a member is of another type")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StateError(f"{where} is no lease ({error})", "see who wrote it; nothing was sent") from None
        return record


class Lease:
    """A lease that is held. `permit` and `look` may be called in any thread."""

    def __init__(self, bucket: Bucket, record: LeaseRecord, version: str, now: Callable[[], float]) -> None:
        self._bucket = bucket
        self._version = version
        self.now = now
        self.record = record
        # Why it is held no longer.
        self.lost: LockedError | None = None

    @classmethod
    def take(
        cls, bucket: Bucket, found: tuple[LeaseRecord, str] | None, mine: LeaseRecord, now: Callable[[], float]
    ) -> Self:
        """Take what was found: no lease, or one that may be taken. Raises LockedError where another was quicker."""
        try:
            content = mine.as_bytes()
            version = bucket.put_new(_OBJECT, content) if found is None else bucket.replace(_OBJECT, content, found[1])
        except ObjectChangedError:
            raise LockedError(f"another runner took {bucket.address} just now", _WAIT) from None
        return cls(bucket, mine, version, now)

    def permit(self) -> None:
        """Return only while a POST may leave. Raises LockedError and BucketError: then it must not."""
        began = self.now()
        self.look()
        if self.now() - began > FRESH:
            raise BucketError(
                f"looking at the lease of {self._bucket.address} took too long", "run the same command again"
            )

    def look(self) -> str:
        """The version of the lease. Raises LockedError if it is another's, and BucketError if that cannot be told."""
        found = read_lease(self._bucket)
        if found is None or found[0].holder != self.record.holder or found[0].is_handed_back:
            by = "nobody has it" if found is None else told(found[0])
            self.lost = LockedError(
                f"{self._bucket.address} was taken over: {by}",
                "nothing more was sent, and the other one finds what was; when it ends, run the same command again",
            )
            raise self.lost
        return found[1]

    def renew(self, **values: object) -> None:
        """Write these members of the record. Raises as `look` does."""
        record = replace(self.record, **values)  # type: ignore[arg-type]
        try:
            self._version = self._bucket.replace(_OBJECT, record.as_bytes(), self._version)
        except ObjectChangedError:
            # It may be what an earlier call wrote whose answer did not come.
            self._version = self._bucket.replace(_OBJECT, record.as_bytes(), self.look())
        self.record = record


def read_lease(bucket: Bucket) -> tuple[LeaseRecord, str] | None:
    """The lease as it is now, with its version; None if there is none. Raises StateError and BucketError."""
    found = bucket.read(_OBJECT, _MOST_BYTES)
    return None if found is None else (LeaseRecord.of(found[0], str(bucket.address.below(_OBJECT))), found[1])


def told(record: LeaseRecord) -> str:
    """Who holds a lease, for people."""
    until = "" if record.is_handed_back else f", and due to say by {record.until} that it goes on"
    return f"{record.words}, since {record.since}{until}"


def shown_time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


_WAIT = "wait until it ends, then run the same command again"
