"""How diagnostics tell of objects that are not there, or cannot be read."""

from __future__ import annotations

from runner.buckets.bucket_address import BucketAddress
from runner.buckets.bucket_files import BucketFiles
from runner.diagnostics.suggestions import closest, did_you_mean
from runner.errors import BucketError, DiskError, UsageError


def missing_hint(address: BucketAddress, files: BucketFiles) -> str:
    """What may have been meant by the address of nothing."""
    names = files.beside(address)
    found = closest(address.name, names)
    if found:
        return did_you_mean(str(address.parent.below(found)))
    return "" if names else f"nothing lies below {address.parent}"


def reason_of(error: BucketError | DiskError | UsageError) -> str:
    """Why an object cannot be read, in words that can follow its name."""
    return error.reason if isinstance(error, BucketError) else error.message
