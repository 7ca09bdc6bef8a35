"""The run lock, between real processes."""

import os
import signal
import subprocess
import sys

import pytest

from runner.errors import DiskError, LockedError, StateError
from runner.state import runlock
from runner.state.runlock import locked_file, run_lock

HOLDER = """
import sys
from pathlib import Path
from runner.state.runlock import run_lock
with run_lock(Path(sys.argv[1]), 1000.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "state.sqlite")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_runner_is_told_who_holds_it(tmp_path, holder):
    with pytest.raises(LockedError) as caught, run_lock(tmp_path / "state.sqlite", 2000.0):
        pass
    assert f"process {holder.pid} on {os.uname().nodename}" in caught.value.message
    assert "1970-01-01 00:16:40 UTC" in caught.value.message


def test_a_dead_runner_holds_nothing(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "state.sqlite.holder").exists()
    with run_lock(tmp_path / "state.sqlite", 2000.0):
        pass
    assert not (tmp_path / "state.sqlite.holder").exists()


def test_what_stands_beside_the_lock_is_only_for_the_message(tmp_path):
    (tmp_path / "state.sqlite.holder").write_text("{broken")
    with run_lock(tmp_path / "state.sqlite", 1.0):
        pass


def test_the_lock_can_be_taken_again(tmp_path):
    for _ in range(2):
        with run_lock(tmp_path / "deep" / "state.sqlite", 1.0):
            pass


@pytest.mark.parametrize("name", ["state.sqlite.lock", "state.sqlite.holder"])
def test_a_link_in_the_place_of_lock_or_notes_is_refused_and_not_followed(tmp_path, name):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / name).symlink_to(tmp_path / "precious")
    with pytest.raises(StateError, match="is a link") as caught, run_lock(tmp_path / "state.sqlite", 1.0):
        pass
    assert "remove it" in caught.value.hint
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_another_name_of_a_file_in_the_place_of_the_notes_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "state.sqlite.holder").hardlink_to(tmp_path / "precious")
    with run_lock(tmp_path / "state.sqlite", 1.0):
        assert (tmp_path / "state.sqlite.holder").read_text().startswith("process ")
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_folder_in_the_place_of_the_lock_is_a_disk_error(tmp_path):
    (tmp_path / "state.sqlite.lock").mkdir()
    with pytest.raises(DiskError) as caught, run_lock(tmp_path / "state.sqlite", 1.0):
        pass
    assert "move away" in caught.value.hint


def test_a_lock_that_was_removed_while_it_was_taken_is_taken_anew(tmp_path, monkeypatch):
    """Else its successor could be locked by another runner."""
    path, opened = tmp_path / "lock", []

    def removing(name, flags):
        opened.append(os.open(name, flags, 0o666))
        if len(opened) == 1:
            path.unlink()
        return opened[-1]

    monkeypatch.setattr(runlock, "unfollowed", removing)
    descriptor = locked_file(path, tmp_path / "state.sqlite", os.O_CREAT)
    assert os.path.samestat(os.fstat(descriptor), path.stat())
    assert len(opened) == 2
    os.close(descriptor)
