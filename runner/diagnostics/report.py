"""A diagnostic as text: the place and the message, the line with a caret, and the hint."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from runner.diagnostics.terminal import wrapped
from runner.diagnostics.words import printable
from runner.errors import Diagnostic, Severity

_WIDTH = 100
# Of the number of the line and the bar behind it.
_GUTTER = 10
_TAB = "    "
_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33"}


Paint = Callable[[str, str], str]


def text(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """The lines of a diagnostic, without a line end after the last one."""
    return "\n".join(lines_of(diagnostic, _coloured if colour else plain))


def plain(words: str, colour: str) -> str:
    return words


def _coloured(words: str, colour: str) -> str:
    return f"\x1b[{colour}m{words}\x1b[0m"


def lines_of(diagnostic: Diagnostic, paint: Paint, columns: int | None = None) -> list[str]:
    """The lines of a diagnostic, in so many columns. `paint` gets some words, and the number of their colour."""
    place, hue = diagnostic.position, _COLOURS[diagnostic.severity]
    severity = f"{diagnostic.severity}[{diagnostic.code}]"
    first = f"{printable(place.file)}:{place.line}:{place.column}: {severity}: {printable(diagnostic.message)}"
    lines = [line.replace(severity, paint(severity, hue), 1) for line in wrapped(first, columns, 4)]
    if diagnostic.source.strip():
        before, marked, after = _window(diagnostic, min(_WIDTH, columns - _GUTTER) if columns else _WIDTH)
        number = f"{place.line:>5}"
        indent, caret = " " * _columns(before), "^" * max(1, _columns(marked))
        lines.append(f"{number} | {before}{marked}{after}")
        lines.append(f"{'':>5} | {indent}{paint(caret, hue)}")
    if diagnostic.hint:
        lines += wrapped(f"   help: {printable(diagnostic.hint)}", columns, 9)
    return lines


def _window(diagnostic: Diagnostic, width: int) -> tuple[str, str, str]:
    """The parts of the line before, above and after the caret. A long line is cut to the part around the caret."""
    line, start = diagnostic.source, diagnostic.position.column - 1
    length = min(diagnostic.position.length, width)
    first = max(0, start - max(20, width - length - 20)) if len(line) > width and start + length > width else 0
    last = max(first + width, start + length)
    before = ("…" if first else "") + _plain(line[first:start])
    after = _plain(line[start + length : last]) + ("…" if len(line) > last else "")
    return before, _plain(line[start : start + length]), after


def _plain(part: str) -> str:
    return printable(part.replace("\t", _TAB))


def _columns(part: str) -> int:
    """The width on a terminal: East Asian wide characters take two columns, combining ones none."""
    return sum(_column(each) for each in part)


def _column(character: str) -> int:
    # By category: vowel signs of Thai and Hindi take no column either, although their combining class is mostly 0.
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
