"""Opens the files that a manifest names. They must be regular files in folders that are allowed."""

from __future__ import annotations

import errno
import os
import shlex
import stat
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from io import BufferedReader
from pathlib import Path

from runner.buckets.bucket_address import is_bucket_address
from runner.diagnostics.suggestions import nearby
from runner.diagnostics.text import Text, always, decode, file_error, shown
from runner.errors import Diagnostic, ManifestError, Severity, UsageError
from runner.secret import place_of_key

# Virtual file systems of the kernel. They hold environments of processes, with API keys in them, devices and pipes.
VIRTUAL = ("/proc", "/sys", "/dev")


class UnreadableError(Exception):
    """A text file cannot or must not be read. `message` continues a sentence that begins with the name of the file."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def folders_of(base: Path, allowed: Sequence[str | Path]) -> tuple[Path, ...]:
    """The resolved folders that text files may be read from: `base`, which is resolved already, then `allowed`.

    Raises UsageError if one of `allowed` is not a folder.
    """
    for each in allowed:
        if not Path(each).is_dir():
            raise UsageError(f"{each} cannot be allowed: there is no such folder", "--allow-outside takes a folder")
    return (base, *(Path(each).resolve() for each in allowed))


def read_below(
    path: Path, folders: Sequence[Path], written: str, limit: int, is_kind: Callable[[str], bool] | None = None
) -> Text:
    """Read a text file of at most `limit` bytes. With links followed, it must lie below one of the resolved `folders`.

    `written` is the path as the manifest or a template spells it. `is_kind` tells whether a text is what is looked for:
    the lines of another file are in no message. Raises UnreadableError with E101 (missing, unreadable
    or not a regular file) or E107 (outside the folders). Raises ManifestError with E104 or E105 at a place in the file.
    """
    data, target = bytes_below(path, folders, written, limit)
    text = decode(data, shown(path), is_kind or (lambda text: _is_shown(target, folders[0])))
    check_key(text)
    return text


def bytes_below(path: Path, folders: Sequence[Path], written: str, limit: int) -> tuple[bytes, Path]:
    """The bytes of a file as in `read_below`, and its path with links followed. Raises UnreadableError, and
    ManifestError with E105."""
    if is_bucket_address(written):
        hint = "pictures and tables may lie in buckets; keep this one with the manifest, under version control"
        raise UnreadableError("E412", "is a text in a bucket, and is not read from there", hint)
    try:
        target = Path(os.path.realpath(on_disk(path), strict=True))
        if not any(_is_below(target, folder) for folder in folders):
            raise _outside(target)
        return _content(target, shown(path), limit), target
    except FileNotFoundError:
        raise UnreadableError("E101", "does not exist", nearby(path, written)) from None
    except (OSError, ValueError) as error:
        hint = "it has to be a text file that you may read"
        raise UnreadableError("E101", f"cannot be read: {getattr(error, 'strerror', None) or error}", hint) from None


def read_text(path: Path, file: str, limit: int, is_shown: Callable[[str], bool] = always) -> Text:
    """Read a UTF-8 file. A byte-order mark is left out, and every line end becomes `\\n`.

    Raises OSError, and ManifestError with E104 (not UTF-8), E105 (more than `limit` bytes) or E108 (it holds the key).
    """
    text = decode(_content(path, file, limit), file, is_shown)
    check_key(text)
    return text


def _content(path: Path, file: str, limit: int) -> bytes:
    with open_regular(path) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        text = Text(file, "")
        message = f"the file is larger than {limit // 2**20} MB"
        raise file_error("E105", text, text.at(0), message, "split it into several; a file this large is rarely meant")
    return data


def check_key(text: Text) -> None:
    """Raise ManifestError if a file holds the key: what it says is planned, stored, shown and committed."""
    found = place_of_key(text.text)
    if found is not None:
        message, hint = "the key of the service (GMI_API_KEY) stands here", "take it out; it belongs in the environment"
        raise ManifestError([Diagnostic("E108", Severity.ERROR, text.at(*found), message, hint)])


def on_disk(path: Path) -> Path:
    """The path as the disk spells it. Two programs may write one name in different Unicode forms (NFC and NFD)."""
    if str(path).isascii() or os.path.lexists(path):
        return path
    found = Path(path.anchor)
    for name in path.relative_to(found).parts:
        found /= name if name.isascii() or os.path.lexists(found / name) else _as_spelled(found, name)
    return found


def _as_spelled(folder: Path, name: str) -> str:
    try:
        return _spellings(folder, folder.stat().st_mtime_ns).get(unicodedata.normalize("NFC", name), name)
    except (OSError, ValueError):
        return name


# Cached, because a table may name each of thousands of files in one folder.
@lru_cache(maxsize=8)
def _spellings(folder: Path, changed: int) -> Mapping[str, str]:
    """The names in a folder by their NFC forms. `changed` is the time of the folder's last change."""
    with os.scandir(folder) as entries:
        return {unicodedata.normalize("NFC", each.name): each.name for each in entries}


def open_media(path: Path) -> BufferedReader:
    """Open a picture. It may lie anywhere except below /proc, /sys and /dev. Raises OSError."""
    target = Path(os.path.realpath(path, strict=True))
    tree = _virtual(target)
    if tree is not None:
        raise OSError(errno.EACCES, f"nothing below {tree} is read")
    return open_regular(target)


def open_regular(path: Path) -> BufferedReader:
    """Open a file. Raises OSError if it is not a regular file, and never waits for the other end of a pipe."""
    stream = open(path, "rb", opener=_open)  # noqa: SIM115  # the caller closes it
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise OSError(errno.EINVAL, "it is not a regular file")


def _open(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _virtual(path: Path) -> Path | None:
    return next((Path(each) for each in VIRTUAL if path.is_relative_to(each)), None)


def _is_below(path: Path, folder: Path) -> bool:
    # --allow-outside / does not allow /proc, /sys and /dev; only a folder inside one of them does.
    return path.is_relative_to(folder) and _virtual(path) == _virtual(folder)


def _is_shown(target: Path, folder: Path) -> bool:
    """Whether messages may quote a file: one outside the manifest's folder, or a hidden one, may hold secrets."""
    return target.is_relative_to(folder) and not any(each.startswith(".") for each in target.relative_to(folder).parts)


def _outside(target: Path) -> UnreadableError:
    allow = "" if _virtual(target) else f", or allow its folder: --allow-outside {shlex.quote(shown(target.parent))}"
    return UnreadableError("E107", f"lies outside the manifest's folder: {shown(target)}", f"copy it there{allow}")
