"""Tables of pictures."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics.text import Text
from runner.errors import ManifestError
from runner.manifest.tables.delimited_text import is_delimited, read_delimited

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)


def read(text):
    return read_delimited(Text("t.csv", text))


def refusals(text):
    with pytest.raises(ManifestError) as caught:
        read(text)
    assert {each.code for each in caught.value.diagnostics} == {"E409"}
    return [(each.position.line, each.message, each.hint) for each in caught.value.diagnostics]


@given(st.lists(st.tuples(st.text("ab", min_size=1), CELLS, CELLS), min_size=1, max_size=5), st.booleans())
def test_rows_are_those_that_were_written(rows, quote_all):
    buffer = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(buffer, lineterminator="\n", quoting=quoting).writerows([("image", "one", "two"), *rows])
    table = read(buffer.getvalue())
    assert [tuple(row.cells.values()) for row in table.rows] == rows
    for index, row in enumerate(rows):
        place = table.position((index, "two"))
        raw = buffer.getvalue()[table.text.starts[place.line - 1] + place.column - 1 :]
        assert (next(csv.reader(io.StringIO(raw, newline="")), []) or [""])[0] == row[2]


def test_places():
    table = read('image, id ,note\na.jpg,a,"x, ""y"""\n\n,,\n"b\n.jpg",b,z\n')
    assert [(row.line, dict(row.cells)) for row in table.rows] == [
        (2, {"image": "a.jpg", "id": "a", "note": 'x, "y"'}),
        (5, {"image": "b\n.jpg", "id": "b", "note": "z"}),
    ]

    def place(*route, **options):
        position = table.position(route, **options)
        return position.line, position.column, position.length

    assert place() == (1, 1, 15)
    assert place("id", key=True) == (1, 7, 4)
    assert place(0) == (2, 1, 18)
    assert place(0, "note") == (2, 9, 10)
    assert place(0, "vars", "note") == (2, 9, 10)
    assert place(0, "vars", "note", key=True) == (1, 12, 4)
    assert place(1, "image") == (5, 1, 2)
    assert place(7, "nothing") == (1, 1, 15)
    assert table.line(table.position((0,))) == 'a.jpg,a,"x, ""y"""'


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("", 1, "the table is empty", "its first line names the columns"),
        ("\n\n", 1, "the table is empty", "its first line names the columns"),
        ("image,id\n", 1, "the table has no rows", "add a line"),
        ("image,id\n,\n", 1, "the table has no rows", "add a line"),
        ("picture,id\nx,y\n", 1, "the table has no column image", "its columns are picture and id"),
        ("Image,id\nx,y\n", 1, "the table has no column image", "rename the column 'Image' to image"),
        ("image|id\nx|y\n", 1, "the table has no column image", "it looks like another file"),
        ("image,a,a\nx,y,z\n", 1, "the column 'a' is given twice", "rename or delete"),
        ('image,a\nx,"y\n', 2, "the row is not CSV: unexpected end of data", "close the cell"),
        ('image,a\nx,"y"z\n', 2, "the row is not CSV: ',' expected after '\"'", "for a quote"),
    ],
)
def test_what_is_wrong(text, line, message, hint):
    ((at, found, remedy),) = refusals(text)
    assert (at, found) == (line, message)
    assert hint in remedy


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (
            "image,a\nx,y\nx\n",
            3,
            "the row has 1 cell, the header 2",
            "write a comma for each cell that is missing ('a')",
        ),
        ("image;a;b\nx;\n", 2, "the row has 2 cells, the header 3", "write a semicolon for each cell"),
        ("image,a\nx,y,z\n", 2, "the row has 3 cells, the header 2", 'in quotes: "wet, dark rock"'),
        ("image;a\nx;y;z\n", 2, "the row has 3 cells, the header 2", 'semicolon in quotes: "wet; dark rock"'),
    ],
)
def test_ragged_rows(text, line, message, hint):
    (fault,) = read(text).diagnostics
    assert (fault.code, fault.position.line, fault.message) == ("E409", line, message)
    assert hint in fault.hint


def test_all_ragged_rows_are_told_and_the_others_read():
    table = read("image,a\nx\ny,z\nx,y,z\n")
    assert [each.position.line for each in table.diagnostics] == [2, 4]
    assert [(row.line, row.cells) for row in table.rows] == [(3, {"image": "y", "a": "z"})]
    assert table.position((0, "a")).line == 3


def test_rows_and_cells_that_are_there():
    table = read("image,a\nx,y\n")
    assert all(map(table.has, [(), (0,), (0, "image"), (0, "a")]))
    assert not any(map(table.has, [(1,), (-1,), ("a",), (0, "b"), (0, "a", 0)]))


def hints(text):
    try:
        read(text)
    except ManifestError as error:
        return [each.hint for each in error.diagnostics]
    return []


@given(st.text(st.sampled_from('ab,"\n;'), max_size=40))
def test_any_text_is_read_or_refused(text):
    assert all(hints("image,a\n" + text))


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["", "sep={}\n", '"sep={}"\n', "SEP={}\n"])
def test_the_sign_between_cells_is_found(sign, head):
    others = "".join({",", ";", "\t"} - {sign})
    table = read(
        head.format(sign) + f'id{sign}"image"{sign}note\na{sign}a.jpg{sign}"x{others}\ny"\nb{sign}b.jpg{sign}z\n'
    )
    assert [dict(row.cells) for row in table.rows] == [
        {"id": "a", "image": "a.jpg", "note": f"x{others}\ny"},
        {"id": "b", "image": "b.jpg", "note": "z"},
    ]
    first = 2 if not head else 3
    place = table.position((1, "image"))
    assert (place.line, place.column, place.length) == (first + 2, 3, 5)
    assert table.position(("note",), key=True).line == first - 1


def test_another_sign_is_told_by_the_first_line():
    assert dict(read("sep=|\nimage|a\nx|y,z\n").rows[0].cells) == {"image": "x", "a": "y,z"}


def test_a_comma_in_a_header_of_semicolons_is_no_sign():
    assert read("image;size (w, h);id\nx;1, 2;a\n").columns == ("image", "size (w, h)", "id")


def test_a_cell_beyond_all_measure():
    ((line, message, hint),) = refusals('image,a\nx,y\nz,"' + "w" * 140_000 + '"\n')
    assert (line, message) == (3, "a cell has more than 131,072 characters")
    assert "never closed" in hint


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("image,a", True),
        ("a;image\n", True),
        ("sep=;\nimage", True),
        ('"image"\tb', True),
        ("KEY=image", False),
        ("", False),
    ],
)
def test_what_begins_like_a_table(text, is_one):
    assert is_delimited(text) is is_one
