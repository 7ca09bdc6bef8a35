"""Pictures that lie in buckets: looked at there, read to this machine, and inspected as files are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from runner.buckets.bucket_address import BucketAddress
from runner.buckets.bucket_files import BucketFiles
from runner.diagnostics.bucket_words import missing_hint, reason_of
from runner.errors import BucketError, DiskError, UsageError
from runner.manifest.pictures.inspection import Picture, PictureDiagnostic, Rules, inspect_file, of_bytes

_READERS = 8
# No picture is larger, whatever a model says of its own.
_MOST = Rules(max_bytes=256 * 2**20)


@dataclass(frozen=True, slots=True)
class BucketPicture:
    """A picture of a bucket as it was found, and its copy on this machine; None where it was not read."""

    picture: Picture
    path: Path | None = None


def bucket_pictures(
    addresses: Iterable[BucketAddress], rules: Sequence[Rules], files: BucketFiles
) -> dict[str, BucketPicture]:
    """What is at each of these addresses."""
    wanted = list(dict.fromkeys(addresses))
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(_READERS, len(wanted))) as pool:
        found = pool.map(lambda each: bucket_picture(each, rules, files), wanted)
        return dict(zip(map(str, wanted), found, strict=True))


def bucket_picture(address: BucketAddress, rules: Sequence[Rules], files: BucketFiles) -> BucketPicture:
    """What is at an address. One that is too large is not read."""
    try:
        stored = files.find(address)
        if stored is None:
            return _unfit("E401", "does not exist", missing_hint(address, files))
        too_large = of_bytes(stored.size, [*rules, _MOST])
        if too_large:
            return BucketPicture(Picture(tuple(too_large)))
        copy = files.copy(address, stored)
        return BucketPicture(inspect_file(copy.path, rules), copy.path)
    except (BucketError, DiskError, UsageError) as error:
        return _unfit("E421", f"cannot be read: {reason_of(error)}", error.hint)


def _unfit(code: str, message: str, hint: str) -> BucketPicture:
    return BucketPicture(Picture((PictureDiagnostic(code, message, hint),)))
