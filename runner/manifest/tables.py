"""Tables of pictures: CSV files with one row for each image."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.diagnostics.suggestions import closest
from runner.diagnostics.text import Text, file_error
from runner.diagnostics.words import is_namelike, joined, name
from runner.errors import Diagnostic, ManifestError, Position
from runner.model import Route

MAX_BYTES = 20 * 2**20
# RFC 4180, section 2: a cell is in quotes, with each quote inside doubled, or it has no quotes and no commas.
_CELL = re.compile(r'"(?:[^"]|"")*"|[^,\n]*')


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: the line that it begins in, and its cells by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the places in it. The route of a cell is the index of its row, then the name of its column.

    `rows` are the valid rows; `diagnostics` are about the others.
    """

    text: Text
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def file(self) -> str:
        return self.text.file

    def line(self, position: Position) -> str:
        return self.text.line(position)

    def position(self, route: Route, *, key: bool = False, offset: int = 0, length: int = 0) -> Position:
        """The place of a cell or a row; with `key`, of the column's name in the header."""
        index = route[0] if route and isinstance(route[0], int) and 0 <= route[0] < len(self.rows) else None
        column = next((step for step in reversed(route) if step in self.columns), None)
        line = 1 if index is None or (key and column) else self.rows[index].line
        return self._cell(line, None if column is None else self.columns.index(str(column)))

    def has(self, route: Route) -> bool:
        """Whether there is such a row or cell. The empty route is the whole table, which exists."""
        index, column = (*route, None, None)[:2]
        is_row = index is None or (isinstance(index, int) and 0 <= index < len(self.rows))
        return is_row and (column is None or column in self.columns) and len(route) <= 2

    def _cell(self, line: int, column: int | None) -> Position:
        start = index = self.text.starts[line - 1]
        for count in range(0 if column is None else column + 1):
            found = _CELL.match(self.text.text, index)
            end = found.end() if found else index
            if count == column:
                return self.text.at(index, end - index)
            index = end + 1
        return self.text.at(start, len(self.text.text))


def read_table(text: Text) -> Table:
    """Read a CSV file with a column `image`. Raises ManifestError (E409) if it is not CSV, or no rows can be read."""
    lines = list(_lines(text))
    if not lines:
        raise _refused(text, 1, "the table is empty", "its first line names the columns: image,id,...")
    columns = tuple(cell.strip() for cell in lines[0][1])
    _check_columns(text, columns)
    if not lines[1:]:
        raise _refused(text, 1, "the table has no rows", "add a line for each picture")
    complete = [(line, cells) for line, cells in lines[1:] if len(cells) == len(columns)]
    ragged = [_ragged(text, line, len(cells), len(columns)) for line, cells in lines[1:] if len(cells) != len(columns)]
    rows = tuple(Row(line, dict(zip(columns, cells, strict=True))) for line, cells in complete)
    return Table(text, columns, rows, tuple(diagnostic for error in ragged for diagnostic in error.diagnostics))


def is_table(text: str) -> bool:
    """Whether a file begins like a table of pictures. The lines of another file are not to be quoted."""
    return "image" in (cell.strip(' "') for cell in text.lstrip().partition("\n")[0].split(","))


def _lines(text: Text) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text.text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        hint = 'inside a quoted cell write "" for a quote, and close the cell with one'
        raise _refused(text, line, f"the row is not CSV: {error}", hint) from None


def _check_columns(text: Text, columns: Sequence[str]) -> None:
    twice = [column for column, count in Counter(columns).items() if count > 1 and column]
    if twice:
        what = f"the column {name(twice[0])}" if is_namelike(twice[0]) else "a column"
        raise _refused(text, 1, f"{what} is given twice", "rename or delete one of the two")
    if "image" not in columns:
        raise _refused(text, 1, "the table has no column image", _image_hint(columns))


def _image_hint(columns: Sequence[str]) -> str:
    for sign, word in ((";", "semicolons"), ("\t", "tabs")):
        if any(sign in column for column in columns):
            return f"its cells are separated by {word}; separate them by commas"
    found = closest("image", filter(None, columns))
    if found and is_namelike(found):
        return f"rename the column {name(found)} to image"
    names = list(filter(is_namelike, columns))
    return f"its columns are {joined(names, 'and')}" if names == list(columns) else "it looks like another file"


def _ragged(text: Text, line: int, cells: int, columns: int) -> ManifestError:
    message = f"the row has {cells} cell{'' if cells == 1 else 's'}, the header {columns}"
    return _refused(text, line, message, 'put a cell that holds a comma in quotes: "wet, dark rock"')


def _refused(text: Text, line: int, message: str, hint: str) -> ManifestError:
    start = text.starts[min(line, len(text.starts)) - 1]
    return file_error("E409", text, text.at(start, len(text.text)), message, hint)
