"""The example manifests: what stands in the comments that open each one is what `validate` says, and what is planned.

`tests/tools/example_header.py` tells how these comments are written, and prints them.
"""

import dataclasses
import hashlib
import os
import re
import shutil
from decimal import Decimal

import pytest
import rfc8785

import runner
from runner.diagnostics.codes import CODES
from runner.errors import Exit
from runner.verdicts.verdict_files import folder_of
from tests.command import call
from tests.tools.example_header import EXAMPLES, FILES, INVALID, VALID, duplicate_lines, header_of, name_of, plan_lines

BOTH = (*VALID, *INVALID)
# Examples with a diagnostic that names no remedy: their headers say "" for it.
WITHOUT_HELP = {
    "fragment-divides-by-zero",
    "fragment-name-unknown",
    "length-name-of-a-model-schema",
    "render-divided-by-zero",
    "render-function-of-a-wrong-type",
    "render-text-and-number",
    "template-private",
}
# Told where the key is set, after seconds of rendering, and where there is a state: tests/hostile,
# test_planning_cells.py and test_planning_expansion_retakes.py have them.
WITHOUT_EXAMPLE = {"E108", "E318", "W541"}


def example(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@pytest.fixture(autouse=True)
def _at_examples(monkeypatch):
    """Names of files in diagnostics are relative to the current folder."""
    monkeypatch.chdir(EXAMPLES)


def check(path):
    """Validate an example, and compare what is found with what is expected: all of it, in order."""
    ended = call("validate", name_of(path), "--json", "--allow-outside", FILES)
    found = ended.document["diagnostics"]
    expected = header_of(path).expected
    assert [(each["code"], each["file"], each["line"], each["column"]) for each in found] == [
        each.place for each in expected
    ]
    for each, diagnostic in zip(expected, found, strict=True):
        assert each.help in diagnostic["hint"]
        assert tells(each.help, diagnostic["hint"]), f"{each.code} needs a telling help"
    assert all(each.help for each in expected) == (path.stem not in WITHOUT_HELP)
    return ended.code, found


def tells(part, hint):
    """Whether a part of a hint says something: words, or all that there is."""
    return len(part) >= 10 or part == hint


@example(INVALID)
def test_invalid(path):
    code, found = check(path)
    assert code == Exit.INVALID
    assert any(each["severity"] == "error" for each in found)
    assert not header_of(path).of("plan")


@example(VALID)
def test_valid(path):
    code, found = check(path)
    assert code == Exit.DONE
    assert all(each["severity"] == "warning" for each in found)
    plan = runner.plan(runner.load(name_of(path), allow_outside=[FILES]))
    header = header_of(path)
    assert plan_lines(plan) == header.of("plan")
    assert duplicate_lines(plan) == header.of("duplicates")
    jobs = {each.job.key: each.job for each in plan.jobs}
    assert [each.id for each in jobs.values()] == [id_by_contract(each) for each in jobs.values()]
    for key, members in header.payloads:
        assert {name: jobs[key].payload.get(name) for name in members} == members
    for key, output in (text.split(" ", 1) for text in header.of("writes")):
        assert jobs[key].output == output
    assert_holds(settings(plan.manifest), header.reads)


@example([path for path in BOTH if header_of(path).of("shows")])
def test_on_the_screen(path):
    ended = call("validate", name_of(path), "--allow-outside", FILES)
    lines = (ended.out + ended.err).splitlines()
    assert [line for line in lines if re.match(r" +\d* \| ", line)] == header_of(path).of("shows")


def id_by_contract(job):
    """The id of a job, from the request itself and by another implementation of RFC 8785."""
    request = rfc8785.dumps({"model": job.model, "payload": dict(job.payload)})
    fingerprint = hashlib.sha256(request).hexdigest()
    return hashlib.sha256(f"{fingerprint}/{job.take}".encode()).hexdigest()[:16]


def settings(manifest):
    """A manifest as JSON has it, with its folders relative to its own."""
    folder = manifest.path.parent
    return {
        "name": manifest.name,
        "images": [each.id for each in manifest.images],
        "prompts": [each.id for each in manifest.prompts],
        "models": list(manifest.models),
        "axes": list(manifest.matrix.axes),
        "takes": manifest.takes,
        "run": dataclasses.asdict(manifest.run),
        "budget": {
            key: float(value) if isinstance(value, Decimal) else value
            for key, value in dataclasses.asdict(manifest.budget).items()
        },
        "output": {
            "dir": os.path.relpath(manifest.output.dir, folder),
            "state": os.path.relpath(manifest.output.state, folder),
        },
    }


def assert_holds(known, told):
    """Every member of `told` is one of `known`, at any depth of mappings."""
    for key, value in told.items():
        if isinstance(value, dict):
            assert_holds(known[key], value)
        else:
            assert known[key] == value, key


def without_example(codes):
    """The codes that no header tells: errors of invalid examples, warnings of valid ones."""
    told = {
        each.code
        for paths, initial in ((INVALID, "E"), (VALID, "W"))
        for path in paths
        for each in header_of(path).expected
        if each.code.startswith(initial)
    }
    return set(codes) - told


def test_every_code_has_an_example():
    assert without_example(CODES) == WITHOUT_EXAMPLE
    assert without_example({*CODES, "E999", "W999"}) - WITHOUT_EXAMPLE == {"E999", "W999"}


def test_every_code_of_an_example_is_explained():
    assert {each.code for path in BOTH for each in header_of(path).expected} <= set(CODES)


IGNORING = sorted((EXAMPLES / "valid").glob("lint-ignored*.yaml"))


@example(IGNORING)
def test_what_an_example_ignores_would_be_told(path, tmp_path):
    rest, ignored = without_lint(path)
    (tmp_path / "files").symlink_to(EXAMPLES / "files")
    (tmp_path / "valid").mkdir()
    bare = tmp_path / "valid" / "bare.yaml"
    bare.write_text(rest)
    if (verdicts := folder_of(path)).is_dir():
        shutil.copytree(verdicts, folder_of(bare))
    ended = call("validate", bare, "--json", "--allow-outside", FILES)
    assert {each["code"] for each in ended.document["diagnostics"]} == ignored


def test_every_warning_can_be_ignored():
    ignored = set().union(*(without_lint(path)[1] for path in IGNORING))
    assert ignored == {code for code in CODES if code.startswith("W")} - WITHOUT_EXAMPLE


def without_lint(path):
    """An example without the end that says what is ignored, and the codes there."""
    rest, _, ignored = path.read_text().partition("\nlint:\n")
    return rest, set(re.findall(r"W\d{3}", ignored))


def test_there_are_enough():
    assert len(INVALID) >= 120
    assert len(VALID) >= 40
