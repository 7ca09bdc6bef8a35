"""Real states of every version, and files that are none, before every command that opens one."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from runner.state.migrations import VERSION
from tests.command import SANDBOX, call
from tests.kit import STATES, write_state

# What a run does about each fate. Three were never bought, or given up: everything else is not bought again.
DUE = {
    "succeeded": "keep", "retried": "keep", "failed": "skip", "rejected": "skip", "cancelled": "skip",
    "processing": "attach", "finished": "fetch", "doubted": "attach", "lost": "attach", "intended": "attach",
    "given up": "submit", "withdrawn": "submit", "pending": "submit",
}  # fmt: skip
TOTALS = {"pending": 3, "waiting": 3, "unknown": 3, "succeeded": 3, "failed": 1, "rejected": 1, "cancelled": 1}
READING = ("status", "plan", "index", "verify")


@pytest.fixture
def place(tmp_path):
    """The manifest, and where the sandbox's state of it lies."""
    shutil.copy(STATES / "campaign.yaml", tmp_path)
    (tmp_path / "out-sandbox").mkdir()
    return tmp_path / "campaign.yaml", tmp_path / "out-sandbox" / "state.sqlite"


@pytest.fixture(params=range(1, VERSION + 1))
def campaign(place, request):
    """The manifest and a state of each version."""
    manifest, state = place
    return manifest, write_state(state, request.param)


def planned(manifest):
    jobs = call("plan", manifest, "--sandbox", "--json").document["jobs"]
    return {each["variables"]["fate"]: each["action"] for each in jobs}


def test_every_command_that_reads_a_state_reads_every_version_and_leaves_nothing_behind(campaign):
    manifest, state = campaign
    content = state.read_bytes()
    status = call("status", manifest, "--sandbox", "--json", "--by", "fate")
    assert (status.code, status.document["totals"], status.document["cost"]["total"]) == (0, TOTALS, 3.25)
    assert set(status.document["groups"]["fate"]) == {*DUE, "gone", "leaving"}
    assert "shoe/plain/fate=lost/take-1: the connection was reset" in call("status", manifest, "--sandbox").out
    assert planned(manifest) == DUE
    verified = call("verify", manifest, "--sandbox", "--json")
    assert (verified.code, verified.document["artifacts"], len(verified.document["missing"])) == (7, 6, 6)
    assert [each.name for each in state.parent.iterdir()] == [state.name]
    assert call("index", manifest, "--sandbox").code == 0
    jobs = json.loads((state.parent / "index.json").read_text(encoding="utf-8"))["jobs"]
    assert {each["variables"]["fate"]: each["request_id"] for each in jobs}["gone"] == "request-1"
    assert sorted(each.name for each in state.parent.iterdir()) == ["index.csv", "index.html", "index.json", state.name]
    assert state.read_bytes() == content


def test_a_run_brings_every_version_up_and_buys_nothing_again(campaign):
    manifest, state = campaign
    dry = call("run", manifest, "--sandbox", "--dry-run", "--json")
    assert (dry.code, dry.document["totals"], dry.document["cost"]["total"]) == (0, TOTALS, 3.25)
    with closing(sqlite3.connect(state)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert planned(manifest) == DUE


def test_a_run_goes_on_with_the_oldest_state(place):
    manifest, state = place
    write_state(state, 1)
    selected = [word for fate in ("succeeded", "retried", "failed", "pending") for word in ("--where", f"fate={fate}")]
    ended = call("run", manifest, *SANDBOX, *selected, "--json")
    assert (ended.document["submitted"], ended.document["cost"]["total"]) == (1, 3.5)
    assert planned(manifest) == {**DUE, "pending": "keep"}


def newer(path):
    write_state(path, VERSION)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


def foreign(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (mine)")


def cut(path):
    content = write_state(path, 1).read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("made", "said", "remedy"),
    [
        (newer, "written by a newer reelrun", "the version of reelrun that wrote it"),
        (foreign, "not a state of reelrun", "output.state"),
        (cut, "is damaged", "put back the latest state"),
        (lambda path: path.write_text("prompt,seed\n" * 100), "is damaged", "put back the latest state"),
    ],
    ids=["newer", "foreign", "cut", "text"],
)
def test_what_is_no_state_of_ours_is_refused_by_every_command_and_left_alone(place, made, said, remedy):
    manifest, state = place
    made(state)
    content = state.read_bytes()
    for words in (*((name, manifest, "--sandbox") for name in READING), ("run", manifest, *SANDBOX)):
        ended = call(*words, "--json")
        assert ended.code == 7, words
        assert said in ended.document["error"]["message"]
        assert remedy in ended.document["error"]["hint"]
        assert state.read_bytes() == content
    assert not list(state.parent.glob("state.sqlite-*"))
