"""The previews of clips on the disk: sprites and small copies, named by the hash of the clip, safe to delete."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from uuid import uuid4

from runner.state.disk import create_folders, inside
from runner.video.measures import ViewOrder

FOLDER = "previews"
SPRITE, SMALL = ".webp", ".mp4"
_PART = ".part"
_OURS = re.compile(r"[0-9a-f]{64}\.(?:webp|mp4)|\.[0-9a-f]{64}\.[0-9a-f]{12}\.(?:webp|mp4)\.part")
# No clip is looked at for so long, in seconds: an older temporary file was left by a process that was killed.
_ABANDONED = 3600.0


class PreviewFiles:
    """The previews of one clip, below an output folder. Nothing has its name there before it is complete.

    They are as old as the clip (`came_at`; None: new), whenever they are made.
    """

    def __init__(self, output_dir: Path, sha256: str, came_at: float | None = None) -> None:
        self._output_dir = output_dir
        self._sha256 = sha256
        self._came_at = came_at
        self._parts: list[Path] = []

    @classmethod
    def of(cls, order: ViewOrder) -> PreviewFiles | None:
        return None if order.output_dir is None else cls(order.output_dir, order.sha256, order.came_at)

    def part(self, suffix: str) -> Path:
        """A new temporary file, which gets its name with `finish`. Raises OSError and DiskError."""
        path = inside(self._output_dir, f"{FOLDER}/.{self._sha256}.{uuid4().hex[:12]}{suffix}{_PART}")
        create_folders(path.parent)
        path.open("xb").close()
        self._parts.append(path)
        return path

    def finish(self, part: Path, suffix: str) -> None:
        """Give a temporary file its name. Raises OSError."""
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(self._path(suffix))
        self._parts.remove(part)
        # Only now: as a temporary file it would seem to be left by a process that was killed. It may be gone again.
        if self._came_at is not None:
            with contextlib.suppress(FileNotFoundError):
                os.utime(self._path(suffix), (self._came_at, self._came_at))

    def discard(self) -> None:
        """Delete what was not finished."""
        while self._parts:
            with contextlib.suppress(OSError):
                self._parts.pop().unlink(missing_ok=True)

    def _path(self, suffix: str) -> Path:
        return self._output_dir / FOLDER / f"{self._sha256}{suffix}"


def names_in(output_dir: Path) -> frozenset[str]:
    """The names of the previews that are there."""
    return frozenset(entry.name for entry in _entries(output_dir) if not entry.name.endswith(_PART))


def has_all(names: Collection[str], sha256: str) -> bool:
    """Whether all previews of a clip are among the names."""
    return all(f"{sha256}{suffix}" in names for suffix in (SPRITE, SMALL))


def are_there(sha256: str, output_dir: Path) -> bool:
    """Whether a clip has all of its previews."""
    folder = output_dir / FOLDER
    try:
        return not folder.is_symlink() and all((folder / f"{sha256}{suffix}").is_file() for suffix in (SPRITE, SMALL))
    except OSError:
        return False


def bytes_in(output_dir: Path) -> int:
    """What the previews take on the disk."""
    total = 0
    for entry in _entries(output_dir):
        with contextlib.suppress(OSError):
            total += entry.stat(follow_symlinks=False).st_size
    return total


def keep_within(output_dir: Path, most_bytes: int) -> None:
    """Delete the oldest previews until the rest has no more than so many bytes, and what killed processes left.

    What somebody else put into the folder is neither counted nor deleted.
    """
    kept: list[tuple[float, int, str]] = []
    for entry in _entries(output_dir):
        with contextlib.suppress(OSError):
            found = entry.stat(follow_symlinks=False)
            kept.append((found.st_mtime, found.st_size, entry.path))
    now, total = max((each[0] for each in kept), default=0.0), sum(each[1] for each in kept)
    for written, size, path in sorted(kept):
        is_left = path.endswith(_PART) and now - written > _ABANDONED
        if is_left or (total > most_bytes and not path.endswith(_PART)):
            total -= size
            with contextlib.suppress(OSError):
                os.unlink(path)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    return bool(_OURS.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False)


def _entries(output_dir: Path) -> Iterator[os.DirEntry[str]]:
    """Our files in the folder; nothing if there is none, or if it is a link to elsewhere."""
    folder = output_dir / FOLDER
    with contextlib.suppress(OSError):
        if not folder.is_symlink():
            with os.scandir(folder) as entries:
                yield from filter(_is_ours, entries)
