"""What YAML, the schema and the few rules beyond it find."""

import pytest

from runner.manifest.diagnostics import Diagnostics
from runner.manifest.document import parse
from runner.manifest.structure import checked
from runner.manifest.text import Text

SMALL = "version: 1\nmodel: m\nimages: [{url: u, vars: {a: 1}}]\nprompts: [{id: p, text: x}]\n"


def check(text):
    document = parse(Text("m.yaml", text))
    found = Diagnostics(document.source)
    content = checked(document, document.value, found)
    return content, [(each.code, each.position.line, each.position.column) for each in found.ordered()]


def test_a_sound_manifest_is_left_as_it_is():
    content, problems = check(SMALL)
    assert content == parse(Text("m.yaml", SMALL)).value
    assert problems == []


@pytest.mark.parametrize(
    ("more", "section", "left", "problems"),
    [
        ("takes: 0", "takes", None, [("E205", 5, 8)]),
        ("run: {wait: soon, attempts: 2}", "run", {"attempts": 2}, [("E207", 5, 13)]),
        ("run: {wait: 9999h, settle: 1s}", "run", {"settle": "1s"}, [("E205", 5, 13)]),
        ("output: []", "output", None, [("E204", 5, 9)]),
        ("budget: {max_jobs: 0}", "budget", {"max_jobs": 5_000_000}, [("E205", 5, 20)]),
    ],
)
def test_what_templates_cannot_see_is_left_out(more, section, left, problems):
    content, found = check(SMALL + more + "\n")
    assert content.get(section) == left
    assert found == problems


@pytest.mark.parametrize(
    ("more", "problems"),
    [
        ("nmae: x", [("E201", 5, 1)]),
        ("vars: {a×: 1}", [("E207", 5, 8)]),
        ("vars: {a: 2024-05-01}", [("E106", 5, 11)]),
        ("takes: 1\ntakes: 1", [("E103", 6, 1)]),
        # The type of a value that is not known is not judged.
        ("takes: .nan", [("E106", 5, 8)]),
    ],
)
def test_what_cannot_be_trusted_is_not_read_on(more, problems):
    assert check(SMALL + more + "\n") == (None, problems)


def test_doubts_are_told_where_anything_is_allowed():
    content, problems = check(SMALL.replace("a: 1", "a: no") + "vars: {b: 1e3}\nmatrix: {c: [08]}\nname: 'no'\n")
    assert content is not None
    assert problems == [("W901", 3, 29), ("W901", 5, 11), ("W901", 6, 14)]


@pytest.mark.parametrize(
    ("matrix", "warned"),
    [
        ("exlude: [{a: 1}]", True),
        ("zips: [[a, b]]", True),
        ("includes: [{a: 1}, {b: 1}]", True),
        ("exlude: [a]", False),
        ("surface: [{a: 1}]", False),
        ("exclude: [{a: 1}]", False),
    ],
)
def test_axes_that_look_like_keywords(matrix, warned):
    content, problems = check(f"{SMALL}matrix: {{{matrix}}}\n")
    assert content is not None
    assert [each[0] for each in problems] == (["W903"] if warned else [])
