"""A mirror: copies in a bucket of the files that were paid for. They are made where nothing is, and never removed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from runner.buckets.bucket import PART, WHOLE, Bucket, something_else
from runner.buckets.bucket_address import LONGEST, BucketAddress
from runner.errors import ObjectChangedError
from runner.model import Artifact, MirrorCopy, Output
from runner.state.copies import Copies
from runner.state.disk import create_folders, disk_errors, inside, make_folder, put_in_place, write_blocks
from runner.video.file_types import TYPES

# A call may take so many seconds, and as long again for each so many bytes: 100 kB a second.
_SECONDS, _BYTES = 30.0, 3_000_000
# A call that failed is repeated by whoever counts on it.
_RETRIED = 2.0


class UncopiedError(Exception):
    """This file cannot be copied, whatever the store does."""


class Mirror:
    """The copies below an address. Thread-safe. Makes no call until it is asked for one."""

    def __init__(self, address: BucketAddress) -> None:
        self.address = address
        self._buckets: dict[int, Bucket] = {}
        # What keeps it from working at all is told before anything is done.
        self._bucket(0)

    @classmethod
    def of(cls, output: Output) -> Self | None:
        """The mirror of a manifest; None if it has none. Raises UsageError where packages or settings are missing."""
        return None if output.mirror is None else cls(BucketAddress.of(output.mirror))

    @property
    def name(self) -> str:
        """Its name in a state."""
        return str(self.address)

    def _bucket(self, size: int) -> Bucket:
        """The bucket for calls that transfer so many bytes: an upload that hangs is known by its time alone."""
        times = 1 + min(size, WHOLE) // _BYTES
        if times not in self._buckets:
            longest = _SECONDS * times
            self._buckets[times] = Bucket.open(self.address, longest=longest, silence=longest, retried=_RETRIED)
        return self._buckets[times]

    def paths_for(self, store: Copies, file: Artifact) -> list[str]:
        """Where a file may be copied to: its own path, or one with digits of its hash where another has that."""
        return [each for each in self._candidates(file) if not store.is_path_copied(self.name, each)]

    def _candidates(self, file: Artifact) -> Iterator[str]:
        stem, suffix = os.path.splitext(file.path)
        shortest = f"{file.path.partition('/')[0]}/{file.sha256}{suffix}"
        for path in (file.path, f"{stem}-{file.sha256[:8]}{suffix}", shortest):
            if len(self.address.below(path).path.encode()) <= LONGEST:
                yield path

    def copy(self, folder: Path, file: Artifact, paths: Sequence[str]) -> MirrorCopy:
        """Copy a file of this folder to the first of these paths that is free, or has the same content.

        What is returned is known to be there with the right hash. Raises UncopiedError and BucketError.
        """
        for path in paths:
            with suppress(ObjectChangedError):
                version = self._put(path, folder / file.path, file)
                return MirrorCopy(path, file.sha256, file.bytes, version)
        raise UncopiedError(f"{file.path}: other files have its names in {self.address}")

    def _put(self, path: str, source: Path, file: Artifact) -> str:
        """Put a file, and return the version of its object.

        An ETag that is the MD5 of what was sent proves what the store has. Where it is something else, as with keys of
        one's own or in other stores than S3, the object is read back.
        """
        bucket, kind = self._bucket(file.bytes), TYPES.get(os.path.splitext(path)[1], "")
        if file.bytes <= WHOLE:
            content = _content(source, file)
            version, tag = bucket.put_new(path, content, kind), _md5(content).hex()
        elif (found := bucket.find(path)) is not None:
            # Read back below: nothing was sent.
            version, tag = found.version, ""
        else:
            parts = _Parts(source, file)
            version, tag = bucket.put_blocks(path, parts.each(), kind), parts.tag
        if version.strip('"') != tag and bucket.sha256_of(path) != file.sha256:
            raise something_else(self.address.below(path))
        return version

    def sha256_of(self, copy: MirrorCopy) -> str | None:
        """The hash of the bytes that are there, which are read for it; None if there are none. Raises BucketError."""
        return self._bucket(copy.bytes).sha256_of(copy.path)

    def present(self, store: Copies) -> set[str]:
        """The ids of the jobs whose files are all recorded, and whose clips are there as recorded, by one list.

        Raises BucketError.
        """
        jobs: dict[tuple[str, int, str], list[str]] = {}
        for job_id, copy in store.copies_of_clips(self.name):
            jobs.setdefault((copy.path, copy.bytes, copy.version.strip('"')), []).append(job_id)
        if not jobs:
            return set()
        listed = ((each.path, each.size, each.version.strip('"')) for each in self._bucket(0).each())
        return {job_id for each in listed for job_id in jobs.get(each, ())}

    def fetch_back(self, copy: MirrorCopy, folder: Path, path: str) -> list[Path]:
        """Bring a file back to its path in the output folder: hashed and durable, or not there.

        Returns the new paths of what was in its place. Raises BucketError and DiskError.
        """
        target = inside(folder, path)
        part = target.with_name(f"{hashlib.sha256(path.encode()).hexdigest()}.part")
        with disk_errors(f"write {target}"):
            make_folder(folder)
            create_folders(target.parent)
            try:
                self._save(copy, part)
                return put_in_place(part, inside(folder, path), folder)
            finally:
                part.unlink(missing_ok=True)

    def _save(self, copy: MirrorCopy, part: Path) -> None:
        if write_blocks(part, self._blocks(copy)) != copy.sha256:
            raise something_else(self.address.below(copy.path))

    def _blocks(self, copy: MirrorCopy) -> Iterator[bytes]:
        size = 0
        for block in self._bucket(copy.bytes).blocks(copy.path):
            size += len(block)
            if size > copy.bytes:
                raise something_else(self.address.below(copy.path))
            yield block


def _content(source: Path, file: Artifact) -> bytes:
    """The bytes of a file that is as it was recorded."""
    with _reading(file):
        content = source.read_bytes() if source.stat().st_size == file.bytes else b""
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise _changed(file)
    return content


class _Parts:
    """The parts of a large file, and the ETag that S3 gives to an object of these parts: the MD5 of their MD5s.

    A file that is not as it was recorded raises UncopiedError instead of an end, so that it does not become an object.
    """

    def __init__(self, source: Path, file: Artifact) -> None:
        self._source, self._file = source, file
        self._sums: list[bytes] = []

    def each(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        with _reading(self._file), self._source.open("rb") as opened:
            while part := opened.read(PART):
                digest.update(part)
                self._sums.append(_md5(part))
                yield part
        if digest.hexdigest() != self._file.sha256:
            raise _changed(self._file)

    @property
    def tag(self) -> str:
        return f"{_md5(b''.join(self._sums)).hex()}-{len(self._sums)}"


@contextmanager
def _reading(file: Artifact) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UncopiedError(f"{file.path} cannot be read here: {error.strerror}") from error


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def _changed(file: Artifact) -> UncopiedError:
    return UncopiedError(f"{file.path} was changed since it was delivered, and is not copied")
