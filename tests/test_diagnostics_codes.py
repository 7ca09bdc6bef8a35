"""The catalogue of codes."""

import re
from pathlib import Path

import pytest

from runner.diagnostics.codes import CODES
from runner.manifest.structure import schema

ROOM = Path(__file__).parent.parent / "runner"


def raised():
    for path in ROOM.rglob("*.py"):
        if path.name != "codes.py":
            yield from re.findall(r'"([EW]\d{3})"', path.read_text(encoding="utf-8"))


def test_every_code_that_is_raised_is_in_the_catalogue():
    codes = set(raised())
    assert len(codes) > 30
    assert codes <= set(CODES)


def test_the_catalogue_is_in_order_and_distinct():
    codes = list(CODES)
    assert codes == sorted(codes)
    assert len({each.title for each in CODES.values()}) == len(codes)


def test_the_schema_lists_the_warnings_that_can_be_ignored():
    lint = schema()["properties"]["lint"]
    assert lint["properties"]["ignore"]["items"]["enum"] == [code for code in CODES if code.startswith("W")]


@pytest.mark.parametrize("code", CODES)
def test_each_code_explains_itself(code):
    entry = CODES[code]
    assert re.fullmatch(r"[EW]\d{3}", code)
    assert entry.title
    assert not entry.title.endswith(".")
    assert len(entry.text) > 60
    assert entry.text.endswith(".")
    assert entry.example
