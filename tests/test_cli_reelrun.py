"""The command starts, or says what is in the way of its package."""

import subprocess
import sys
from pathlib import Path

import runner
from tests.command import environment

ENTRY = Path(runner.__file__).parent / "cli" / "reelrun.py"
START = f"import runpy; runpy.run_path({str(ENTRY)!r})['start']()"


def started(folder, *words):
    return subprocess.run(
        [sys.executable, "-c", START, *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_starts(tmp_path):
    ended = started(ENTRY.parents[2], "--version")
    assert (ended.returncode, ended.stdout) == (0, f"reelrun {runner.version.RELEASE}\n")


def test_a_file_of_the_same_name_in_the_way_is_said(tmp_path):
    (tmp_path / "runner.py").write_text("jobs = []\n")
    ended = started(tmp_path)
    assert ended.returncode == 2
    assert f"the name runner leads to {tmp_path / 'runner.py'} here, not to reelrun" in ended.stderr
    assert "Traceback" not in ended.stderr
