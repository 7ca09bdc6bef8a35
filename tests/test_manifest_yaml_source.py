"""Routes to places."""

import pytest

from runner.diagnostics.text import Text
from runner.errors import Position
from runner.manifest.tables.delimited_text import read_delimited
from runner.manifest.yaml.document import parse
from runner.manifest.yaml.source import Source

MANIFEST = """\
version: 1
images:
  - {file: a.jpg, id: first}
  - glob: "*.png"
    vars: &vars
      product: shoe
prompts:
  - id: plain
    text: |
      The {{ product }} on
      {{ surfce }}
empty:
merged: {<<: [*vars, {colour: red}], size: 3}
tagged: &word !!str on
"""


@pytest.fixture(scope="module")
def source():
    return parse(Text("m.yaml", MANIFEST)).source


def marked(source, route, **options):
    """The line of a place, and the text under its caret."""
    place = source.position(route, **options)
    assert place.file == "m.yaml"
    start = place.column - 1
    return place.line, source.line(place)[start : start + place.length]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ((), (1, "version")),
        (("version",), (1, "1")),
        (("images",), (3, "-")),
        (("images", 0), (3, "{file: a.jpg, id: first}")),
        (("images", 0, "file"), (3, "a.jpg")),
        (("images", 1), (4, "glob")),
        (("images", 1, "glob"), (4, '"*.png"')),
        (("images", 1, "vars"), (6, "product")),
        (("prompts", 0, "text"), (9, "|")),
        (("merged", "product"), (6, "shoe")),
        (("merged", "colour"), (13, "red")),
        (("merged", "size"), (13, "3")),
        (("tagged",), (14, "!!str on")),
        # An empty value has no text: its key is marked.
        (("empty",), (12, "empty")),
        # What is not there is at its nearest parent.
        (("nothing",), (1, "version")),
        (("images", 0, "vars", "x"), (3, "{file: a.jpg, id: first}")),
        (("images", 9, "file"), (3, "-")),
        (("version", "x", 3), (1, "1")),
        (("images", "x"), (3, "-")),
    ],
)
def test_values(source, route, expected):
    assert marked(source, route) == expected


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (("version",), (1, "version")),
        (("images", 0, "id"), (3, "id")),
        (("prompts", 0, "text"), (9, "text")),
        (("merged", "product"), (6, "product")),
        (("images", 0), (3, "{file: a.jpg, id: first}")),
        (("images", 0, "vars"), (3, "{file: a.jpg, id: first}")),
    ],
)
def test_keys(source, route, expected):
    assert marked(source, route, key=True) == expected


def test_offsets_of_a_block_scalar(source):
    value = "The {{ product }} on\n{{ surfce }}\n"
    assert marked(source, ("prompts", 0, "text"), offset=value.index("surfce"), length=6) == (11, "surfce")
    assert marked(source, ("prompts", 0, "text"), offset=4, length=13) == (10, "{{ product }}")
    assert marked(source, ("prompts", 0, "text"), length=3) == (10, "The")


def test_a_caret_ends_with_its_line(source):
    assert marked(source, ("prompts", 0, "text"), offset=4, length=30) == (10, "{{ product }} on")


def test_what_is_written(source):
    assert source.written(("version",)) == "1"
    assert source.written(("images", 1, "glob")) is None
    assert source.written(("nothing",)) is None
    assert source.written(("images",)) is None


def test_what_is_there(source):
    routes = [
        (),
        ("images",),
        ("images", 1, "glob"),
        ("images", 1, "vars", "product"),
        ("merged", "colour"),
        ("empty",),
    ]
    assert all(map(source.has, routes))
    others = [("image",), ("images", 2), ("images", 0, "vars"), ("images", 1, "vars", "colour"), ("version", 0)]
    assert not any(map(source.has, others))


def test_attached_files_stand_for_their_routes(source):
    table = read_delimited(Text("t.csv", 'image,product\na.jpg,"trail\nshoe"\nb.jpg,bag\n'))
    prompt = Text("p.j2", "The {{ product }}\non {{ rock }}\n")
    attached = {("images", 1, "glob"): table, ("prompts", 0, "text"): prompt}
    both = Source(source.text, source.root, attached)
    assert both.position(("prompts", 0, "text"), offset=24, length=4) == Position("p.j2", 2, 7, 4)
    assert both.line(Position("p.j2", 2, 7)) == "on {{ rock }}"
    assert both.position(("images", 1, "glob", 1)) == Position("t.csv", 4, 1, 9)
    assert both.position(("images", 1, "glob", 1, "product")) == Position("t.csv", 4, 7, 3)
    assert both.position(("images", 1, "glob", 0, "vars", "product"), key=True) == Position("t.csv", 1, 7, 7)
    assert both.line(Position("t.csv", 4, 7)) == "b.jpg,bag"
    assert both.position(("images", 1)) == source.position(("images", 1))
    assert both.line(Position("other", 1, 1)) == ""
    assert both.has(("images", 1, "glob", 1, "product"))
    assert both.has(("prompts", 0, "text"))
    assert not both.has(("images", 1, "glob", 2))
    assert not both.has(("prompts", 0, "text", 0))
