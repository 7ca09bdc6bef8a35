"""Splits the text of a template into tokens, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError
from jinja2.lexer import Lexer

_NEWLINE = re.compile(r"\r\n?")
_END = re.compile(r"[}%]}")
_LINE_NUMBER = re.compile(r" at \d+$")


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a template's text. It begins at the offset `start`; `kind` is Jinja's name for its kind."""

    start: int
    kind: str
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class OffsetLexer(Lexer):
    """Gives offsets in place of Jinja's line numbers. Then every node, error and line of compiled code has an offset.

    Offsets count characters of the text whose newlines are all `\\n` (see `as_written`).
    """

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        cursor = start = 0
        kind = ""
        try:
            for _, kind, text in super().tokeniter(source, name, filename, state):
                # Only trimmed white space can be between the cursor and the next token.
                start = source.index(text, cursor)
                cursor = start + len(text)
                yield start, kind, text
        except TemplateSyntaxError as error:
            message = _LINE_NUMBER.sub("", error.message or "")
            # If a comment or raw block has no end, the error is at its beginning, which was read before.
            offset = start if kind in ("comment_begin", "raw_begin") else cursor
            raise TemplateSyntaxError(message, offset, name, filename) from None


def tokens(lexer: Lexer, text: str) -> list[Token]:
    """All tokens of the text, up to the first one that cannot be read."""
    found = []
    try:
        for start, kind, part in lexer.tokeniter(text, None):
            found.append(Token(start, kind, part))
    except TemplateSyntaxError:
        pass
    return found


def with_newlines(text: str) -> str:
    """The text as Jinja reads it: every newline is `\\n`."""
    return _NEWLINE.sub("\n", text)


def as_written(text: str, offset: int) -> int:
    """Convert an offset in `with_newlines(text)` to the offset of the same character in `text`."""
    for found in re.finditer("\r\n", text):
        if found.start() >= offset:
            break
        offset += 1
    return offset


def spans(parts: Iterable[Token]) -> list[tuple[int, int]]:
    """The start and end of the content of each `{{ }}` and `{% %}`, without the white space around it."""
    found = []
    inside: list[Token] | None = None
    for part in parts:
        if part.kind in ("variable_begin", "block_begin"):
            inside = []
        elif part.kind in ("variable_end", "block_end"):
            if inside:
                found.append((inside[0].start, inside[-1].end))
            inside = None
        elif inside is not None and part.kind != "whitespace":
            inside.append(part)
    return found


def stray_end(parts: Iterable[Token]) -> Token | None:
    """The first `}}` or `%}` in plain text: it closes something that was not opened."""
    kind = ""
    for part in parts:
        kind = "raw" if part.kind == "raw_begin" else "" if part.kind == "raw_end" else kind
        found = _END.search(part.text) if part.kind == "data" and not kind else None
        if found is not None:
            return Token(part.start + found.start(), "data", found.group())
    return None
