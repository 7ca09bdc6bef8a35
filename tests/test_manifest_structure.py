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
    content = checked(document, document.value, found).content
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
        ("budget: {max_jobs: 0}", "budget", {}, [("E205", 5, 20)]),
        ("lint: {ignore: [W801, W8]}", "lint", {"ignore": ["W801", None]}, [("E203", 5, 23)]),
        # The type of a value that is not known is not judged.
        ("takes: .nan", "takes", None, [("E106", 5, 8)]),
        ("takes: 1\ntakes: 2", "takes", 1, [("E103", 6, 1)]),
        ("vars: {a×: 1, b: 2}", "vars", {"b": 2}, [("E207", 5, 8)]),
        ("vars: {a: 2024-05-01}", "vars", {"a": "2024-05-01"}, [("E106", 5, 11)]),
    ],
)
def test_what_is_wrong_is_told_and_left_out(more, section, left, problems):
    content, found = check(f"{SMALL}{more}\n")
    assert content.get(section) == left
    assert found == problems


@pytest.mark.parametrize(
    ("more", "section", "read", "problems"),
    [
        ("nmae: x", "name", "x", [("E201", 5, 1)]),
        ("Params: {duration: '5'}", "params", {"duration": "5"}, [("E201", 5, 1)]),
        # What is wrong below an unknown key is told with it, at its place in the text.
        ("rnu: {wiat: soon, attempts: 2}", "run", None, [("E201", 5, 1)]),
        ("runs: {wiat: soon, attempts: 2}", "run", {"attempts": 2}, [("E201", 5, 1), ("E201", 5, 8), ("E207", 5, 14)]),
        ("taks: 0", "takes", None, [("E201", 5, 1), ("E205", 5, 7)]),
        # Where the key that was meant stands as well, or none is alike, nothing is read.
        ("takes: 2\ntaks: 3", "takes", 2, [("E201", 6, 1)]),
        ("taeks: 3\ntaks: 2", "takes", 3, [("E201", 5, 1), ("E201", 6, 1)]),
        ("frames: 3", "frames", None, [("E201", 5, 1)]),
    ],
)
def test_unknown_keys_are_read_as_what_was_meant(more, section, read, problems):
    content, found = check(f"{SMALL}{more}\n")
    assert (content.get(section), found) == (read, problems)


def test_entries_with_unknown_keys_are_read():
    content, found = check(SMALL.replace("{url: u,", "{ur: u, lable: x,").replace("text: x", "txet: x"))
    assert found == [("E201", 3, 11), ("E201", 3, 18), ("E201", 4, 19)]
    assert content["images"] == [{"url": "u", "vars": {"a": 1}}]
    assert content["prompts"] == [{"id": "p", "text": "x"}]


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
