"""Tables in workbooks of Excel and its like (.xlsx). A sheet is read to the text that it would be as CSV."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from runner.diagnostics.suggestions import closest, did_you_mean
from runner.diagnostics.text import Text
from runner.diagnostics.words import flow, joined, name
from runner.errors import Diagnostic, Severity
from runner.manifest.files import UnreadableError
from runner.manifest.tables.delimited_text import finder
from runner.manifest.tables.image_table import Row, Table, check_columns, refused, used_width
from runner.shipped import install_line
from runner.video.stills import quiet

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from openpyxl.workbook import Workbook

Grid: TypeAlias = "Sequence[Sequence[Cell]]"

_ZIP = b"PK\x03\x04"
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What a workbook may hold once it is unpacked. A sheet of 50,000 rows has about twenty million bytes.
_MOST_BYTES, _MOST_CELLS = 100 * 2**20, 5_000_000
# A line break in a cell, where a line of the text is a row of the sheet.
_BREAK = "\u21b5"
# The plain forms of numbers: 000, 0.00, 0%.
_FORM = re.compile(r"(?P<whole>0+)(?:\.(?P<decimals>0+))?(?P<percent>%?)")
# What openpyxl raises where the XML in a workbook is not what it expects. It has no error of its own for that.
_DAMAGES = (
    *(AttributeError, LookupError, OSError, OverflowError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
)
_ANEW = "open it in its program and save it anew"


def is_workbook(data: bytes) -> bool:
    """Whether a file is a workbook by its content, or one that can be saved as such."""
    return data.startswith((_ZIP, _OLD))


def read_workbook(data: bytes, file: str, sheet: str | None) -> Table:
    """Read a sheet, the first one unless it is named. Raises UnreadableError with E415, and ManifestError
    with E409 if it is no table."""
    with quiet(r"openpyxl\."):
        workbook = _opened(data, with_formulas=False)
        title = _title(workbook, sheet)
        cells, formulas = (_cells(each, title) for each in (workbook, _opened(data, with_formulas=True)))
    values = [[_text(cell) for cell in row] for row in cells]
    text = Text(file, _as_csv(values))
    others = [each for each in workbook.sheetnames if each != title] if sheet is None else []
    table = _table(text, values, others)
    return replace(table, diagnostics=tuple(_without_value(table, cells, formulas)))


def _opened(data: bytes, *, with_formulas: bool) -> Workbook:
    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise UnreadableError(
            "E415", "is a workbook, and openpyxl, which reads it, is missing", install_line("excel")
        ) from None
    _check_container(data)
    try:
        return load_workbook(io.BytesIO(data), read_only=True, data_only=not with_formulas, keep_links=False)
    except (InvalidFileException, *_DAMAGES) as error:
        raise UnreadableError("E415", "is a damaged workbook", _ANEW) from error


def _check_container(data: bytes) -> None:
    """Raise UnreadableError if this is another kind of file, or unpacks to more than any table."""
    hint = "save it as .xlsx, or as CSV UTF-8"
    if data.startswith(_OLD):
        raise UnreadableError("E415", "is an old workbook (.xls), or one with a password", hint)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            members = {each.filename: each.file_size for each in container.infolist()}
    except zipfile.BadZipFile:
        raise UnreadableError("E415", "is a cut or damaged ZIP archive", "copy it anew") from None
    if "xl/workbook.xml" not in members:
        raise UnreadableError("E415", "is a ZIP archive, but no workbook (.xlsx)", hint)
    if sum(members.values()) > _MOST_BYTES:
        message = f"unpacks to more than {_MOST_BYTES // 2**20} MB"
        raise UnreadableError("E105", message, "delete what is no table from it: pictures, styles, other sheets")


def _title(workbook: Workbook, sheet: str | None) -> str:
    # A sheet of charts has no cells.
    titles = [str(each.title) for each in workbook.worksheets]
    if sheet is None and titles:
        return titles[0]
    if sheet is not None and sheet in titles:
        return sheet
    found = closest(sheet or "", titles)
    hint = did_you_mean(name(found) if found else None, more=f"its sheets are {joined(map(name, titles), 'and')}")
    raise UnreadableError("E415", f"has no sheet {name(sheet or '')}", hint)


def _cells(workbook: Workbook, title: str) -> list[Sequence[Cell]]:
    """The rows of a sheet, each as long as its last cell."""
    sheet, rows, count = workbook[title], [], 0
    # What the file says of its size is often far more than there is.
    sheet.reset_dimensions()
    try:
        for row in sheet.iter_rows():
            count += len(row) + 1
            if count > _MOST_CELLS:
                raise UnreadableError("E105", f"has a sheet of more than {_MOST_CELLS:,} cells", "delete empty ones")
            rows.append(row)
    except _DAMAGES as error:
        raise UnreadableError("E415", "is a damaged workbook", _ANEW) from error
    return rows


def _text(cell: Cell) -> str:
    """A cell as the text that people see in it, as far as it is told by the value: 007 has its zeros, 50% its sign."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        return _number(value, str(cell.number_format))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def _number(value: float, form: str) -> str:
    found = _FORM.fullmatch(form)
    if found is None:
        return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)
    digits = len(found["decimals"] or "")
    width = len(found["whole"]) + (digits + 1 if digits else 0)
    scaled = Decimal(repr(value)) * (100 if found["percent"] else 1)
    return f"{scaled:0{width}.{digits}f}{found['percent']}"


