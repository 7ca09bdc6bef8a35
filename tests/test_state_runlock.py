"""The run lock, between real processes."""

import os
import signal
import subprocess
import sys

import pytest

from runner.errors import LockedError
from runner.state.runlock import run_lock

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
