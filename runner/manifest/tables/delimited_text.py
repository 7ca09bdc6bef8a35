"""Tables as text with a sign between the cells: CSV, as spreadsheets and programs write it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from runner.diagnostics.text import Text
from runner.diagnostics.words import joined, name
from runner.errors import ManifestError
from runner.manifest.tables.image_table import (
    FindCell,
    Row,
    Table,
    check_columns,
    refused,
    used_width,
    within,
)

_SIGNS = {",": "comma", ";": "semicolon", "\t": "tab"}
# Excel writes this line before the header, and reads it.
_SEP = re.compile(r'"?sep=(?P<sign>[^\n"])"?\n?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Line:
    """A row that is not blank, and the line that it begins in."""

    number: int
    cells: Sequence[str]


def read_delimited(text: Text) -> Table:
    """Read a table with a column `image`. Raises ManifestError (E409) if it is not CSV, or no rows can be read."""
    sign, skipped = _sign(text.text)
    lines = [each for each in _lines(text, sign) if each.number > skipped]
    if not lines:
        raise refused(text, 1, "the table is empty", "its first line names the columns: image,id,...")
    header, rows = lines[0], lines[1:]
    names = [cell.strip() for cell in header.cells]
    columns = tuple(names[: used_width(names, (each.cells for each in rows))])
    check_columns(text, columns, header.number)
    if not rows:
        raise refused(text, header.number, "the table has no rows", "add a line for each picture")
    whole, errors = [], []
    for each in rows:
        cells = within(each.cells, len(columns))
        if len(cells) == len(columns):
            whole.append(Row(each.number, dict(zip(columns, cells, strict=True))))
        else:
            errors.append(_ragged(text, each.number, cells, columns, sign))
    diagnostics = tuple(diagnostic for error in errors for diagnostic in error.diagnostics)
    return Table(text, columns, tuple(whole), finder(sign), header.number, diagnostics)


def is_delimited(text: str) -> bool:
    """Whether a file begins like such a table. The lines of another file are not to be quoted."""
    found = _SEP.match(text)
    first = text[found.end() if found else 0 :].lstrip().partition("\n")[0]
    signs = [found["sign"]] if found else list(_SIGNS)
    return any("image" in (cell.strip(' "') for cell in first.split(sign)) for sign in signs)


def finder(sign: str) -> FindCell:
    """Finds cells between signs. RFC 4180, section 2: a cell is in quotes, with each quote inside doubled, or it has
    none, and no sign."""
    return partial(_find, re.compile(rf'"(?:[^"]|"")*"|[^{re.escape(sign)}\n]*'))


def _find(cell: re.Pattern[str], text: str, index: int, column: int, name: str) -> tuple[int, int]:
    for _ in range(column):
        found = cell.match(text, index)
        index = (found.end() if found else index) + 1
    found = cell.match(text, index)
    return index, (found.end() if found else index) - index


def _sign(text: str) -> tuple[str, int]:
    """The sign between the cells, and how many lines come before the header."""
    found = _SEP.match(text)
    if found is not None:
        return found["sign"], 1
    first = text.lstrip("\n").partition("\n")[0]
    headers = {sign: [cell.strip(' "') for cell in first.split(sign)] for sign in _SIGNS}
    # The sign that gives a column image counts, then the one that gives the most columns.
    return max(_SIGNS, key=lambda sign: ("image" in headers[sign], len(headers[sign]))), 0


def _lines(text: Text, sign: str) -> Iterator[_Line]:
    """The rows that are not blank."""
    reader = csv.reader(io.StringIO(text.text, newline=""), strict=True, delimiter=sign)
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield _Line(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise _no_csv(text, line, str(error), sign) from None


def _no_csv(text: Text, line: int, message: str, sign: str) -> ManifestError:
    if "field limit" in message:
        told = f"a cell has more than {csv.field_size_limit():,} characters"
        hint = "most often a quote before it is never closed; a text of that length belongs in a file of its own"
        return refused(text, line, told, hint)
    hint = 'inside a quoted cell write "" for a quote, and close the cell with one'
    return refused(text, line, f"the row is not CSV: {message}", hint)


def _ragged(text: Text, line: int, cells: Sequence[str], columns: Sequence[str], sign: str) -> ManifestError:
    count = f"the row has {len(cells)} cell{'' if len(cells) == 1 else 's'}, the header {len(columns)}"
    if len(cells) > len(columns):
        word = _SIGNS.get(sign, repr(sign))
        return refused(text, line, count, f'put a cell that holds a {word} in quotes: "wet{sign} dark rock"')
    missing = joined(map(name, columns[len(cells) :]), "and", limit=4)
    hint = f"write a {_SIGNS.get(sign, repr(sign))} for each cell that is missing ({missing}): empty cells stand, too"
    return refused(text, line, count, hint)
