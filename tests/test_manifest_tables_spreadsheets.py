"""Tables in workbooks."""

import datetime
import io
import sys
import zipfile

import openpyxl
import pytest

from runner.errors import ManifestError
from runner.manifest.files import UnreadableError
from runner.manifest.tables import spreadsheets
from runner.manifest.tables.spreadsheets import is_workbook, read_workbook
from runner.shipped import install_line


def workbook(*rows, sheets=(), forms=None, dimension=None):
    """The bytes of a workbook, its first sheet with these rows."""
    book = openpyxl.Workbook()
    book.active.title = "Products"
    for row in rows:
        book.active.append(row)
    for cell, form in (forms or {}).items():
        book.active[cell].number_format = form
    for title, content in sheets:
        added = book.create_sheet(title)
        for row in content:
            added.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read(data, sheet=None):
    return read_workbook(data, "t.xlsx", sheet)


def refused(data, sheet=None):
    with pytest.raises(UnreadableError) as caught:
        read(data, sheet)
    return caught.value.code, caught.value.message, caught.value.hint


def test_cells_are_the_texts_that_people_see():
    date = datetime.datetime(2026, 11, 28)
    header = ["image", "text", "whole", "part", "zeros", "share", "money", "day", "moment", "flag", "empty"]
    cells = ["a.jpg", "Größe", 7, 0.1, 7, 0.5, 3, date, date.replace(hour=9, minute=30), True, None]
    table = read(workbook(header, cells, forms={"E2": "000", "F2": "0%", "G2": "0.00"}))
    assert list(table.rows[0].cells.values()) == [
        *("a.jpg", "Größe", "7", "0.1", "007", "50%", "3.00", "2026-11-28", "2026-11-28 09:30:00", "TRUE", "")
    ]


def test_places_are_rows_even_where_cells_have_line_breaks():
    table = read(workbook(["image", "note"], [], ["a.jpg", "one\ntwo"], ["b, c.jpg", 'x "y"'], ["d.jpg"]))
    assert [(row.line, tuple(row.cells.values())) for row in table.rows] == [
        (3, ("a.jpg", "one\ntwo")),
        (4, ("b, c.jpg", 'x "y"')),
        (5, ("d.jpg", "")),
    ]
    place = table.position((1, "note"))
    assert (place.line, table.line(place)[place.column - 1 :][: place.length]) == (4, '"x ""y"""')


def test_the_first_sheet_counts_unless_another_is_named():
    data = workbook(["note"], ["x"], sheets=[("Spring", [["image", "a"], ["s.jpg", 1]]), ("Old", [])])
    assert read(data, "Spring").rows[0].cells == {"image": "s.jpg", "a": "1"}
    with pytest.raises(ManifestError) as caught:
        read(data)
    (found,) = caught.value.diagnostics
    assert (found.message, found.hint) == (
        "the sheet has no column image",
        "the workbook has other sheets: name one with sheet: Spring or Old",
    )
    assert refused(data, "Sprng") == (
        "E415",
        "has no sheet 'Sprng'",
        "did you mean 'Spring'? its sheets are 'Products', 'Spring' and 'Old'",
    )


def test_a_formula_needs_a_value_and_an_error_is_none():
    table = read(workbook(["image", "sum", "why"], ["a.jpg", "=1+1", "x"], ["b.jpg", 2, "#N/A"]))
    assert [(each.code, each.position.line, each.message) for each in table.diagnostics] == [
        ("E415", 2, "the cell has a formula without a value"),
        ("E415", 3, "the cell holds the error #N/A"),
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "is an old workbook (.xls), or one with a password"),
        (b"PK\x03\x04 and no more", "is a cut or damaged ZIP archive"),
        (workbook(["image"], ["a.jpg"])[:-400], "is a cut or damaged ZIP archive"),
    ],
)
def test_files_that_are_no_workbook_of_today(data, said):
    assert is_workbook(data)
    code, message, hint = refused(data)
    assert (code, message) == ("E415", said)
    assert hint


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in members.items():
            container.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return buffer.getvalue()


def changed(data, member, old, new):
    """A workbook with other bytes in one of its parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as container, zipfile.ZipFile(buffer, "w") as other:
        for name in container.namelist():
            content = container.read(name)
            assert name != member or old in content
            other.writestr(name, content.replace(old, new) if name == member else content)
    return buffer.getvalue()


def test_other_archives_and_broken_ones():
    assert refused(zipped(content_xml="<office/>"))[1] == "is a ZIP archive, but no workbook (.xlsx)"
    assert refused(zipped(xl__workbook_xml="<oops"))[1] == "is a damaged workbook"


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [
        ("xl/workbook.xml", b"sheetId", b"shootId"),
        ("xl/styles.xml", b"patternType", b"pattonType"),
        ("[Content_Types].xml", b"PartName", b"PortName"),
        ("xl/worksheets/sheet1.xml", b'r="A1"', b'r="1A"'),
        ("xl/worksheets/sheet1.xml", b"</row>", b""),
        ("xl/workbook.xml", b"<sheets>", b'<!DOCTYPE a [<!ENTITY a "x">]><sheets>'),
    ],
)
def test_workbooks_with_a_damaged_part(member, old, new):
    data = changed(workbook(["image"], ["a.jpg"]), member, old, new)
    assert refused(data)[:2] == ("E415", "is a damaged workbook")


def test_a_small_file_that_unpacks_to_much_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(spreadsheets, "_MOST_BYTES", 10_000)
    code, message, _ = refused(zipped(xl__workbook_xml=" " * 20_000))
    assert (code, message) == ("E105", "unpacks to more than 0 MB")


def test_what_the_sheet_says_of_its_size_is_not_believed(monkeypatch):
    """Some programs write that a sheet has all columns there can be; a hostile cell stands in the last one."""
    data = workbook(["image"], ["a.jpg"])
    vast = changed(data, "xl/worksheets/sheet1.xml", b'ref="A1:A2"', b'ref="A1:XFD1048576"')
    assert len(read(vast).rows) == 1
    monkeypatch.setattr(spreadsheets, "_MOST_CELLS", 2)
    assert refused(data)[:2] == ("E105", "has a sheet of more than 2 cells")


def test_without_the_extra_its_pip_line_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert refused(workbook(["image"], ["a.jpg"])) == (
        "E415",
        "is a workbook, and openpyxl, which reads it, is missing",
        install_line("excel"),
    )
