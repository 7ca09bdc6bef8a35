from __future__ import annotations

import json
import re

import pytest

from runner.model import Status
from tests.command import call
from tests.kit import MODEL, picture_bytes, write_manifest
from tests.test_planning_plan import plan as planned
from tests.test_planning_plan import state_of

DIAGNOSTIC = ["code", "severity", "file", "line", "column", "message", "hint"]
ARMS = [{"id": "plain", "text": "{{ s }}"}, {"id": "mood", "text": "Fog, {{ s }}"}]
SWEEP = {"pictures": 2, "prompts": ARMS, "matrix": {"s": ["wet rock", "warm sand"]}}


# validate


def test_a_sound_manifest(tmp_path):
    ended = call("validate", write_manifest(tmp_path, **SWEEP))
    assert (ended.code, ended.err) == (0, "")
    assert "is sound: 8 jobs. Next: reelrun plan " in ended.out
    assert not (tmp_path / "out").exists()


def test_validate_prints_its_document_for_a_sound_manifest(tmp_path):
    ended = call("validate", write_manifest(tmp_path), "--json")
    assert (ended.code, ended.document, ended.err) == (0, {"diagnostics": []}, "")


@pytest.mark.parametrize(
    "content", [None, b"", b"a: [1\nb: }", b"\xff\xfe\x00", b"- 1\n", b"a: 1\na: 2\n", b"version: 2\n"]
)
def test_validate_prints_its_document_for_everything(tmp_path, content):
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    ended = call("validate", path, "--json")
    assert (ended.code, ended.err) == (2, "")
    assert list(ended.document) == ["diagnostics"]
    assert [list(each) for each in ended.document["diagnostics"]] == [DIAGNOSTIC] * len(ended.document["diagnostics"])
    assert ended.document["diagnostics"]


