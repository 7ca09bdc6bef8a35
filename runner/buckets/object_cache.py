"""Copies of objects of buckets on this machine, by their versions: what is here already is not read again."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from uuid import uuid4

from runner.buckets.bucket import Bucket, Stored
from runner.errors import BucketError, DiskError

# What all copies together may take on the disk, in bytes: beyond it, what was used longest ago goes.
MOST_BYTES = 5 * 10**9
# What is in use is looked at again after so many new bytes.
_SOME = MOST_BYTES // 10
# No object takes longer to read, in seconds. An older part was left by a process that was killed.
_ABANDONED = 86400.0
_PART, _USER, _LOCK = ".part", ".in-use-", ".lock"
# What says which server has a bucket, in the environment.
_SERVERS = (
    *("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    *("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ENDPOINT", "AZURE_STORAGE_CONNECTION_STRING"),
)


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A file with the bytes of an object. `sha256` is theirs, in hex."""

    path: Path
    sha256: str
    size: int


class ObjectCache:
    """A folder of copies. Many threads and processes may use it at once.

    Each copy has a note beside it with its size and its hash, and is taken only while both are right. What a process
    has asked for stays until it ends: it is listed in a file that this process has locked.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Raises OSError where nothing can be written there."""
        self._folder = folder
        self._most_bytes = most_bytes
        self._new_bytes = _SOME
        self._guard = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = folder / f"{_USER}{uuid4().hex}"
        self._used = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        weakref.finalize(self, _left, name, self._used)
        fcntl.flock(self._used, fcntl.LOCK_EX)

    def copy(self, bucket: Bucket, stored: Stored) -> LocalCopy:
        """The file of an object in this version, read from the bucket if it is not here.

        Raises BucketError, ObjectChangedError where there is another version, and DiskError.
        """
        path = self._folder / _name_of(bucket, stored)
        try:
            self._claim(path.name)
            return _known(path) or self._read(bucket, stored, path)
        except OSError as error:
            raise DiskError(
                f"{bucket.address.below(stored.path)} cannot be kept in {self._folder}: {error.strerror}",
                "make room there, or name another folder in XDG_CACHE_HOME",
            ) from None

    def _claim(self, name: str) -> None:
        with self._guard, self._locked(fcntl.LOCK_SH):
            os.write(self._used, f"{name}\n".encode())

    def _read(self, bucket: Bucket, stored: Stored, path: Path) -> LocalCopy:
        self._make_room(stored.size)
        part = path.with_name(f"{path.name}.{uuid4().hex}{_PART}")
        try:
            copy = LocalCopy(path, _written(bucket, stored, part), stored.size)
            _note_of(path).unlink(missing_ok=True)
            part.replace(path)
            part.write_text(json.dumps({"sha256": copy.sha256, "size": copy.size}))
            part.replace(_note_of(path))
        finally:
            part.unlink(missing_ok=True)
        return copy

    def _make_room(self, size: int) -> None:
        """Remove what was used longest ago where there is too much. Others may do that just now."""
        with self._guard:
            self._new_bytes += size
            if self._new_bytes < min(_SOME, self._most_bytes):
                return
            self._new_bytes = 0
            with suppress(BlockingIOError), self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
                self._remove_unused()

    def _remove_unused(self) -> None:
        in_use = set(self._in_use())
        entries = [(each, each.stat()) for each in self._folder.iterdir() if not each.name.startswith(".")]
        for each, status in entries:
            if each.suffix == _PART and status.st_mtime < time.time() - _ABANDONED:
                each.unlink(missing_ok=True)
        copies = sorted((status.st_mtime, each, status.st_size) for each, status in entries if not each.suffix)
        left = sum(size for _, _, size in copies)
        for _, path, size in copies:
            if left <= self._most_bytes:
                return
            if path.name not in in_use:
                path.unlink(missing_ok=True)
                _note_of(path).unlink(missing_ok=True)
                left -= size

    def _in_use(self) -> Iterator[str]:
        """The names of the copies that living processes have asked for. The lists of others are removed."""
        for each in self._folder.glob(f"{_USER}*"):
            with suppress(FileNotFoundError), each.open("r") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    each.unlink()
                except BlockingIOError:
                    yield from file.read().splitlines()

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Nothing is removed while somebody claims something."""
        with (self._folder / _LOCK).open("a") as file:
            fcntl.flock(file, how)
            yield


def usual_cache() -> ObjectCache:
    """The cache of this user; where it cannot be written, a folder of this process. Raises DiskError."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(named) if os.path.isabs(named) else Path(os.path.expanduser("~")) / ".cache"
    try:
        return _cache_in(base / "reelrun" / "objects")
    except OSError:
        return _cache_of_process()


@lru_cache(maxsize=2)
def _cache_in(folder: Path) -> ObjectCache:
    """One of a process for each folder: its list of what is in use is locked until the process ends."""
    return ObjectCache(folder)


@cache
def _cache_of_process() -> ObjectCache:
    try:
        folder = Path(tempfile.mkdtemp(prefix="reelrun-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return ObjectCache(folder)
    except OSError as error:
        message = f"objects of buckets can be kept nowhere: {error.strerror}"
        raise DiskError(message, "name a folder that can be written in XDG_CACHE_HOME or TMPDIR") from None


def _left(name: Path, descriptor: int) -> None:
    """A process ends: what it used may go. The list of one that was killed is found without a lock."""
    name.unlink(missing_ok=True)
    os.close(descriptor)


def _name_of(bucket: Bucket, stored: Stored) -> str:
    # A list and a look at one object may spell its version with and without quotes.
    servers = [f"{name}={os.environ.get(name, '')}" for name in _SERVERS]
    told = [str(bucket.address.below(stored.path)), stored.version.strip('"'), str(stored.size), *servers]
    return hashlib.sha256("\n".join(told).encode(errors="surrogateescape")).hexdigest()


def _note_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _known(path: Path) -> LocalCopy | None:
    """A copy that is here, and is what its note says."""
    try:
        note = json.loads(_note_of(path).read_text())
        with path.open("rb") as file:
            found = LocalCopy(path, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
        if note == {"sha256": found.sha256, "size": found.size}:
            os.utime(path)
            return found
    except (FileNotFoundError, ValueError):
        pass
    return None


def _written(bucket: Bucket, stored: Stored, path: Path) -> str:
    """Write an object to a file a block at a time, and return the hash of its bytes."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for block in bucket.blocks(stored.path, stored.version):
            digest.update(block)
            size += len(block)
            if size > stored.size:
                break
            file.write(block)
    if size != stored.size:
        reason = f"{stored.size:,} bytes were told, and other {size:,} came"
        raise BucketError(f"{bucket.address.below(stored.path)}: {reason}", "run the same command again", reason)
    return digest.hexdigest()
