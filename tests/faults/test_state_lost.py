"""The state is moved, removed, replaced or emptied, during a run or between two: nothing is paid for twice."""

import os
import shutil
import subprocess
import sys

import pytest

from runner import campaign
from runner.errors import Exit, LockedError, StateError
from runner.manifest.reader import load
from runner.model import Status
from runner.planning.selection import Selection
from runner.state.runlock import run_lock
from runner.state.store import Store
from tests.command import call, environment
from tests.faults.harness import connection
from tests.faults.service import FaultyService
from tests.kit import few_frames, write_manifest

JOBS = 3


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    with FaultyService(few_frames()) as started:
        yield started


@pytest.fixture
def manifest(tmp_path):
    return write_manifest(tmp_path, pictures=JOBS)


@pytest.fixture
def out(manifest):
    return manifest.parent / "out"


def run(manifest, service):
    return campaign.run(load(manifest), connection(service), Selection(), confirm=lambda plan: True)


def harmed(manifest, service):
    """The error of a run: in its result, or raised where even that cannot be read from the state."""
    try:
        result = run(manifest, service)
    except StateError as error:
        return error
    assert result.exit_code is Exit.UNAVAILABLE
    return result.error


def command(manifest, service, name="run", *more):
    words = ["--base-url", service.base_url, "--yes", "--no-progress"] if name == "run" else []
    return call(name, manifest, *words, *more)


def amid_the_first_post(service, harm):
    """The service takes the first POST, and harm is done before it answers."""

    def fault(call):
        call.read()
        accepted = call.accept()
        harm()
        call.answer(200, service.document(accepted))

    service.order("submit", fault)


def files(folder):
    """All but what locks and readers leave: they hold nothing of a run."""
    found = (each for each in folder.rglob("*") if each.is_file() and not each.name.endswith((".lock", "-shm")))
    return {str(each.relative_to(folder)): each.read_bytes() for each in found}


def move_folder(out):
    out.rename(out.with_name("moved"))


def replace_state(out):
    other = out.with_name("other.sqlite")
    Store.open(other).close()
    other.replace(out / "state.sqlite")


def copy_over_state(out):
    other = out.with_name("other.sqlite")
    Store.open(other).close()
    shutil.copyfile(other, out / "state.sqlite")


def remove_folder(out):
    shutil.rmtree(out)


def link_state(out):
    (out / "state.sqlite").rename(out / "elsewhere.sqlite")
    (out / "state.sqlite").symlink_to(out / "elsewhere.sqlite")


