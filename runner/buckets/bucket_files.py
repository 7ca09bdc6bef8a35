"""Objects by their addresses, as files on this machine. Nothing is asked for where no address of a bucket is named."""

from __future__ import annotations

import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from runner.buckets.bucket import Bucket, Stored
from runner.buckets.bucket_address import BucketAddress
from runner.buckets.object_cache import LocalCopy, usual_cache
from runner.errors import BucketError, BucketRefusedError, ObjectChangedError

# When so many objects of a folder were looked at, its list is read: one call tells of a thousand.
_MANY = 20
_MOST_LISTED = 10_000
# A call is repeated for so many seconds: somebody waits for a plan.
_RETRIED = 10.0
# A bucket that failed so often is not asked again: each failure takes as long as its calls are repeated.
_MOST_FAILURES = 8


class TooManyObjectsError(Exception):
    """There are more objects than anybody wants to look through."""


class BucketFiles:
    """Finds objects, and makes files of them. Thread-safe. What was found once is not looked at again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._buckets: dict[BucketAddress, Bucket] = {}
        self._failures: Counter[BucketAddress] = Counter()
        self._found: dict[BucketAddress, Stored] = {}
        self._looked: Counter[BucketAddress] = Counter()
        self._beside: dict[BucketAddress, list[str]] = {}

    def find(self, address: BucketAddress) -> Stored | None:
        """What is at an address; None if there is nothing. Raises BucketError and UsageError."""
        self._list_where_many(address.parent)
        if address not in self._found:
            with self._asking(address) as bucket:
                found = bucket.find(address.path) if address.path else None
            self._keep(address, filter(None, [found]))
        return self._found.get(address) or self._otherwise_spelled(address)

    def _otherwise_spelled(self, address: BucketAddress) -> Stored | None:
        """What has the same name in another Unicode form (NFC, NFD), as some systems write it."""
        if address.name.isascii():
            return None
        wanted = unicodedata.normalize("NFC", address.name)
        # Who may read objects need not be allowed to list them.
        with suppress(BucketRefusedError):
            for each in self.beside(address):
                if unicodedata.normalize("NFC", each) == wanted:
                    return self._found.get(address.parent.below(each))
        return None

    def below(self, folder: BucketAddress, most: int) -> list[Stored]:
        """The objects below a folder. Raises TooManyObjectsError for more than `most`; BucketError and UsageError."""
        with self._asking(folder) as bucket:
            found = list(islice(bucket.each(folder.path), most + 1))
        if len(found) > most:
            raise TooManyObjectsError
        self._keep(folder, found)
        return found

    def beside(self, address: BucketAddress) -> list[str]:
        """Names in the folder of an address, of some thousand objects, for hints. Raises BucketError and UsageError."""
        folder = address.parent
        if folder not in self._beside:
            with self._asking(folder) as bucket:
                listed = list(islice(bucket.each(folder.path), _MOST_LISTED))
            self._keep(folder, listed)
            paths = (each.path[len(folder.path) :].lstrip("/") for each in listed)
            self._beside[folder] = sorted({each.partition("/")[0] for each in paths})
        return self._beside[folder]

    def copy(self, address: BucketAddress, stored: Stored) -> LocalCopy:
        """A file with the bytes of an object that was found. Raises BucketError, UsageError and DiskError."""
        with self._asking(address) as bucket:
            try:
                return usual_cache().copy(bucket, stored)
            except ObjectChangedError:
                latest = bucket.find(stored.path)
                if latest is None or latest == stored:
                    raise
                # Somebody replaced it just now.
                return usual_cache().copy(bucket, latest)

    def _list_where_many(self, folder: BucketAddress) -> None:
        with self._guard:
            self._looked[folder] += 1
            if self._looked[folder] != _MANY:
                return
        with suppress(BucketRefusedError), self._asking(folder) as bucket:
            self._keep(folder, islice(bucket.each(folder.path), _MOST_LISTED))

    def _keep(self, place: BucketAddress, found: Iterable[Stored]) -> None:
        for each in found:
            self._found[place.root.below(each.path)] = each

    @contextmanager
    def _asking(self, address: BucketAddress) -> Iterator[Bucket]:
        root = address.root
        with self._guard:
            if self._failures[root] >= _MOST_FAILURES:
                reason = f"{root} failed {_MOST_FAILURES} times, and is not asked again"
                raise BucketError(f"{address}: {reason}", "put that right first", reason)
            if root not in self._buckets:
                self._buckets[root] = Bucket.open(root, retried=_RETRIED)
        try:
            yield self._buckets[root]
        except BucketError:
            self._failures[root] += 1
            raise
