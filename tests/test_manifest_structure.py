"""What YAML, the schema and the few rules beyond it find."""

import pytest

from runner.diagnostics.text import Text
from runner.manifest import structure
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.structure import checked
from runner.manifest.yaml.document import parse

SMALL = "version: 1\nmodel: m\nimages: [{url: u, vars: {a: 1}}]\nprompts: [{id: p, text: x}]\n"


def check(text):
    document = parse(Text("m.yaml", text))
    found = ReadingDiagnostics(document.source)
    content = checked(document, found)
    return content, [(each.code, each.position.line, each.position.column) for each in found.ordered()]


def test_a_sound_manifest_is_left_as_it_is():
    content, diagnostics = check(SMALL)
    assert content == parse(Text("m.yaml", SMALL)).value
    assert diagnostics == []


@pytest.mark.parametrize(
    ("more", "section", "left", "diagnostics"),
    [
        ("takes: 0", "takes", None, [("E205", 5, 8)]),
        ("run: {wait: soon, attempts: 2}", "run", {"wait": None, "attempts": 2}, [("E207", 5, 13)]),
        ("run: {wait: 9999h, settle: 1s}", "run", {"wait": None, "settle": "1s"}, [("E205", 5, 13)]),
        ("uploads: {to: s3://a b}", "uploads", {"to": None}, [("E412", 5, 15)]),
        ("uploads: {to: S3://a}", "uploads", {"to": None}, [("E207", 5, 15)]),
        ("uploads: {to: az://abc/x}\nrun: {wait: 601201}", "run", {"wait": None}, [("E205", 6, 13)]),
        ("uploads: {to: gs://abc/x}\nrun: {wait: 167h}", "run", {"wait": "167h"}, []),
        ("uploads: {to: service}\nrun: {wait: 168h}", "run", {"wait": "168h"}, []),
        ("output: []", "output", None, [("E204", 5, 9)]),
        ("budget: {max_jobs: 0}", "budget", {"max_jobs": None}, [("E205", 5, 20)]),
        ("lint: {ignore: [W801, W8]}", "lint", {"ignore": ["W801", None]}, [("E203", 5, 23)]),
        ("vars: {a×: 1, b: 2}", "vars", {"a×": None, "b": 2}, [("E207", 5, 8)]),
    ],
)
def test_what_is_wrong_is_told_and_left_out(more, section, left, diagnostics):
    content, found = check(f"{SMALL}{more}\n")
    assert content.get(section) == left
    assert found == diagnostics


@pytest.mark.parametrize(
    ("more", "section", "left", "diagnostics"),
    [
        ("nmae: x", "name", None, [("E201", 5, 1)]),
        # Of what is below an unknown key nothing is said.
        ("runs: {wiat: soon, attempts: 2}", "run", None, [("E201", 5, 1)]),
        ("frames: 3", "frames", None, [("E201", 5, 1)]),
    ],
)
def test_of_an_unknown_key_and_what_was_meant_nothing_is_known(more, section, left, diagnostics):
    content, found = check(f"{SMALL}{more}\n")
    assert (content.get(section), found) == (left, diagnostics)


def test_a_key_that_is_misspelled_is_not_missing():
    content, found = check(SMALL.replace("{url: u,", "{ur: u, colour: x,").replace("text: x", "txet: x"))
    assert found == [("E201", 3, 11), ("E201", 3, 18), ("E201", 4, 19)]
    assert content["images"] == [{"url": None, "colour": None, "vars": {"a": 1}}]
    assert content["prompts"] == [{"id": "p", "text": None}]


def test_a_manifest_is_a_mapping():
    assert check("- 1\n") == ({}, [("E204", 1, 1)])


def test_doubts_are_told_where_anything_is_allowed():
    content, diagnostics = check(SMALL.replace("a: 1", "a: no") + "vars: {b: 1e3}\nmatrix: {c: [08]}\nname: 'no'\n")
    assert content is not None
    assert diagnostics == [("W901", 3, 29), ("W901", 5, 11), ("W901", 6, 14)]


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
    content, diagnostics = check(f"{SMALL}matrix: {{{matrix}}}\n")
    assert content is not None
    assert [each[0] for each in diagnostics] == (["W903"] if warned else [])


def test_uploads_to_a_bucket_need_its_package(monkeypatch):
    monkeypatch.setattr(structure, "can_be_opened", lambda: False)
    _, found = check(f"{SMALL}uploads: {{to: s3://campaigns/x}}\n")
    assert found == [("E421", 5, 15)]
    _, found = check(f"{SMALL}uploads: {{to: service}}\n")
    assert found == []
