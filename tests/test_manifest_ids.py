"""Ids: usable ones, and each one once."""

import pytest

from runner.diagnostics.text import Text
from runner.manifest.ids import Claim, check_claims
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.yaml.document import parse


@pytest.fixture
def found():
    return ReadingDiagnostics(parse(Text("m.yaml", "images:\n  - a\n  - b\n  - c\n  - d\n")).source)


def test_the_first_of_its_name_stands(found):
    claims = [Claim(word, ("images", index), "file", f"{index}.jpg") for index, word in enumerate(["x", "y", "x", "x"])]
    check_claims([*claims, None], "image", found)
    assert [(each.position.line, each.message) for each in found.ordered()] == [
        (4, "the image id 'x' is given twice; the first is in line 2, of 0.jpg"),
        (5, "the image id 'x' is given twice; the first is in line 2, of 0.jpg"),
    ]


@pytest.mark.parametrize(
    ("word", "code"), [("", "E202"), ("a\nb", "E207"), ("\x7f", "E207"), ("x" * 301, "E207"), ("x" * 300, None)]
)
def test_ids_that_cannot_be_used(found, word, code):
    check_claims([Claim(word, ("images", 0), "file", "a.jpg")], "image", found)
    assert [each.code for each in found.found] == ([code] if code else [])


def test_ids_differ_by_their_letters_alone(found):
    claims = [Claim(word, ("images", 0), "url", word) for word in ("a", "A", "ä", "a ")]
    check_claims(claims, "image", found)
    assert found.found == []
