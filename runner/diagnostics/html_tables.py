"""Small tables for notebooks. Whatever a prompt or a table holds, it is text there."""

from __future__ import annotations

import html
from collections.abc import Sequence

from runner.diagnostics.words import shortened
from runner.secret import without_key

_CAPTION = "margin:4px 0 6px;font-weight:600"
_CELL = "padding:2px 14px 2px 0;white-space:nowrap;border-bottom:1px solid rgba(128,128,128,.25)"
_MOST_ROWS = 20
_LONGEST = 80


def html_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of the first rows. Numbers stand on the right; long texts are cut."""
    head = "".join(_cell("th", name) for name in header)
    body = "".join(f"<tr>{''.join(_cell('td', each) for each in row)}</tr>" for row in rows[:_MOST_ROWS])
    more = f"<p>... and {len(rows) - _MOST_ROWS:,} more</p>" if len(rows) > _MOST_ROWS else ""
    top = f'<p style="{_CAPTION}">{_escaped(caption, 200)}</p>'
    table = f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return top + table + more


def _cell(tag: str, value: object) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    align = "right" if is_number else "left"
    return f'<{tag} style="text-align:{align};{_CELL}">{_escaped(_text(value), _LONGEST)}</{tag}>'


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else f"{value:,}" if type(value) is int else str(value)


def _escaped(text: str, limit: int) -> str:
    return html.escape(shortened(without_key(text), limit))
