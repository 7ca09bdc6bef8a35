"""Files that are whole or not there: text goes to a temporary file beside its place, which is then renamed into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from runner.state.disk import disk_errors, sync_folder

_SUFFIX = ".part"
# No writer is at work for this long, in seconds: an older temporary file was left by one that crashed.
_ABANDONED = 3600.0


def index_path(output_dir: Path) -> Path:
    """Where the index of an output folder is, or will be."""
    return output_dir / "index.json"


def writing(path: Path) -> AbstractContextManager[None]:
    """Turns what the system says about writing `path` into a DiskError with its remedy."""
    return disk_errors(f"write {path}", "run 'reelrun index', which makes it anew from the state")


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes the place of `path` when the block ends, and is thrown away when the block fails.

    Whoever reads `path` meanwhile, and whatever crashes, finds the old file or the new one. It is UTF-8 without
    translated line ends; a lone surrogate, which UTF-8 does not have, is written as its escape (`\\ud800`), as JSON
    spells it. Raises DiskError.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:12]}{_SUFFIX}")
    with writing(path):
        try:
            with temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _sweep(path, now=temporary.stat().st_mtime)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def _sweep(path: Path, now: float) -> None:
    """Removes what crashed writers of `path` left; `now` is the time by the clock of the file system."""
    for leftover in path.parent.glob(f".{path.name}.*{_SUFFIX}"):
        # Another writer may be sweeping, too, and what cannot be removed does no harm.
        with suppress(OSError):
            if now - leftover.stat().st_mtime > _ABANDONED:
                leftover.unlink()
