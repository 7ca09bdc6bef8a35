"""Scalars that look otherwise than YAML reads them."""

from __future__ import annotations

import pytest

from runner.diagnostics.text import Text
from runner.manifest.yaml.document import parse
from runner.manifest.yaml.doubts import doubts_of


def doubts(text):
    document = parse(Text("m.yaml", text))
    found = ((document.source.place(node), code, doubt) for node, code, doubt in doubts_of(document))
    return [(code, place.line, place.column, doubt.hint.partition(";")[0]) for place, code, doubt in found]


@pytest.mark.parametrize(
    ("text", "column", "hint"),
    [
        ("a: colour #ff0000", 4, 'write "colour #ff0000", in quotes'),
        ("a: #ff0000", 3, 'write "#ff0000", in quotes'),
        ("a: [one #1\n  , two]", 5, 'write "one #1", in quotes'),
        ("- shoe #5 blue  ", 3, 'write "shoe #5 blue", in quotes'),
        ("a: " + "word " * 20 + "#1", 4, "put the whole value in quotes"),
    ],
)
def test_a_value_that_a_comment_cuts(text, column, hint):
    assert doubts(text) == [("W341", 1, column, hint)]


@pytest.mark.parametrize(
    "text",
    [
        "a: colour # red", "a: colour  #red", "a: 5 #five", "a: true #yes", 'a: "colour" #red', "a: colour#red",
        "a: #", "a: colour ## red", "a: 'x' #1", "a: |\n  colour #ff0000\n", "#a: b\nc: d", "a:\n  #b: 1\n  c: 1",
        "a: [b] #1",
    ],
)  # fmt: skip
def test_a_comment_that_is_meant(text):
    assert doubts(text) == []


def test_numbers_of_another_base_are_told_wherever_they_stand():
    assert [each[0] for each in doubts("a: 010\nb: [1:30]\nc: {d: no}")] == ["W901"] * 3
