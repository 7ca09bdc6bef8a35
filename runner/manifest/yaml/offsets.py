"""Finds the place in the source text of a character in a YAML scalar's value."""

from __future__ import annotations

import re
from collections.abc import Iterator

# In every style of scalar, folding, chomping and indentation change white space only. So the n-th character of a value
# that is not white space is the n-th token of its source text that is not white space. Only those have to be counted.
_TOKENS = {
    "'": re.compile(r"''|[\s\S]"),
    '"': re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\n[ \t]*|[\s\S])|[\s\S]"),
}
_CHARACTER = re.compile(r"[\s\S]")
_WHITE_ESCAPES = frozenset("tnvfrNLP_ \t\n")
# An anchor and a tag, before the text itself.
_PROPERTIES = re.compile(r"(?:[&!][^\s]*\s+)*")


def index_of(raw: str, style: str | None, value: str, offset: int) -> int:
    """The index in `raw`, the source text of a scalar, of the character at `offset` of its `value`."""
    offset = min(max(offset, 0), len(value))
    before = value[:offset]
    count = sum(not character.isspace() for character in before)
    is_text = offset < len(value) and not value[offset].isspace()
    end = _body_start(raw, style)
    for start, stop in _tokens(raw, style, end):
        if count == 0 and is_text:
            return start
        if count == 0:
            break
        count -= 1
        end = stop
    return _after(raw, end, len(before) - len(before.rstrip()))


def _after(raw: str, end: int, spaces: int) -> int:
    """The place `spaces` characters after `end`, or the end of that line."""
    newline = raw.find("\n", end)
    return min(end + spaces, len(raw) if newline < 0 else newline)


def _body_start(raw: str, style: str | None) -> int:
    properties = _PROPERTIES.match(raw)
    start = properties.end() if properties else 0
    if style in ("|", ">"):
        newline = raw.find("\n", start)
        return len(raw) if newline < 0 else newline + 1
    return start + 1 if style in ("'", '"') else start


def _tokens(raw: str, style: str | None, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of each token of `raw` that does not stand for white space."""
    for found in _TOKENS.get(style or "", _CHARACTER).finditer(raw, start):
        if not _is_white(found.group()):
            yield found.span()


def _is_white(token: str) -> bool:
    if len(token) > 1 and token[0] == "\\":
        return token[1] in _WHITE_ESCAPES or (
            token[1] in "xuU" and len(token) > 2 and chr(int(token[2:], 16)).isspace()
        )
    return token.isspace()
