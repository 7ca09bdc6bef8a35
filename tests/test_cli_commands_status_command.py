from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli.main import main
from runner.cli.screen import shown_path
from runner.model import Status
from tests.command import call
from tests.kit import register, write_manifest
from tests.test_planning_plan import plan, state_of

PRICED = {"takes": 4, "budget": {"price_per_job": 0.25, "max_cost": 40}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of four takes one is done, one is on its way, one was refused, and one was never submitted."""
    with state_of(plan(tmp_path, **PRICED), Status.SUCCEEDED, Status.WAITING, Status.REJECTED):
        return tmp_path / "campaign.yaml"


def test_status_before_the_first_run(tmp_path):
    path = write_manifest(tmp_path)
    ended = call("status", path)
    assert (ended.code, ended.out) == (0, f"test: no run yet. Next: reelrun run {path}\n")
    assert set(call("status", path, "--json").document["totals"].values()) == {0}
    assert not (tmp_path / "out").exists()


def test_status(path):
    ended = call("status", path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "test · 4 jobs",
        "",
        "  pending        1",
        "  waiting        1",
        "  succeeded      1",
        "  rejected       1",
        "",
        "  $0.50 of the budget of $40.00 spent",
        "",
        "  waiting   p0/plain/take-2: processing",
        "  rejected  p0/plain/take-3: rejected",
        "  pending   p0/plain/take-4: not submitted yet",
        "",
        f"Next: reelrun run {path}",
    ]


def test_the_document_of_a_status(path):
    document = call("status", path, "--json").document
    assert list(document) == ["manifest", "totals", "submitted", "cost", "index", "output_dir"]
    assert list(document["totals"]) == [str(status) for status in Status]
    assert document["submitted"] == 0
    assert document["cost"] == {"total": 0.5, "currency": "USD"}
    assert document["manifest"] == str(path.resolve())
    assert Path(document["index"]).is_absolute()
    assert document["output_dir"] == str(path.parent.resolve() / "out")


def test_status_of_a_part_that_only_failed(tmp_path):
    with state_of(plan(tmp_path), Status.FAILED):
        pass
    path = tmp_path / "campaign.yaml"
    assert call("status", path).out.endswith(f"Next: reelrun run {path} --retry-failed\n")


def test_long_lists_are_cut(tmp_path):
    made = plan(tmp_path, takes=30)
    with state_of(made, *[Status.FAILED] * 30):
        pass
    out = call("status", tmp_path / "campaign.yaml").out
    assert "  ... and 10 more; index.json has all after reelrun index " in out


def test_index_needs_a_state(tmp_path):
    ended = call("index", write_manifest(tmp_path), "--json")
    assert (ended.code, ended.document["error"]["code"]) == (7, "state")
    assert "reelrun run" in ended.document["error"]["hint"]


def test_index_is_written_anew(path):
    out = path.parent / "out"
    assert call("index", path).out == f"Wrote {shown_path(out / 'index.json')}, index.csv and index.html beside it.\n"
    document = json.loads((out / "index.json").read_text())
    assert [job["status"] for job in document["jobs"]] == ["succeeded", "waiting", "rejected", "pending"]
    (out / "index.json").unlink()
    ended = call("index", path, "--json")
    assert ended.document["index"] == str(out.resolve() / "index.json")
    assert json.loads((out / "index.json").read_text())["totals"] == ended.document["totals"]


def test_sandbox_and_output_choose_the_state(path, tmp_path):
    assert "no run yet" in call("status", path, "--sandbox").out
    assert "no run yet" in call("status", path, "--output", tmp_path / "else").out
    assert "test · 4 jobs" in call("status", path, "--output", path.parent / "out").out


@pytest.mark.parametrize("command", ["status", "index", "plan", "verify"])
def test_a_damaged_state_is_told_and_not_touched(path, command):
    state = path.parent / "out" / "state.sqlite"
    for name in ("-wal", "-shm"):
        state.with_name(state.name + name).unlink(missing_ok=True)
    state.write_bytes(b"x" * 4096)
    ended = call(command, path, "--json")
    assert (ended.code, ended.document["error"]["code"]) == (7, "state")
    assert "damaged" in ended.document["error"]["message"]
    assert state.read_bytes() == b"x" * 4096


def test_the_entry_point_is_a_function_of_its_words(path, capsys):
    assert main(["status", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["submitted"] == 0


PANS = [{"id": "plain", "text": "A slow pan, {{ s }}"}]
SWEEP = {"pictures": 2, "prompts": PANS, "matrix": {"s": ["wet rock", 5]}, "budget": {"price_per_job": 0.25}}


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """p0 is done on the rock and failed on 5; of p1 nothing was submitted."""
    with state_of(plan(tmp_path, **SWEEP), Status.SUCCEEDED, Status.FAILED):
        return tmp_path / "campaign.yaml"


def test_status_of_the_selected(sweep):
    out = call("status", sweep, "--where", "s=5").out.splitlines()
    assert out[0] == "test · 2 jobs"
    assert out[2:4] == ["  pending        1", "  failed         1"]
    assert "  $0.25 spent" in out
    assert out[-1] == f"Next: reelrun run {sweep} --where s=5"
    document = call("status", sweep, "--json", "--skip", "p0/*").document
    assert (document["totals"]["pending"], sum(document["totals"].values())) == (2, 2)
    assert "groups" not in document


def test_status_by_a_variable(sweep):
    out = call("status", sweep, "--by", "s").out.splitlines()
    start = out.index("  s           pending  succeeded     failed")
    assert out[start + 1 : start + 3] == [
        "  wet rock          1          1          -",
        "  5                 1          -          1",
    ]
    groups = call("status", sweep, "--by", "image", "--json", "--where", "s=5").document["groups"]
    assert {value: {k: n for k, n in counts.items() if n} for value, counts in groups["image"].items()} == {
        "p0": {"failed": 1}, "p1": {"pending": 1},
    }  # fmt: skip


def test_status_by_an_unknown_variable(sweep):
    ended = call("status", sweep, "--by", "z")
    assert ended.code == 2
    assert "--by names the unknown variable 'z'" in ended.err


def test_an_index_of_the_selected(sweep):
    ended = call("index", sweep, "--only", "p0/*")
    assert "of 2 selected jobs." in ended.out
    document = json.loads((sweep.parent / "out" / "index.json").read_text())
    assert [job["image"] for job in document["jobs"]] == ["p0", "p0"]
    assert sum(document["totals"].values()) == 2


def test_two_variables_are_grouped_by_both(tmp_path):
    made = plan(tmp_path, prompts=[{"id": "p", "text": "{{ s }}"}], matrix={"s": ["a", "b"]}, takes=2)
    with state_of(made, Status.SUCCEEDED, Status.FAILED, Status.SUCCEEDED, Status.WAITING):
        path = tmp_path / "campaign.yaml"
    out = call("status", path, "--by", "s", "--by", "take").out
    assert "  s  take    waiting  succeeded     failed" in out
    assert "  a  1             -          1          -" in out
    assert "  b  2             1          -          -" in out
    groups = call("status", path, "--by", "s", "--by", "take", "--json").document["groups"]["s,take"]
    assert groups["a"]["2"]["failed"] == 1
    assert groups["b"]["1"]["succeeded"] == 1


@pytest.mark.parametrize("command", ["status", "index", "verify"])
def test_what_selects_nothing_is_an_error_everywhere(path, command):
    ended = call(command, path, "--only", "*tak-1")
    assert ended.code == 2
    assert "--only *tak-1 matches no job" in ended.err
    assert "did you mean --only '*take-1*'?" in ended.err


def test_jobs_are_shown_by_their_status(path):
    document = call("status", path, "--where", "status=waiting", "--where", "status=pending", "--json").document
    assert {status: number for status, number in document["totals"].items() if number} == {"waiting": 1, "pending": 1}
    ended = call("status", path, "--where", "status=done")
    assert ended.code == 2
    assert "--where status=done: no job has such a status" in ended.err


def test_jobs_that_are_no_longer_in_the_manifest_are_counted_apart(tmp_path):
    made = plan(tmp_path, takes=3)
    with state_of(made, Status.SUCCEEDED, Status.SUCCEEDED, Status.FAILED) as store:
        fewer = plan(tmp_path, store=store, takes=1)
        with store.transaction():
            register(store, [each.job for each in fewer.jobs], None)
    out = call("status", tmp_path / "campaign.yaml").out
    assert out.startswith("test · 1 job\n\n  succeeded      1\n  removed        2   no longer in the manifest:")
