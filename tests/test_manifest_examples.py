"""The example manifests, as far as reading decides: what stands in each one's first comments is what is said of it."""

import json
import re
from pathlib import Path

import pytest
import yaml

from runner.errors import Severity
from runner.manifest.reader import read

EXAMPLES = Path(__file__).parent / "examples"
VALID = sorted((EXAMPLES / "valid").glob("*.yaml"))
INVALID = sorted((EXAMPLES / "invalid").glob("*.yaml"))
# What planning finds: templates, the matrix, output paths, costs. E312 is found by both.
OF_PLANNING = re.compile(r"E(?:3(?!12)|5|6|7)")

# `# expect: E204 18:13 "part of the help"`, with `FILE:` before the line where it is not the manifest itself. All that
# is found is listed, in order; the help is a JSON string and any part of what is printed.
EXPECT = re.compile(r'# expect: (?P<code>[EW]\d{3}) (?:(?P<file>\S+):)?(?P<line>\d+):(?P<column>\d+) (?P<help>".*")')


def header(path):
    lines = path.read_bytes().decode("latin-1").split("\n")
    return [line for line in lines if line.startswith(("# expect:", "# reads:"))]


def expectations(path):
    for line in header(path):
        if line.startswith("# expect:"):
            found = EXPECT.fullmatch(line.encode("latin-1").decode("utf-8"))
            assert found, f"{path}: {line}"
            yield found


@pytest.fixture
def at_examples(monkeypatch):
    """Names of files in diagnostics are relative to the current folder."""
    monkeypatch.chdir(EXAMPLES)


def check(path):
    path = path.relative_to(EXAMPLES)
    expected = list(expectations(EXAMPLES / path))
    reading = read(path)
    found = [(each.code, each.position.file, each.position.line, each.position.column) for each in reading.diagnostics]
    assert found == [
        (each["code"], each["file"] or str(path), int(each["line"]), int(each["column"])) for each in expected
    ]
    for each, diagnostic in zip(expected, reading.diagnostics, strict=True):
        assert json.loads(each["help"]), f"{path}: every problem comes with a remedy"
        assert json.loads(each["help"]) in diagnostic.hint
    return reading


def is_for_planning(path):
    return any(OF_PLANNING.match(each["code"]) for each in expectations(path))


@pytest.mark.usefixtures("at_examples")
@pytest.mark.parametrize("path", [each for each in INVALID if not is_for_planning(each)], ids=lambda path: path.stem)
def test_invalid(path):
    assert check(path).has_errors


@pytest.mark.usefixtures("at_examples")
@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid(path):
    reading = check(path)
    assert all(each.severity is Severity.WARNING for each in reading.diagnostics)
    manifest = reading.manifest
    reads = {
        "name": manifest.name,
        "images": [each.id for each in manifest.images],
        "prompts": [each.id for each in manifest.prompts],
        "models": list(manifest.models),
        "axes": list(manifest.matrix.axes),
    }
    told = next(line for line in header(path) if line.startswith("# reads:"))
    told = yaml.safe_load(told.encode("latin-1").decode("utf-8").removeprefix("# reads:"))
    assert {key: reads[key] for key in told} == told


def test_every_code_of_reading_has_an_example():
    from runner.manifest.codes import CODES

    shown = {each["code"] for path in (*VALID, *INVALID) for each in expectations(path)}
    assert {code for code in CODES if not OF_PLANNING.match(code)} <= shown