def _as_csv(values: Sequence[Sequence[str]]) -> str:
    """The sheet as CSV with one line for each of its rows."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([_BREAK.join(cell.splitlines()) for cell in row] for row in values)
    return buffer.getvalue()


def _table(text: Text, values: Sequence[Sequence[str]], others: Sequence[str]) -> Table:
    lines = [(number, row) for number, row in enumerate(values, 1) if any(row)]
    if not lines:
        raise refused(text, 1, "the sheet is empty", _of_others(others) or "its first row names the columns: image, id")
    header, rows = lines[0], lines[1:]
    names = [cell.strip() for cell in header[1]]
    columns = tuple(names[: used_width(names, (row for _, row in rows))])
    if "image" not in columns and others:
        raise refused(text, header[0], "the sheet has no column image", _of_others(others))
    check_columns(text, columns, header[0])
    if not rows:
        raise refused(text, header[0], "the sheet has no rows", "add a row for each picture")
    padded = [(number, [*row, *[""] * (len(columns) - len(row))]) for number, row in rows]
    found = tuple(Row(number, dict(zip(columns, row, strict=False))) for number, row in padded)
    return Table(text, columns, found, finder(","), header[0])


def _of_others(others: Sequence[str]) -> str:
    return f"the workbook has other sheets: name one with sheet: {joined(map(flow, others))}" if others else ""


def _without_value(table: Table, cells: Grid, formulas: Grid) -> Iterator[Diagnostic]:
    """Errors of cells whose value is an error, or not there: a formula that was never computed."""
    for index, row in enumerate(table.rows):
        for place, column in enumerate(table.columns):
            value, written = _at(cells, row.line, place), _at(formulas, row.line, place)
            found = _fault(value, written)
            if found is not None:
                at = table.position((index, column))
                yield Diagnostic("E415", Severity.ERROR, at, *found, table.line(at))


def _fault(value: Cell | None, written: Cell | None) -> tuple[str, str] | None:
    """What is wrong with a cell, and the remedy, by its value and by what was written into it."""
    if value is not None and value.data_type == "e":
        return f"the cell holds the error {value.value}", "mend its formula"
    is_formula = written is not None and written.data_type == "f"
    if is_formula and (value is None or value.value is None):
        return "the cell has a formula without a value", "open the workbook in its program and save it"
    return None


def _at(cells: Grid, line: int, column: int) -> Cell | None:
    row = cells[line - 1] if line <= len(cells) else ()
    return row[column] if column < len(row) else None
