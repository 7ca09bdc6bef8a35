"""What all tables have in common: blanks around cells, and columns at the end that nobody named."""

import pytest

from runner.diagnostics.text import Text
from runner.errors import Severity
from runner.manifest.tables.delimited_text import read_delimited
from runner.manifest.tables.image_table import Row


def read(text):
    return read_delimited(Text("t.csv", text)).checked()


def test_blanks_around_cells_are_told_once_a_column():
    table = read('image,id,a,b\n x.jpg , x ,ok, y\nz.jpg,z,ok,"\ty"\nw.jpg,w,ok\u00a0,y\n')
    assert [(each.code, each.position.line, each.position.column, each.message) for each in table.diagnostics] == [
        ("W411", 4, 9, "the cell of the column 'a' begins or ends with blanks"),
        ("W411", 2, 16, "the cell of the column 'b' begins or ends with blanks, and 1 more of its column"),
    ]
    assert {each.severity for each in table.diagnostics} == {Severity.WARNING}
    assert table.rows[0].cells["b"] == " y", "cells are taken as they are"


def test_the_cells_that_name_a_picture_are_trimmed():
    row = Row(2, {"image": " a.jpg ", "id": 7, "b": " x"})
    assert (row.text("image"), row.text("id"), row.text("none")) == ("a.jpg", "7", "")


@pytest.mark.parametrize("text", ["image;a;;\nx;y;;\n", "image;a\nx;y;;\n", "image;a;;\nx;y\n"])
def test_empty_columns_at_the_end_are_no_columns(text):
    table = read(text)
    assert table.columns == ("image", "a")
    assert [dict(each.cells) for each in table.rows] == [{"image": "x", "a": "y"}]


def test_a_column_with_cells_and_without_a_name_is_one():
    assert read("image;a;\nx;y;z\n").columns == ("image", "a", "")
