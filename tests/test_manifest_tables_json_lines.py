"""Tables as JSON lines."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.diagnostics.text import Text
from runner.errors import ManifestError
from runner.manifest.tables.json_lines import is_json_lines, read_json_lines

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), TEXT
)


def read(text):
    return read_json_lines(Text("t.jsonl", text))


def test_members_are_columns_and_values_keep_their_types():
    table = read('{"image": "a.jpg", "cfg": 0.5, "on": true}\n\n{"image": "b.jpg", "more": ["x"], "cfg": null}\n')
    assert table.columns == ("image", "cfg", "on", "more")
    assert [(row.line, dict(row.cells)) for row in table.rows] == [
        (1, {"image": "a.jpg", "cfg": 0.5, "on": True, "more": ""}),
        (3, {"image": "b.jpg", "cfg": "", "on": "", "more": ["x"]}),
    ]


@settings(max_examples=40)
@given(st.lists(st.dictionaries(TEXT, VALUES, max_size=4), min_size=1, max_size=3), st.booleans())
def test_places_are_those_of_the_values(rows, ascii_only):
    rows = [{**row, "image": "x"} for row in rows]
    text = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows).replace("\x85", "")
    table = read(text)
    for index, row in enumerate(map(json.loads, text.split("\n"))):
        for name, value in row.items():
            place = table.position((index, name))
            start = table.text.starts[place.line - 1] + place.column - 1
            assert json.loads(text[start : start + place.length]) == value


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"image": "a",}', "no row in JSON"),
        ('["a"]', "it is no object"),
        ('{"image": "a", "image": "b"}', "a member is given twice"),
        ('{"image": "a", "x": NaN}', "NaN is no number of JSON"),
        ('{"image": "a", "x": 99999999999999999999}', "an integer has more than 64 bits"),
        ('{"image": "\\ud800"}', "half a surrogate pair"),
        ('{"image": "a", "x": 1e999}', "a number is too large"),
        ('{"image": "a", "x": ' + "[" * 100 + "]" * 100 + "}", "it has more than 100 levels"),
        ("{" * 3 + '"image"' + "[" * 100_000, "no row in JSON"),
    ],
)
def test_lines_that_are_no_rows(line, said):
    table = read('{"image": "ok.jpg"}\n' + line)
    (found,) = table.diagnostics
    assert (found.code, found.position.line) == ("E409", 2)
    assert said in found.message
    assert len(table.rows) == 1


def test_a_table_without_a_row_or_without_pictures():
    for text, said in (("[]\n", "no row in JSON"), ('{"picture": "a.jpg"}', "no column image")):
        with pytest.raises(ManifestError) as caught:
            read(text)
        assert said in caught.value.diagnostics[0].message


def test_what_begins_like_one():
    assert is_json_lines('\n {"id": 1, "image": "a"}')
    assert not is_json_lines('{"key": "secret"}\n{"image": "a"}')