def test_problems_of_templates_come_with_those_of_pictures(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    path = write_manifest(
        tmp_path, images=[{"file": "p0.jpg"}, {"file": "bad.jpg"}], prompts=[{"id": "a", "text": "{{ nope }}"}]
    )
    found = call("validate", path, "--json").document["diagnostics"]
    assert [each["code"] for each in found] == ["E402", "E311"]


def test_an_exclude_of_a_picture_that_is_broken_is_no_second_error(tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    path = write_manifest(
        tmp_path, images=[{"file": "p0.jpg"}, {"file": "bad.jpg"}], matrix={"s": [1], "exclude": [{"image": "bad"}]}
    )
    assert [each["code"] for each in call("validate", path, "--json").document["diagnostics"]] == ["E402"]


def test_validate_says_what_is_wrong_where_and_how_to_mend_it(tmp_path):
    ended = call("validate", write_manifest(tmp_path, params={"duration": 5}))
    assert ended.code == 2
    assert ended.out == ""
    first, line, caret, remedy, last = ended.err.splitlines()
    assert re.search(r"campaign\.yaml:\d+:13: error\[E204\]: ", first)
    assert line.endswith("|   duration: 5")
    assert caret.endswith("|             ^")
    assert remedy.startswith("   help: ")
    assert last == "1 error. Nothing was sent."


# plan


def test_a_plan_for_people(tmp_path):
    path = write_manifest(
        tmp_path, **{**SWEEP, "matrix": {**SWEEP["matrix"], "exclude": [{"image": "p1", "s": "wet rock"}]}},
        takes=2, budget={"price_per_job": 0.25, "max_cost": 40},
    )  # fmt: skip
    ended = call("plan", path)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == f"test · {MODEL}"
    assert lines[1] == "2 images x 2 prompts x 2 variants x 2 takes, less 4 excluded = 12 cells, 12 jobs"
    assert lines[3] == f"  submit      12   {'new':<36}     $3.00"
    assert lines[-1] == (
        f"Next: reelrun run {path}        (12 submissions, $3.00; $3.00 of the budget of $40.00 when done)"
    )
    assert "  ... 7 more; --jobs lists all" in lines
    assert not (tmp_path / "out").exists()


def test_every_job_on_request(tmp_path):
    out = call("plan", write_manifest(tmp_path, **SWEEP), "--jobs").out
    assert len(re.findall(r"^  submit  [0-9a-f]{16}  p\d/\w+/s=[a-z-]+/take-1  \(new\)$", out, re.MULTILINE)) == 8


def test_equal_requests_are_shown(tmp_path):
    out = call("plan", write_manifest(tmp_path, prompts=[{"id": name, "text": "same"} for name in "ab"])).out
    assert "1 image x 2 prompts = 2 cells, 1 job (1 cell renders to the same request)" in out
    assert "  p0/a/take-1 = p0/b/take-1" in out


def test_the_document_of_a_plan(tmp_path):
    path = write_manifest(tmp_path, **SWEEP, budget={"price_per_job": 0.25, "currency": "EUR"})
    ended = call("plan", path, "--json")
    document = ended.document
    assert (ended.code, ended.err) == (0, "")
    assert list(document) == ["manifest", "totals", "cost", "jobs", "duplicates", "diagnostics"]
    assert document["manifest"] == str(path.resolve())
    assert document["totals"] == {"submit": 8, "attach": 0, "fetch": 0, "keep": 0, "skip": 0}
    assert document["cost"] == {"total": 2.0, "currency": "EUR"}
    assert (document["duplicates"], document["diagnostics"]) == ([], [])
    first = document["jobs"][0]
    assert list(first) == [
        *("id", "key", "image", "prompt_id", "model", "variables", "take", "payload", "action", "reason"),
    ]
    assert re.fullmatch("[0-9a-f]{16}", first["id"])
    assert (first["key"], first["variables"]) == ("p0/plain/s=wet-rock/take-1", {"s": "wet rock"})
    assert first["payload"]["image"].startswith("sha256:")


def test_no_price_is_null(tmp_path):
    assert call("plan", write_manifest(tmp_path), "--json").document["cost"] is None


def test_duplicates_in_the_document(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": name, "text": "same"} for name in "abc"])
    assert call("plan", path, "--json").document["duplicates"] == [["p0/a/take-1", "p0/b/take-1", "p0/c/take-1"]]


def test_warnings_do_not_stop_a_plan(tmp_path):
    path = write_manifest(tmp_path)
    path.write_text(path.read_text() + "vars:\n  answer: no\n")
    ended = call("plan", path, "--json")
    warnings = ended.document["diagnostics"]
    assert ended.code == 0
    assert [each["severity"] for each in warnings] == ["warning"]
    assert "1 warning." in call("plan", path).err


def test_a_plan_over_the_budget_still_answers(tmp_path):
    path = write_manifest(tmp_path, takes=3, budget={"price_per_job": 1, "max_cost": 2})
    assert call("plan", path).code == 0


def test_the_next_step_repeats_the_choice(tmp_path):
    path = write_manifest(tmp_path, **SWEEP)
    out = call("plan", path, "--only", "*/mood/*", "--retry-failed").out
    assert f"Next: reelrun run {path} --only '*/mood/*' --retry-failed        (4 submissions)" in out
    assert "  skip         4   not selected" in out


def test_a_choice_of_nothing_is_said(tmp_path):
    ended = call("plan", write_manifest(tmp_path), "--only", "mistyped*")
    assert ended.code == 0
    assert "No job's key matches --only; the first key is p0/plain/take-1" in ended.err


def test_a_plan_against_a_state(tmp_path):
    keys = {**SWEEP, "budget": {"price_per_job": 0.25, "max_cost": 40}}
    made = planned(tmp_path, **keys)
    with state_of(made, Status.SUCCEEDED, Status.FAILED, Status.WAITING, Status.UNKNOWN):
        pass
    ended = call("plan", tmp_path / "campaign.yaml")
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert f"  submit       4   {'new':<36}     $1.00" in lines
    assert "  attach       1   in flight" in lines
    assert "  keep         1   done" in lines
    assert "  skip         1   failed; --retry-failed submits it again" in lines
    assert "$1.00" in next(line for line in lines if "spent so far" in line)
    assert "$2.00 of the budget of $40.00 when done" in lines[-1]


def test_failed_jobs_alone_have_a_next_step(tmp_path):
    made = planned(tmp_path)
    with state_of(made, Status.FAILED):
        pass
    assert "--retry-failed        (nothing else is left to do)" in call("plan", tmp_path / "campaign.yaml").out
    done = planned(tmp_path / "b")
    with state_of(done, Status.SUCCEEDED):
        pass
    assert call("plan", tmp_path / "b" / "campaign.yaml").out.endswith("\nNothing is left to do.\n")


def test_a_state_that_is_no_state(tmp_path):
    path = write_manifest(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "state.sqlite").write_bytes(b"nothing that SQLite knows" * 100)
    ended = call("plan", path, "--json")
    assert ended.code == 7
    assert ended.document["error"]["code"] == "state"


def test_pictures_are_not_in_the_document(tmp_path):
    picture = picture_bytes(3)
    (tmp_path / "p.jpg").write_bytes(picture)
    out = call("plan", write_manifest(tmp_path, images=[{"file": "p.jpg"}]), "--json").out
    assert len(out) < 3000
    assert json.loads(out)["jobs"][0]["payload"]["image"].count(":") == 1
