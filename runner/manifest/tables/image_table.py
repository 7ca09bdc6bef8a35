"""Tables of pictures, whatever file they come from: columns, one of them `image`, and one row for each picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from runner.diagnostics.suggestions import closest
from runner.diagnostics.text import Text, file_error
from runner.diagnostics.words import is_namelike, joined, name
from runner.errors import Diagnostic, ManifestError, Position, Severity
from runner.model import Json, Route

# Finds a cell: from the text, the index where its row begins, and the number and name of its column, its index and
# length.
FindCell: TypeAlias = Callable[[str, int, int, str], tuple[int, int]]
# These are trimmed, so that blanks around them do no harm.
_TRIMMED = ("image", "id")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: the line that it begins in, and its cells by column."""

    line: int
    cells: Mapping[str, Json]

    def text(self, column: str) -> str:
        """A cell as text, without blanks around it; empty if there is none."""
        value = self.cells.get(column, "")
        return str(value).strip()


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the places in it. The route of a cell is the index of its row, then the name of its column.

    `rows` are the valid rows; `diagnostics` are about the others. `header` is the line that names the columns.
    """

    text: Text
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    find: FindCell = field(repr=False, compare=False)
    header: int = 1
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def file(self) -> str:
        return self.text.file

    def line(self, position: Position) -> str:
        return self.text.line(position)

    def position(self, route: Route, *, key: bool = False, offset: int = 0, length: int = 0) -> Position:
        """The place of a cell or a row; with `key`, of the column's name in the header."""
        index = route[0] if route and isinstance(route[0], int) and 0 <= route[0] < len(self.rows) else None
        column = next((str(step) for step in reversed(route) if step in self.columns), None)
        line = self.header if index is None or (key and column) else self.rows[index].line
        return self._cell(line, column)

    def has(self, route: Route) -> bool:
        """Whether there is such a row or cell. The empty route is the whole table, which exists."""
        index, column = (*route, None, None)[:2]
        is_row = index is None or (isinstance(index, int) and 0 <= index < len(self.rows))
        return is_row and (column is None or column in self.columns) and len(route) <= 2

    def checked(self) -> Table:
        """The table with a warning for each column in which blanks surround a cell (W411)."""
        return replace(self, diagnostics=(*self.diagnostics, *self._warnings_of_blanks()))

    def _cell(self, line: int, column: str | None) -> Position:
        start, width = self.text.starts[line - 1], len(self.text.text)
        if column is not None:
            start, width = self.find(self.text.text, start, self.columns.index(column), column)
        return self.text.at(start, width)

    def _warnings_of_blanks(self) -> Iterator[Diagnostic]:
        for column in self.columns:
            padded = [row for row in self.rows if column not in _TRIMMED and _is_padded(row.cells[column])]
            if padded:
                place = self._cell(padded[0].line, column)
                more = f", and {len(padded) - 1:,} more of its column" if len(padded) > 1 else ""
                message = f"the cell of the column {name(column)} begins or ends with blanks{more}"
                hint = "delete them: they are sent as they are; in a template | trim takes them off"
                yield Diagnostic("W411", Severity.WARNING, place, message, hint, self.line(place))


def _is_padded(value: Json) -> bool:
    return isinstance(value, str) and value != value.strip()


def check_columns(text: Text, columns: Sequence[str], line: int = 1) -> None:
    """Raise ManifestError (E409) if a column has no name of its own, or none is named image."""
    twice = [column for column, count in Counter(columns).items() if count > 1 and column]
    if twice:
        what = f"the column {name(twice[0])}" if is_namelike(twice[0]) else "a column"
        raise refused(text, line, f"{what} is given twice", "rename or delete one of the two")
    if "image" not in columns:
        raise refused(text, line, "the table has no column image", _image_hint(columns))


def _image_hint(columns: Sequence[str]) -> str:
    found = closest("image", filter(None, columns))
    if found and is_namelike(found):
        return f"rename the column {name(found)} to image"
    names = list(filter(is_namelike, columns))
    return f"its columns are {joined(names, 'and')}" if names == list(columns) else "it looks like another file"


def used_width(header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """How many columns a table has. Spreadsheets add some at the end that are empty, and have no name."""
    named = max((index for index, cell in enumerate(header, 1) if cell), default=1)
    return len(header) if any(any(cells[named : len(header)]) for cells in rows) else named


def within(cells: Sequence[str], width: int) -> Sequence[str]:
    """The cells of a row without empty ones beyond the columns of the table."""
    return cells if any(cells[width:]) else cells[:width]


def refused(text: Text, line: int, message: str, hint: str, code: str = "E409") -> ManifestError:
    """The error of a line of a table."""
    start = text.starts[min(line, len(text.starts)) - 1]
    return file_error(code, text, text.at(start, len(text.text)), message, hint)
