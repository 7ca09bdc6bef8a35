"""The text of a file, and the places in it."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from runner.errors import Diagnostic, ManifestError, Position, Severity
from runner.model import Route


def shown(path: Path) -> str:
    """The name of a file in messages: relative if it lies in the current folder, else absolute."""
    full = os.path.abspath(path)
    here = os.getcwd()
    return os.path.relpath(full, here) if os.path.commonpath([full, here]) == here else full


@dataclass(frozen=True)
class Text:
    """The text of a file, with `\\n` as the end of every line. `file` is its name in messages."""

    file: str
    text: str

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
        return self.text[start:] if end < 0 else self.text[start:end]

    def position(self, route: Route = (), *, key: bool = False, offset: int = 0, length: int = 0) -> Position:
        """Makes a text a SourceMap in which the whole text is one value."""
        return self.at(min(offset, len(self.text)), length or 1)

    def has(self, route: Route) -> bool:
        return not route


def file_error(code: str, text: Text, position: Position, message: str, hint: str = "") -> ManifestError:
    """The error that ends the reading of a file; it has one diagnostic."""
    line = text.line(position)
    return ManifestError([Diagnostic(code, Severity.ERROR, position, message, hint, line)])


def decode(data: bytes, file: str) -> Text:
    """The text of a file's bytes. Raises ManifestError with E104 if they are not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(data, error.start, file) from None
    return Text(file, text.replace("\r\n", "\n").replace("\r", "\n"))


def _not_utf8(data: bytes, start: int, file: str) -> ManifestError:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = Text(file, "")
        return file_error("E104", text, text.at(0), "the file is UTF-16, not UTF-8", "save it as UTF-8 in your editor")
    before = decode(data[:start], file).text
    # The text after the byte is decoded as well as possible, to show the whole line above the caret.
    text = Text(file, before + data[start : start + 200].decode("utf-8", "replace"))
    place = text.at(len(before))
    message = f"the byte 0x{data[start]:02x} is not UTF-8"
    return file_error("E104", text, place, message, "save the file as UTF-8 in your editor")
