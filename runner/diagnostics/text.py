"""The text of a file, and the places in it."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from runner.errors import Diagnostic, ManifestError, Position, Severity
from runner.model import Route


def shown(path: Path) -> str:
    """The name of a file in messages: relative if it lies in the current folder, else absolute."""
    try:
        full, here = os.path.abspath(path), os.getcwd()
    except FileNotFoundError:
        # The current folder was deleted.
        return str(path)
    return os.path.relpath(full, here) if os.path.commonpath([full, here]) == here else full


@dataclass(frozen=True)
class Text:
    """The text of a file, with `\\n` as the end of every line. `file` is its name in messages.

    Where it is not `is_shown`, it may be another file than was meant, and only lines with a template are in messages.
    """

    file: str
    text: str
    is_shown: bool = True

    @cached_property
    def starts(self) -> list[int]:
        """The index of the first character of each line."""
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def at(self, index: int, length: int = 1) -> Position:
        """The place of the character at `index`. `length` is cut at the end of the line, and is at least 1."""
        line = bisect_right(self.starts, index)
        start = self.starts[line - 1]
        end = self.text.find("\n", index)
        room = (len(self.text) if end < 0 else end) - index
        return Position(self.file, line, index - start + 1, max(1, min(length, room)))

    def line(self, position: Position) -> str:
        if not 0 < position.line <= len(self.starts):
            return ""
        start = self.starts[position.line - 1]
        end = self.text.find("\n", start)
        line = self.text[start:] if end < 0 else self.text[start:end]
        return line if self.is_shown or "{{" in line or "{%" in line else ""

    def position(self, route: Route = (), *, key: bool = False, offset: int = 0, length: int = 0) -> Position:
        """Makes a text a SourceMap in which the whole text is one value."""
        return self.at(min(offset, len(self.text)), length or 1)

    def has(self, route: Route) -> bool:
        return not route


def file_error(code: str, text: Text, position: Position, message: str, hint: str = "") -> ManifestError:
    """The error that ends the reading of a file; it has one diagnostic."""
    line = text.line(position)
    return ManifestError([Diagnostic(code, Severity.ERROR, position, message, hint, line)])


def always(text: str) -> bool:
    """Lines of any file may be shown."""
    return True


def decode(
    data: bytes,
    file: str,
    is_shown: Callable[[str], bool] = always,
    hint: str = "save the file as UTF-8 in your editor",
) -> Text:
    """The text of a file's bytes. Raises ManifestError with E104 and `hint` if they are not UTF-8.

    `is_shown` tells from the text whether its lines may be in messages.
    """
    try:
        return with_lines(data.decode("utf-8-sig"), file, is_shown)
    except UnicodeDecodeError as error:
        raise _not_utf8(data, error.start, file, is_shown, hint) from None


def with_lines(text: str, file: str, is_shown: Callable[[str], bool] = always) -> Text:
    """A text whose lines may end as on any system."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Text(file, text, is_shown(text))


def _not_utf8(data: bytes, start: int, file: str, is_shown: Callable[[str], bool], hint: str) -> ManifestError:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = Text(file, "")
        return file_error("E104", text, text.at(0), "the file is UTF-16, not UTF-8", "save it as UTF-8 in your editor")
    before = decode(data[:start], file).text
    # The text after the byte is decoded as well as possible, to show the whole line above the caret.
    text = Text(file, before + data[start : start + 200].decode("utf-8", "replace"))
    text = replace(text, is_shown=is_shown(data.decode("utf-8", "replace")))
    place = text.at(len(before))
    message = f"the byte 0x{data[start]:02x} is not UTF-8"
    return file_error("E104", text, place, message, hint)
