"""The files that a manifest names: where they may lie, and that they are regular ones."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path

from runner.diagnostics.suggestions import nearby
from runner.diagnostics.text import Text, decode, file_error, shown
from runner.errors import UsageError

# What the system shows of itself as files: environments with keys in them, devices, pipes.
_SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev")))


class UnreadableError(Exception):
    """A text that a manifest names and that is not read. `message` goes on after the name of the file."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def folders_of(base: Path, allowed: Sequence[str | Path]) -> tuple[Path, ...]:
    """The folders that the texts of a manifest may lie in, resolved: its own one first. Raises UsageError."""
    for each in allowed:
        if not Path(each).is_dir():
            raise UsageError(f"{each} cannot be allowed: there is no such folder", "--allow-outside takes a folder")
    return (base, *(Path(each).resolve() for each in allowed))


def read_below(path: Path, folders: Sequence[Path], written: str, limit: int) -> Text:
    """Read a text of at most `limit` bytes that lies, once links are followed, below one of the resolved `folders`.

    `written` is the path as the manifest, or a template, has it. Raises UnreadableError with E101 (missing, no regular
    file) or E107 (elsewhere), and ManifestError with E104 or E105 at a place in the file.
    """
    try:
        target = Path(os.path.realpath(path, strict=True))
        if not any(_is_below(target, folder) for folder in folders):
            raise _outside(target)
        return read_text(target, shown(path), limit)
    except FileNotFoundError:
        raise UnreadableError("E101", "does not exist", nearby(path, written)) from None
    except (OSError, ValueError) as error:
        hint = "it has to be a text file that you may read"
        raise UnreadableError("E101", f"cannot be read: {getattr(error, 'strerror', None) or error}", hint) from None


def read_text(path: Path, file: str, limit: int) -> Text:
    """Read a UTF-8 file. A byte-order mark is left out, and every end of line becomes `\\n`.

    Raises OSError, and ManifestError with E104 (not UTF-8) or E105 (more than `limit` bytes).
    """
    with open_regular(path) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        text = Text(file, "")
        message = f"the file is larger than {limit // 2**20} MB"
        raise file_error("E105", text, text.at(0), message, "split it into several; a file this large is rarely meant")
    return decode(data, file)


def open_media(path: Path) -> BufferedReader:
    """Open a picture, which may lie anywhere but where the system shows itself. Raises OSError."""
    target = Path(os.path.realpath(path, strict=True))
    tree = _tree(target)
    if tree is not None:
        raise OSError(errno.EACCES, f"nothing below {tree} is read")
    return open_regular(target)


def open_regular(path: Path) -> BufferedReader:
    """Open a file, without waiting for the other end of a pipe. Raises OSError for what is no regular file."""
    stream = open(path, "rb", opener=_open)  # noqa: SIM115  # the caller closes it
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise OSError(errno.EINVAL, "it is not a regular file")


def _open(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _tree(path: Path) -> Path | None:
    return next((each for each in _SYSTEM if path.is_relative_to(each)), None)


def _is_below(path: Path, folder: Path) -> bool:
    # Allowing / does not allow what the system shows of itself.
    return path.is_relative_to(folder) and _tree(path) == _tree(folder)


def _outside(target: Path) -> UnreadableError:
    allow = f", or allow its folder: --allow-outside {shlex.quote(shown(target.parent))}" if not _tree(target) else ""
    return UnreadableError("E107", f"lies outside the manifest's folder: {shown(target)}", f"copy it there{allow}")
