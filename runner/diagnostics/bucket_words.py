"""How diagnostics tell of objects that are not there, or cannot be read."""

from __future__ import annotations

from runner.buckets.bucket_address import BucketAddress
from runner.buckets.bucket_files import BucketFiles
from runner.diagnostics.suggestions import closest, did_you_mean
from runner.diagnostics.words import joined
from runner.errors import BucketError, DiskError, UsageError


def missing_hint(address: BucketAddress, files: BucketFiles) -> str:
    """What may have been meant by the address of nothing."""
    try:
        names = files.beside(address)
    except (BucketError, UsageError) as error:
        return f"{address.parent} cannot be listed: {reason_of(error)}"
    found = closest(address.name, names)
    if found is not None:
        return did_you_mean(str(address.parent.below(found)))
    return f"{address.parent} holds {joined(names, 'and', limit=6) or 'nothing'}"


def reason_of(error: BucketError | DiskError | UsageError) -> str:
    """Why an object cannot be read, in words that can follow its name."""
    return error.reason if isinstance(error, BucketError) else error.message
