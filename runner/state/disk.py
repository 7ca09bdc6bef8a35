"""Durable steps on the file system: folders, renames and free names that survive a power cut."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from runner.errors import DiskError, StateError

# Network file systems. SQLite's WAL cannot trust their locks and mmap (https://www.sqlite.org/wal.html, "same host").
_NETWORK = frozenset(
    (
        *("9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "nfs", "nfs4"),
        *("ocfs2", "orangefs", "smb2", "smb3", "smbfs"),
        *("fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    )
)
_MOUNTS = Path("/proc/self/mountinfo")

_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room on the disk"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "make the folder writable"),
}


@contextlib.contextmanager
def disk_errors(doing: str, again: str = "run the same command again") -> Iterator[None]:
    """Turn an OSError inside into a DiskError. The message says what failed (`doing`); `again` ends the hint."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename and str(error.filename) not in doing else ""
        remedy = _REMEDIES.get(error.errno or 0, "put that right")
        raise DiskError(
            f"cannot {doing}: {error.strerror or error}{where}", f"{remedy}, then {again}: nothing is lost"
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # EINVAL: this file system cannot sync folders, as some network file systems. The entry is there all the same.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parent directories, each durable in its own parent."""
    for made in create_folders(folder):
        sync_folder(made.parent)


def create_folders(folder: Path) -> list[Path]:
    """Create a folder and its missing parent directories, and return the new ones.

    They are not durable yet. `sync_parents` makes them durable later, together with what was put into them meanwhile.
    """
    if os.path.isdir(folder):
        return []
    made = create_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _durable.discard(folder)
    return [*made, folder]


# Folders that this process has made durable, with all their parent directories. The set is cleared when it is large: to
# make a folder durable once more does no harm.
_durable: set[Path] = set()
_MOST_DURABLE = 10_000


def sync_parents(folder: Path, root: Path) -> None:
    """Make the entries of a folder durable, and those of its parent directories up to `root`.

    Another thread may have created these, or a run that was killed before it synced them.
    """
    sync_folder(folder)
    if folder != root and folder not in _durable:
        sync_parents(folder.parent, root)
        if len(_durable) >= _MOST_DURABLE:
            _durable.clear()
        _durable.add(folder)


def hash_file(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put_in_place(source: Path, target: Path, root: Path) -> None:
    """Rename a synced file to `target`, in the same folder, and make the new name durable up to `root`."""
    os.replace(source, target)
    sync_parents(target.parent, root)


def refuse_network_disk(path: Path) -> None:
    """Raise StateError if the folder of `path` lies on a network file system."""
    kind = filesystem_of(path)
    if kind in _NETWORK:
        raise StateError(
            f"{path} would lie on a network file system ({kind}), where locks cannot be trusted",
            "set output.state in the manifest to a path on a local disk; videos may stay where they are",
        )


def filesystem_of(path: Path) -> str | None:
    """The kind of file system that holds `path` (or its nearest existing parent); None if unknown."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    return deepest_mount(path.resolve(), mounts)


def deepest_mount(path: Path, mounts: list[str]) -> str | None:
    """The file system of the deepest mount point above `path`. `mounts` are lines of /proc/self/mountinfo (proc(5))."""
    kinds = {}
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        point = Path(fields.split(" ")[4].encode().decode("unicode_escape"))
        # If two lines have the same mount point, the later one wins: it is mounted on top.
        kinds[point] = rest.split(" ", 1)[0]
    return next((kinds[point] for point in (path, *path.parents) if point in kinds), None)
