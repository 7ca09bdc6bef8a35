"""Durable steps on the file system: folders, renames and free names that survive a power cut."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain, count, takewhile
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
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.ELOOP: "remove the link that stands in its place",
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.EEXIST), "move away what stands in its place"),
}
# Nothing that others planted is written through, or waited for: no link is followed, and no pipe is.
_UNFOLLOWED = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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


def unfollowed(path: str, flags: int) -> int:
    """Open a file as `open` does (its `opener`), but never through a link: that is an OSError (ELOOP)."""
    return os.open(path, flags | _UNFOLLOWED, 0o666)


def refuse_links(*paths: Path) -> None:
    """Raise StateError if a link is in the place of one of these files."""
    for path in paths:
        if path.is_symlink():
            raise StateError(
                f"{path} is a link, and is not followed",
                "see who made it, then remove it; to keep the state elsewhere, name that file in output.state",
            )


def leads_to(path: Path, descriptor: int) -> bool:
    """Whether a path still leads to an open file: neither it nor a folder above was removed, renamed or replaced."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    except OSError:
        return False


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
    missing = list(takewhile(lambda each: not os.path.isdir(each), (folder, *folder.parents)))[::-1]
    for each in missing:
        each.mkdir(exist_ok=True)
        _durable.discard(each)
    return missing


# Folders that this process has made durable, with all their parent directories. The set is cleared when it is large: to
# make a folder durable once more does no harm.
_durable: set[Path] = set()
_MOST_DURABLE = 10_000


def sync_parents(folder: Path, root: Path) -> None:
    """Make the entries of a folder durable, and those of its parent directories up to `root`.

    Another thread may have created these, or a run that was killed before it synced them.
    """
    above = takewhile(lambda each: each != root and each not in _durable, (folder, *folder.parents))
    synced = list(above)
    for each in (folder, *(each.parent for each in synced)):
        sync_folder(each)
    # Only now: a folder counts as durable once the whole way to it is.
    if len(_durable) + len(synced) > _MOST_DURABLE:
        _durable.clear()
    _durable.update(synced)


def hash_file(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_blocks(path: Path, blocks: Iterable[bytes]) -> str:
    """Write a file durably, and return the sha256 of its bytes, in hex. Its name is not durable yet."""
    digest = hashlib.sha256()
    with open(path, "wb", opener=unfollowed) as file:
        for block in blocks:
            file.write(block)
            digest.update(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def inside(folder: Path, relative: str) -> Path:
    """A path below `folder`. Raises DiskError if a symbolic link on the way leads out of it."""
    path = folder / relative
    if not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(folder)):
        raise DiskError(f"{path} leads out of {folder} through a link", "remove the link, or change output.file")
    return path


def put_in_place(source: Path, target: Path, root: Path) -> list[Path]:
    """Rename a synced file to `target`, in the same folder, and make the new name durable up to `root`.

    Something else that is there already is set aside; its new path is returned, if there is one. An equal file is what
    a run that was killed before it recorded the file has left.
    """
    aside = [set_aside(target)] if os.path.lexists(target) and not _are_equal(source, target) else []
    os.replace(source, target)
    sync_parents(target.parent, root)
    return aside


def _are_equal(source: Path, target: Path) -> bool:
    is_file = not target.is_symlink() and target.is_file()
    return is_file and source.stat().st_size == target.stat().st_size and hash_file(source) == hash_file(target)


def set_aside(path: Path) -> Path:
    """Rename what is in the way of another file, so that it is not overwritten. Raises DiskError."""
    endings = chain(("",), map("-{}".format, count(2)))
    targets = (path.with_name(f"{path.stem}.changed{ending}{path.suffix}") for ending in endings)
    target = next(each for each in targets if not os.path.lexists(each))
    with disk_errors(f"rename {path}"):
        path.rename(target)
    return target


def free_name(path: Path, ending: str) -> Path:
    """The first path `<path>.<ending>-<n>` at which there is nothing."""
    names = (path.with_name(f"{path.name}.{ending}-{number}") for number in count(1))
    return next(each for each in names if not os.path.lexists(each))


def set_aside_together(paths: Iterable[Path]) -> list[Path]:
    """Rename those of these files that there are to `<name>.old-<n>`, with one free n for all. Raises DiskError."""
    found = [path for path in paths if os.path.lexists(path)]
    number = next(n for n in count(1) if not any(os.path.lexists(f"{path}.old-{n}") for path in found))
    moved = [path.with_name(f"{path.name}.old-{number}") for path in found]
    for path, target in zip(found, moved, strict=True):
        with disk_errors(f"rename {path}"):
            path.rename(target)
    for folder in {path.parent for path in found}:
        with disk_errors(f"sync {folder}"):
            sync_folder(folder)
    return moved


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
