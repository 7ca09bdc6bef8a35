"""What reviewers say, in the index, the table, the page, `status` and selections."""

from __future__ import annotations

import csv
import io
import json

import pytest

from runner.verdicts.verdict import Stars
from runner.verdicts.verdict_files import append, file_of, folder_of
from tests.command import call
from tests.kit import write_manifest
from tests.reviewing import buy, planned, say, sha256_of


@pytest.fixture
def bought(tmp_path):
    """Two pictures with two takes each."""
    path = write_manifest(tmp_path, pictures=2, takes=2)
    return path, {job.key: job for job in buy(path)}


@pytest.fixture
def judged(bought):
    """ann picks one clip, rejects another, and gives a third five stars; one line of bob is no verdict."""
    path, jobs = bought
    say(path, jobs["p0/plain/take-1"], "pick")
    say(path, jobs["p0/plain/take-2"])
    third = jobs["p1/plain/take-1"]
    append(folder_of(path), "ann", Stars(third.id, 5), {third.id: sha256_of(third)})
    file_of(folder_of(path), "bob").write_bytes(b"<<<<<<< \x1b[31mHEAD\n")
    return path


def written(path):
    assert call("index", path).code == 0
    return {each["key"]: each for each in json.loads((path.parent / "out" / "index.json").read_text())["jobs"]}


def keys_of(path, *flags):
    jobs = call("plan", path, "--json", *flags).document["jobs"]
    return [each["key"] for each in jobs if each["reason"] != "not selected"]


def test_the_index_has_marks_and_picks(judged):
    jobs = written(judged)
    assert [each["marks"] for each in jobs.values()] == [
        {"ann": {"mark": "pick", "stars": None}}, {"ann": {"mark": "reject", "stars": None}},
        {"ann": {"mark": None, "stars": 5}}, {},
    ]  # fmt: skip
    assert [each["pick"] for each in jobs.values()] == [True, False, False, False]
    rows = list(csv.DictReader(io.StringIO((judged.parent / "out" / "index.csv").read_text())))
    assert [(row["marks.ann.mark"], row["marks.ann.stars"], row["pick"]) for row in rows] == [
        ("pick", "", "true"), ("reject", "", "false"), ("", "5", "false"), ("", "", "false"),
    ]  # fmt: skip
    assert (
        '"marks":{"ann":{"mark":"pick","stars":null}},"pick":true' in (judged.parent / "out" / "index.html").read_text()
    )


def test_status_counts_them_and_tells_what_does_not_count(judged):
    document = call("status", judged, "--json").document
    assert document["verdicts"] == {"picked": 1, "rejected": 1, "stale": 0, "uncounted": 1}
    shown = call("status", judged)
    assert [line.split() for line in shown.out.splitlines() if "picked" in line or "rejected" in line] == [
        ["picked", "1"], ["rejected", "1"],
    ]  # fmt: skip
    assert "not counted: bob.jsonl:1: it is not JSON" in shown.out
    one = call("status", judged, "--json", "--only", "*/take-2").document["verdicts"]
    assert (one["picked"], one["rejected"]) == (0, 1)


def test_what_strangers_wrote_cannot_steer_a_terminal(judged):
    folder = folder_of(judged)
    (folder / "e\x1b]0;x\x07.jsonl").write_text("{}")
    (folder / "eve.jsonl").write_bytes(b'{"v": 1, "kind": "mark", "\\u001b[2J\\u202e": 1}\n')
    for command in ("status", "plan"):
        ended = call(command, judged)
        assert not {"\x1b", "\x07", "\u202e"} & {*ended.out, *ended.err}
        assert "eve.jsonl:1" in ended.out + ended.err


def test_where_nobody_has_said_anything_nothing_is_told(bought):
    path, _ = bought
    assert "verdicts" not in call("status", path, "--json").document
    assert "picked" not in call("status", path).out
    assert [(each["marks"], each["pick"]) for each in written(path).values()] == [({}, False)] * 4


def test_picks_select_jobs(judged):
    assert keys_of(judged, "--where", "pick=yes") == ["p0/plain/take-1"]
    assert len(keys_of(judged, "--where", "pick=no")) == 3
    assert len(keys_of(judged, "--where", "pick=no", "--where", "pick=yes")) == 4
    assert keys_of(judged, "--where", "pick=no", "--where", "status=succeeded", "--where", "take=1") == [
        "p1/plain/take-1"
    ]
    assert call("status", judged, "--json", "--where", "pick=yes").document["totals"]["succeeded"] == 1
    assert call("index", judged, "--where", "pick=yes").code == 0
    assert len(json.loads((judged.parent / "out" / "index.json").read_text())["jobs"]) == 1


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--where", "pick=maybe"), "no job has such a pick"),
        (("--where", "pick=yes", "--where", "status=failed"), "no job is selected by"),
    ],
)
def test_picks_that_no_job_has(judged, flags, told):
    ended = call("status", judged, "--json", *flags)
    assert (ended.code, told in ended.document["error"]["message"]) == (2, True)


def test_a_variable_called_pick_goes_before(tmp_path):
    path = write_manifest(tmp_path, matrix={"pick": ["lock", "ice"]}, prompts=[{"id": "a", "text": "A {{ pick }}"}])
    assert keys_of(path, "--where", "pick=ice") == ["p0/a/pick=ice/take-1"]


def test_the_rule_of_the_manifest_decides(judged):
    text = judged.read_text()
    for rule, picked in (("all", 1), ("votes", 0), ("ann", 1), ("bob", 0)):
        judged.write_text(f"{text}review: {{picks: {rule}}}\n")
        assert call("status", judged, "--json").document["verdicts"]["picked"] == picked


def test_a_reviewer_who_has_said_nothing_is_warned_of(judged):
    judged.write_text(f"{judged.read_text()}review: {{picks: anne}}\n")
    (found,) = planned(judged).diagnostics
    assert (found.code, found.message) == ("W542", "there are no verdicts of 'anne': nothing is picked")
    assert "did you mean 'ann'?" in found.hint


def test_the_sandbox_has_verdicts_of_its_own(judged):
    sandbox = folder_of(judged, is_sandbox=True)
    assert call("plan", judged, "--sandbox", "--json").document["totals"]["submit"] == 4
    sandbox.mkdir()
    (sandbox / "ann.jsonl").write_bytes(file_of(folder_of(judged), "ann").read_bytes())
    assert "picked" not in call("status", judged, "--sandbox").out, "there is no clip of the sandbox yet"