HARMS = {
    "folder moved": move_folder,
    "folder removed": remove_folder,
    "state removed": lambda out: (out / "state.sqlite").unlink(),
    "state moved": lambda out: (out / "state.sqlite").rename(out / "kept.sqlite"),
    "state replaced": replace_state,
    "state copied over": copy_over_state,
    "state emptied": lambda out: os.truncate(out / "state.sqlite", 0),
    "state behind a link": link_state,
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_harm_done_during_a_run_ends_submitting(service, manifest, out, harm):
    amid_the_first_post(service, lambda: harm(out))
    error = harmed(manifest, service)
    assert isinstance(error, StateError)
    assert "put it back" in error.hint or "put back" in error.hint
    assert len(service.accepted) == 1
    assert not (out / "index.json").exists(), "nothing is written where the state is not"


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_what_is_left_of_a_harmed_state_buys_nothing(service, manifest, out, harm):
    amid_the_first_post(service, lambda: harm(out))
    harmed(manifest, service)
    if not out.exists():
        # All of it is somewhere else, or nowhere: what a new run sees is an empty place.
        return
    before = files(out)
    for name in ("run", "plan", "status", "index", "verify"):
        ended = command(manifest, service, name)
        assert ended.code == Exit.UNAVAILABLE, (name, ended)
        assert "--new-state" in ended.err or "remove it" in ended.err
    assert len(service.accepted) == 1
    assert files(out) == before


@pytest.mark.parametrize(
    ("harm", "mend"),
    [
        (move_folder, lambda out: out.with_name("moved").rename(out)),
        (HARMS["state moved"], lambda out: (out / "kept.sqlite").rename(out / "state.sqlite")),
        (HARMS["state removed"], lambda out: _put_saved_back(out)),
        (replace_state, lambda out: _put_saved_back(out)),
        (remove_folder, lambda out: _put_saved_back(out)),
        (link_state, lambda out: (out / "elsewhere.sqlite").replace(out / "state.sqlite")),
    ],
    ids=["moved", "state moved", "removed", "replaced", "folder removed", "link"],
)
def test_what_was_accepted_is_safe_and_the_run_goes_on_once_it_is_mended(service, manifest, out, harm, mend):
    amid_the_first_post(service, lambda: harm(out))
    run(manifest, service)
    mend(out)
    result = run(manifest, service)
    assert (result.exit_code, result.totals[Status.SUCCEEDED]) == (Exit.DONE, JOBS)
    assert len(service.fingerprints()) == len(set(service.fingerprints())) == JOBS


def _put_saved_back(out):
    """As the message says."""
    (out / "state.sqlite.saved-1").replace(out / "state.sqlite")


def test_a_copy_from_before_is_refused_until_a_new_state_is_asked_for(service, manifest, out):
    campaign.run(load(manifest), connection(service), Selection(), confirm=lambda plan: True, dry=True)
    old = (out / "state.sqlite").read_bytes()
    assert command(manifest, service).code == Exit.DONE
    (out / "state.sqlite").write_bytes(old)
    ended = command(manifest, service)
    assert ended.code == Exit.UNAVAILABLE
    assert "tells of number 3" in ended.err
    before = files(out)
    ended = command(manifest, service, "run", "--new-state")
    assert ended.code == Exit.DONE, ended
    assert "Set aside: " in ended.err
    assert len(service.accepted) == 2 * JOBS, "this was asked for"
    after = files(out)
    moved = ("state.sqlite", "state.sqlite.journal", "index.json", "index.csv", "index.html")
    assert {name: after[f"{name}.old-1"] for name in moved} == {name: before[name] for name in moved}
    assert command(manifest, service).code == Exit.DONE
    assert len(service.accepted) == 2 * JOBS


def test_a_sound_state_is_never_set_aside(service, manifest, out):
    """Whoever repeats the command with its flag must not pay again."""
    for _ in range(2):
        ended = command(manifest, service, "run", "--new-state")
        assert ended.code == Exit.DONE, ended
        assert "was not needed" in ended.err
    assert len(service.accepted) == JOBS
    assert not list(out.glob("*.old-*"))


def test_each_new_state_has_a_number_of_its_own(service, manifest, out):
    (out).mkdir()
    for number in (1, 2):
        (out / "state.sqlite").write_bytes(b"not a database" * 100)
        (out / "state.sqlite-wal").write_bytes(b"nor a log")
        assert command(manifest, service, "run", "--new-state", "--dry-run").code == Exit.DONE
        assert (out / f"state.sqlite.old-{number}").read_bytes() == b"not a database" * 100
        assert (out / f"state.sqlite-wal.old-{number}").read_bytes() == b"nor a log"


RUNNER = """
import sys, time
from pathlib import Path
from runner.state.runlock import run_lock
from runner.state.store import Store
state = Path(sys.argv[1])
with run_lock(state, 1.0), Store.open(state):
    print("runs", flush=True)
    sys.stdin.read()
"""


def test_a_lock_file_that_is_removed_lets_no_second_runner_in(service, manifest, out):
    state = out / "state.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, state], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout.readline() == b"runs\n"
        (out / "state.sqlite.lock").unlink()
        with pytest.raises(LockedError, match="another runner"), run_lock(state, 2.0):
            Store.open(state)
        for flags in ((), ("--new-state",)):
            assert command(manifest, service, "run", *flags).code == Exit.LOCKED
        process.communicate(b"")
    assert service.posts == 0
    assert command(manifest, service).code == Exit.DONE


def test_what_stands_in_the_place_of_a_video_is_set_aside_and_told(service, manifest, out):
    """A folder, another file and a link: all stay, and the paid videos land."""
    places = [out / "videos" / f"p{number}" / "plain" / "take-1.mp4" for number in range(JOBS)]
    for place in places:
        place.parent.mkdir(parents=True)
    places[0].mkdir()
    places[1].write_bytes(b"mine")
    places[2].symlink_to(out / "mine")
    ended = command(manifest, service)
    assert ended.code == Exit.DONE, ended
    assert [place.read_bytes() for place in places] == [service.video] * JOBS
    asides = [place.with_name("take-1.changed.mp4") for place in places]
    assert asides[0].is_dir()
    assert asides[1].read_bytes() == b"mine"
    assert asides[2].is_symlink()
    assert ended.err.count("Set aside: ") == JOBS
    assert command(manifest, service, "verify").code == Exit.DONE
