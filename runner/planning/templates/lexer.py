"""Reads the text of a template, and tells the place of every part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError
from jinja2.lexer import Lexer

_NEWLINE = re.compile(r"\r\n?")
_END = re.compile(r"[}%]}")
_LEXICAL = re.compile(r" at \d+$")


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a template's text, from `start`; `kind` is Jinja's name for it."""

    start: int
    kind: str
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class OffsetLexer(Lexer):
    """Gives offsets where Jinja has line numbers: then every node, error and line of compiled code carries one.

    They count characters of the text with its newlines as `\\n` (see `as_written`).
    """

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        cursor = start = 0
        kind = ""
        try:
            for _, kind, text in super().tokeniter(source, name, filename, state):
                # Only white space that was trimmed can stand between the cursor and the next token.
                start = source.index(text, cursor)
                cursor = start + len(text)
                yield start, kind, text
        except TemplateSyntaxError as error:
            message = _LEXICAL.sub("", error.message or "")
            # What begins a comment is read, and the fault is that nothing ends it.
            offset = start if kind in ("comment_begin", "raw_begin") else cursor
            raise TemplateSyntaxError(message, offset, name, filename) from None


def tokens(lexer: Lexer, text: str) -> list[Token]:
    """All tokens of the text, up to the first that cannot be read."""
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
    """The offset into `text` of what stands at `offset` of `with_newlines(text)`."""
    for found in re.finditer("\r\n", text):
        if found.start() >= offset:
            break
        offset += 1
    return offset


def spans(parts: Iterable[Token]) -> list[tuple[int, int]]:
    """From where to where the content of each `{{ }}` and `{% %}` goes, without the white space around it."""
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
    """The first `}}` or `%}` in plain text, where something ends that nothing began."""
    kind = ""
    for part in parts:
        kind = "raw" if part.kind == "raw_begin" else "" if part.kind == "raw_end" else kind
        found = _END.search(part.text) if part.kind == "data" and not kind else None
        if found is not None:
            return Token(part.start + found.start(), "data", found.group())
    return None
