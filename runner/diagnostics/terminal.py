"""What is shown on a terminal: the one way of every line to it, whoever wrote what is in the line."""

from __future__ import annotations

import json
import os
import re
import textwrap

from runner.diagnostics.words import escaped
from runner.secret import cleaned, without_key

# Stands for the beginning of a colour code until a line goes out. Nobody else can write it: each process has another.
_MARK = os.urandom(16).hex()
# Control characters of both sets, those that change the direction of text or end a line, notes between lines, tags,
# and halves of surrogate pairs.
_UNSAFE = re.compile(
    "[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_UNSAFE_IN_JSON = re.compile(_UNSAFE.pattern.replace("\0-\x1f", ""))
_COMMANDS = ("reelrun ", "pip install ", "export ", "iconv ")
# What a workflow of GitHub takes for a command when it is on a line of the log.
_COMMAND = re.compile(r"^(\s*:)(?=:)|##(?=\[)")


def painted(text: str, colour: str) -> str:
    """A part of a line in a colour, such as `1;31`."""
    return f"{_MARK}{colour}m{text}{_MARK}0m" if text else text


def safe(line: str, *, is_command: bool = False) -> str:
    """A line as it may go out: without the key, with our own colours, and with everything else escaped that a terminal
    would obey. So is a line end, which would make lines that nobody wrote. `is_command`: it is meant for GitHub."""
    shown = _UNSAFE.sub(lambda found: escaped(found.group()), without_key(line))
    if not is_command:
        shown = _COMMAND.sub(lambda found: f"{found.group()}\\", shown)
    return shown.replace(_MARK, "\x1b[")


def wrapped(line: str, width: int | None, indent: int) -> list[str]:
    """A line of prose, broken at words where it is wider than so many columns. What follows is indented.

    A line with a command stays whole: the terminal breaks it, too, and only so can it be copied.
    """
    if width is None or len(line) <= width or any(each in line for each in _COMMANDS):
        return [line]
    return textwrap.wrap(
        line, max(width, 2 * indent), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def safe_json(document: object, *, ascii_only: bool = False) -> str:
    """A document as JSON text that may go out, without the key. It is the same document to whoever parses it."""
    text = json.dumps(cleaned(document), ensure_ascii=ascii_only, indent=2)
    return _UNSAFE_IN_JSON.sub(lambda found: json.dumps(found.group())[1:-1], text)
