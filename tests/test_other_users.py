"""A colleague looks at a campaign: it works, and leaves nothing behind that would lock its owner out."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager

import pytest

from runner.state.store import Store
from tests.command import SANDBOX, Ended, call, environment
from tests.kit import write_manifest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user, and somebody else")

STRANGER = 65_432
READING = (["status"], ["status", "--json"], ["plan"], ["verify"], ["index", "--json"])
# Python itself may lie where only root reads: the stranger may read everything, and write nothing.
READS = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search", "--bounding-set=-all,+dac_read_search")
# A run that has written ahead, and goes on until it is killed.
RUNNING = """
import sys, time
from pathlib import Path
from runner.state.store import Store
with Store.open(Path(sys.argv[1])) as store:
    for number in "12":
        with store.transaction():
            store.remember("note", number)
    print("written", flush=True)
    time.sleep(600)
"""


# Commands one after the other, each with what is in the folder after it.
STRANGERS = """
import json, sys
from dataclasses import astuple
from pathlib import Path
from tests.command import call
from tests.test_other_users import entries
print(json.dumps([(astuple(call(*words)), entries(Path(sys.argv[2]))) for words in json.loads(sys.argv[1])]))
"""


def as_stranger(*words):
    """Run Python as another user."""
    user = ("setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", *READS)
    return subprocess.run(
        [*user, sys.executable, *map(str, words)],
        env=environment(PYTHONDONTWRITEBYTECODE="1"), capture_output=True, text=True, check=False,
    )  # fmt: skip


def stranger(*words):
    """Run a command as another user."""
    done = as_stranger("-m", "runner", *words)
    return Ended(done.returncode, done.stdout, done.stderr)


def strangers(commands, out):
    """How commands of another user end, and what is in the folder after each."""
    done = as_stranger("-c", STRANGERS, json.dumps(commands), out)
    assert done.returncode == 0, done.stderr
    return [(Ended(*ended), [tuple(each) for each in found]) for ended, found in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    assert call("run", write_manifest(folder), *SANDBOX).code == 0
    return folder


@pytest.fixture
def campaign(finished, tmp_path):
    """A finished campaign that anybody may enter: the manifest, and the folder of its results."""
    shutil.copytree(finished, tmp_path / "campaign")
    for folder in (tmp_path / "campaign", tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    return tmp_path / "campaign" / "campaign.yaml", tmp_path / "campaign" / "out-sandbox"


@contextmanager
def running(state):
    """A run that has written ahead."""
    words = [sys.executable, "-c", RUNNING, state]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
            yield process
        finally:
            process.kill()


def reading(manifest):
    return [[*words, str(manifest), "--sandbox"] for words in READING]


def entries(out):
    """What is in a folder, whose it is, and how it may be used."""
    found = [(path, path.lstat()) for path in sorted(out.rglob("*"))]
    return [(str(path.relative_to(out)), each.st_uid, each.st_mode, each.st_mtime_ns) for path, each in found]


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_what_only_reads_works_for_another_user_and_leaves_nothing_behind(campaign, mode):
    manifest, out = campaign
    out.chmod(mode)
    before = entries(out)
    for ended, found in strangers(reading(manifest), out):
        assert (ended.code, found) == (0, before), ended
    assert ended.document["totals"]["succeeded"] == 1
    assert "Not written: " in ended.err
    assert call("run", manifest, *SANDBOX).code == 0


@pytest.mark.parametrize("is_killed", [False, True], ids=["at work", "killed"])
def test_a_state_with_a_log_is_read_as_it_stands(campaign, is_killed):
    manifest, out = campaign
    out.chmod(0o777)
    with running(out / "state.sqlite") as process:
        if is_killed:
            process.send_signal(signal.SIGKILL)
            process.wait()
        before = [each[:3] for each in entries(out)]
        assert "state.sqlite-wal" in {name for name, *_ in before}
        for ended, found in strangers(reading(manifest), out):
            assert (ended.code, [each[:3] for each in found]) == (0, before), ended
    assert call("run", manifest, *SANDBOX).code == 0


def test_a_first_plan_that_was_killed_is_taken_back_in_a_copy(campaign):
    """Its rollback journal stays for the owner: a reader could not take it back."""
    manifest, out = campaign
    state = out / "state.sqlite"
    # What was there before is in the journal, and the file is as the first half of a plan left it.
    code = (
        "import os, sqlite3, sys\nconnection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.executescript('PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; PRAGMA cache_spill = 1;"
        " BEGIN; DELETE FROM artifacts; DELETE FROM attempts;')\n"
        "connection.execute('CREATE TABLE half AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " LIMIT 5000) SELECT i, randomblob(100) FROM n')\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, state], check=False)
    before = entries(out)
    assert "state.sqlite-journal" in {name for name, *_ in before}
    ended = stranger("status", manifest, "--sandbox", "--json")
    assert (ended.code, entries(out)) == (0, before), ended.err
    assert ended.document["totals"]["succeeded"] == 1
    assert call("run", manifest, *SANDBOX).code == 0
    assert not (out / "state.sqlite-journal").exists()


def test_the_owner_goes_on_where_another_program_left_its_log(campaign):
    """SQLite opens a log of somebody else for reading alone, and the state with it."""
    manifest, out = campaign
    owner = 65_433
    for path in (manifest.parent, *manifest.parent.rglob("*")):
        os.chown(path, owner, owner)
    for ending in ("-wal", "-shm"):
        (out / f"state.sqlite{ending}").touch(0o644)
        os.chown(out / f"state.sqlite{ending}", STRANGER, STRANGER)
    code = (
        "import sys\nfrom pathlib import Path\nfrom runner.state.store import Store\n"
        "with Store.open(Path(sys.argv[1])) as store, store.transaction():\n    store.remember('note', '1')"
    )
    user = ("setpriv", f"--reuid={owner}", f"--regid={owner}", "--clear-groups", *READS)
    subprocess.run([*user, sys.executable, "-c", code, out / "state.sqlite"], env=environment(), check=True)
    assert [path.name for path in out.glob("state.sqlite-*")] == []


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_state_follows_the_umask(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        with Store.open(tmp_path / "state.sqlite") as store:
            for _ in range(2):
                with store.transaction():
                    store.remember("note", "1")
            beside = [path for path in tmp_path.iterdir() if path.name.endswith(("sqlite", "-wal", "-shm"))]
            assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in beside} == {
                f"state.sqlite{ending}": mode for ending in ("", "-wal", "-shm")
            }
    finally:
        os.umask(before)


def test_the_index_of_a_folder_that_cannot_be_written_is_told_and_not_written(campaign):
    manifest, out = campaign
    (out / "index.json").unlink()
    ended = stranger("index", manifest, "--sandbox", "--json")
    assert (ended.code, ended.document["index"]) == (0, str(out / "index.json"))
    assert not (out / "index.json").exists()
    refused = stranger("index", manifest, "--sandbox")
    assert (refused.code, "make the folder writable, then run 'reelrun index'" in refused.err) == (7, True)
    assert call("index", manifest, "--sandbox", "--json").code == 0
    assert json.loads((out / "index.json").read_text())["totals"]["succeeded"] == 1
