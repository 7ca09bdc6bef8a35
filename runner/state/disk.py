"""Durable steps on the file system: folders, renames and free names that survive a power cut."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from runner.errors import DiskError, StateError

# File systems whose locks and mmap SQLite's WAL cannot trust (https://www.sqlite.org/wal.html, "same host").
_NETWORK = frozenset(
    (
        *("9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "nfs", "nfs4"),
        *("ocfs2", "orangefs", "smb2", "smb3", "smbfs"),
        *("fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    )
)
_BLOCK = 1 << 20
_MOUNTS = Path("/proc/self/mountinfo")


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def disk_trouble(doing: str, again: str = "run the same command again") -> Iterator[None]:
    """Turn an OSError inside into a DiskError that says what was being done, and the remedy, `again` at its end."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename and str(error.filename) not in doing else ""
        raise DiskError(
            f"cannot {doing}: {error.strerror or error}{where}", f"{_remedy(error)}, then {again}: nothing is lost"
        ) from error


def _remedy(error: OSError) -> str:
    if error.errno in _FULL:
        return "make room on the disk"
    if error.errno in _CLOSED:
        return "make the folder writable"
    return "put that right"


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable. Threads that ask for the same one at a time share a sync."""
    with _asking:
        shared = _shared.setdefault(folder, _SharedSync(folder))
        shared.asked += 1
        number = shared.asked
    try:
        shared.cover(number)
    finally:
        with _asking:
            shared.ended += 1
            if shared.ended == shared.asked:
                del _shared[folder]


@dataclass(slots=True)
class _SharedSync:
    """The syncs of one folder that are asked for one upon the other: whoever waited while one was under way is covered
    by the next, as that begins after all of them had asked."""

    folder: Path
    asked: int = 0
    ended: int = 0
    _covered: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def cover(self, number: int) -> None:
        """Return when a sync is done that began after so many had asked."""
        with self._turn:
            if self._covered < number:
                asked = self.asked
                _sync(self.folder)
                self._covered = asked


# Threads meet here that know nothing of each other: a run's downloads, most of which end in neighbouring folders.
_asking = threading.Lock()
_shared: dict[Path, _SharedSync] = {}


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # EINVAL: this file system does not sync folders, as some on a network do not; the entry stands all the same.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, each durable in its own parent."""
    for made in create_folders(folder):
        sync_folder(made.parent)


def create_folders(folder: Path) -> list[Path]:
    """Create a folder and its parents, and return those that are new: `sync_way` makes them durable, together with what
    comes into them meanwhile."""
    if os.path.isdir(folder):
        return []
    made = create_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _durable.pop(folder, None)
    return [*made, folder]


# Folders of which this process knows that they are durable, as is the way to each; those last made so at the end. It
# forgets the first of them: to make one durable again harms nothing.
_durable: OrderedDict[Path, None] = OrderedDict()
_MOST_DURABLE = 10_000


def sync_way(folder: Path, root: Path) -> None:
    """Make durable what is in a folder, and the way to it from `root`, whoever created that: another thread, or a run
    that was killed before it had come so far."""
    sync_folder(folder)
    way = takewhile(lambda each: each != root and each not in _durable, (folder, *folder.parents))
    # From the root on: who finds one of these durable looks no further.
    for each in reversed(list(way)):
        sync_folder(each.parent)
        _durable[each] = None
    while len(_durable) > _MOST_DURABLE:
        with contextlib.suppress(KeyError):
            _durable.popitem(last=False)


def sync_file(path: Path) -> None:
    """Make the bytes of a file durable."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def hash_file(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashed(file).hexdigest()


def hashed(file: BinaryIO, most: int | None = None) -> hashlib._Hash:
    """The sha256 of what is left of a file, or of so many bytes of it; it stands behind them then."""
    digest, left = hashlib.sha256(), float("inf") if most is None else most
    while left > 0 and (block := file.read(int(min(_BLOCK, left)))):
        digest.update(block)
        left -= len(block)
    return digest


def put_in_place(source: Path, target: Path, root: Path) -> None:
    """Rename a synced file over `target`, in the same folder, durably from `root` on."""
    os.replace(source, target)
    sync_way(target.parent, root)


def refuse_network_disk(path: Path) -> None:
    """Raise StateError where the folder of `path` lies on a network file system."""
    kind = filesystem_of(path)
    if kind in _NETWORK:
        raise StateError(
            f"{path} would lie on a network file system ({kind}), where locks cannot be trusted",
            "set output.state in the manifest to a path on a local disk; videos may stay where they are",
        )


def filesystem_of(path: Path) -> str | None:
    """The kind of file system that holds `path` (or its nearest existing parent); None where this cannot be told."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    return deepest_mount(path.resolve(), mounts)


def deepest_mount(path: Path, mounts: list[str]) -> str | None:
    """The kind of the deepest mount above `path`, from lines in the form of /proc/self/mountinfo (proc(5))."""
    found: tuple[int, str] | None = None
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        point = Path(fields.split(" ")[4].encode().decode("unicode_escape"))
        # A later line wins over an equal point: it is mounted on top.
        if (path == point or point in path.parents) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), rest.split(" ", 1)[0]
    return found[1] if found else None
