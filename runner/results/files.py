"""Files that are whole or not there: text goes to a temporary file beside its place, which is then renamed into it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from runner.errors import DiskError

_SUFFIX = ".part"
# No writer is at work for this long, in seconds: an older temporary file was left by one that crashed.
_ABANDONED = 3600.0
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes the place of `path` when the block ends, and is thrown away when the block fails.

    Whoever reads `path` meanwhile, and whatever crashes, finds the old file or the new one. It is UTF-8 without
    translated line ends; a lone surrogate, which UTF-8 does not have, is written as its escape (`\\ud800`), as JSON
    spells it. Raises DiskError.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:12]}{_SUFFIX}")
    with disk_trouble(path):
        try:
            with temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _sweep(path, now=temporary.stat().st_mtime)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)


@contextmanager
def disk_trouble(path: Path) -> Iterator[None]:
    """Turns what the system says about writing `path` into a DiskError with its remedy."""
    try:
        yield
    except OSError as error:
        raise DiskError(f"cannot write {path}: {error.strerror or error}", _remedy(error, path)) from error


def make_folder(folder: Path) -> None:
    """Makes `folder` and what is missing above it, durably. Raises DiskError."""
    with disk_trouble(folder):
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for each in missing:
            _sync_folder(each.parent)


def _remedy(error: OSError, path: Path) -> str:
    again = "then run 'reelrun index' again: it is made from the state, and nothing is lost"
    if error.errno in _FULL:
        return f"make room on the disk, {again}"
    if error.errno in _CLOSED:
        return f"make {path.parent} writable, {again}"
    return f"put that right, {again}"


def _sweep(path: Path, now: float) -> None:
    """Removes what crashed writers of `path` left; `now` is the time by the clock of the file system."""
    for leftover in path.parent.glob(f".{path.name}.*{_SUFFIX}"):
        # Another writer may be sweeping, too, and what cannot be removed does no harm.
        with suppress(OSError):
            if now - leftover.stat().st_mtime > _ABANDONED:
                leftover.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # EINVAL: this file system does not sync folders, as some on a network do not; the rename stands all the same.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)
