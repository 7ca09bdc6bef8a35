"""Texts of files: decoding, lines and places."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics.text import Text, decode, file_error, shown
from runner.errors import ManifestError, Position


def refusal(call, *arguments):
    with pytest.raises(ManifestError) as caught:
        call(*arguments)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_ends_of_lines_and_the_byte_order_mark_are_levelled():
    assert decode(b"\xef\xbb\xbfa\r\nb\rc\n", "f").text == "a\nb\nc\n"


def test_a_text_is_one_value():
    assert Text("f", "text").has(())
    assert not Text("f", "text").has((0,))


def test_bytes_that_are_not_utf8_are_placed():
    diagnostic = refusal(decode, "grün\r\nCafé".encode()[:-2] + b"\xe9 noir", "f.txt")
    assert (diagnostic.code, diagnostic.position) == ("E104", Position("f.txt", 2, 4))
    assert diagnostic.source == "Caf\ufffd noir"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named(encoding):
    mark = "" if encoding == "utf-16" else "\ufeff"
    assert "UTF-16" in refusal(decode, f"{mark}version: 1".encode(encoding), "f").message


@given(st.text(alphabet="ab\n\u2028\x85é", max_size=60), st.data())
def test_places_count_lines_as_editors_do(content, data):
    text = Text("f", content)
    index = data.draw(st.integers(0, len(content)))
    place = text.at(index, 3)
    before = content[:index]
    assert place.line == before.count("\n") + 1
    assert place.column == len(before.rpartition("\n")[2]) + 1
    assert text.line(place) == content.split("\n")[place.line - 1]
    assert 1 <= place.length <= 3
    assert place.length == 1 or place.column - 1 + place.length <= len(text.line(place))


def test_a_line_that_is_not_there_is_empty():
    assert Text("f", "a\nb").line(Position("f", 9, 1)) == ""


def test_as_a_source_the_whole_text_is_one_value():
    text = Text("f", "one\ntwo")
    assert text.position(offset=5, length=2) == Position("f", 2, 2, 2)
    assert text.position(("anything",), offset=99) == Position("f", 2, 4)


def test_names_are_relative_below_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    assert shown(tmp_path / "in" / "a" / "b.csv") == "a/b.csv"
    assert shown(Path("a") / ".." / "b.csv") == "b.csv"
    assert shown(tmp_path / "b.csv") == str(tmp_path / "b.csv")


def test_a_problem_carries_its_line():
    text = Text("f", "one\ntwo")
    (diagnostic,) = file_error("E102", text, text.at(4), "message", "hint").diagnostics
    assert (diagnostic.source, diagnostic.message, diagnostic.hint) == ("two", "message", "hint")
