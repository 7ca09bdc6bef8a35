"""Files that are written completely or not at all: text goes to a temporary file, which is renamed when complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from runner.secret import refuse_key
from runner.state.disk import disk_errors, sync_folder

_SUFFIX = ".part"
# For what is derived from the state.
ANEW = "run 'reelrun index', which makes it anew from the state"
# No writer works for this long, in seconds. An older temporary file was left by a writer that crashed.
_ABANDONED = 3600.0


def index_path(output_dir: Path) -> Path:
    """The path of the index in an output folder, whether it exists or not."""
    return output_dir / "index.json"


def writing(path: Path, remedy: str = "run the same command again") -> AbstractContextManager[None]:
    """Turns a system error while `path` is written into a DiskError with a remedy."""
    return disk_errors(f"write {path}", remedy)


class _Guarded(TextIOWrapper):
    """A text file `what` that takes no text with the key in it."""

    what = ""

    def write(self, text: str, /) -> int:
        refuse_key((text,), self.what)
        return super().write(text)


@contextmanager
def replacing(path: Path, remedy: str = "run the same command again") -> Iterator[TextIO]:
    """A text file that replaces `path` when the block ends, and is deleted if the block fails.

    A reader always finds the complete old file or the complete new one, even after a crash. The file is UTF-8, and line
    ends are not translated. A lone surrogate, which UTF-8 does not have, is written as its escape (`\\ud800`), as in
    JSON. Raises DiskError.
    """
    temporary = temporary_of(path)
    with writing(path, remedy):
        try:
            with _Guarded(temporary.open("xb"), encoding="utf-8", errors="backslashreplace", newline="") as file:
                file.what = path.name
                yield file
                file.flush()
                os.fsync(file.fileno())
            sweep(path, now=temporary.stat().st_mtime)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def temporary_of(path: Path) -> Path:
    """A path beside that of a file, for it to be written completely."""
    return path.with_name(f".{path.name}.{uuid4().hex[:12]}{_SUFFIX}")


def sweep(path: Path, now: float) -> None:
    """Removes what crashed writers of `path` left. `now` is the time by the clock of the file system."""
    for leftover in path.parent.glob(f".{path.name}.*{_SUFFIX}"):
        # Another writer may sweep at the same time, and a file that cannot be removed does no harm.
        with suppress(OSError):
            if now - leftover.stat().st_mtime > _ABANDONED:
                leftover.unlink()
