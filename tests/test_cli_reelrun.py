"""The command starts, or says what is in the way of its package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import runner
from tests.command import ROOT, environment

ENTRY = Path(runner.__file__).parent / "cli" / "reelrun.py"
START = f"import runpy; runpy.run_path({str(ENTRY)!r})['start']()"


def started(folder, *words, **more):
    return subprocess.run(
        [sys.executable, "-c", START, *words],
        cwd=folder,
        env=environment(**more),
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


def other_system(folder, words):
    """The environment of a Python that runs these words as it starts."""
    (folder / "sitecustomize.py").write_text(f"import sys\n{words}\n")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


@pytest.mark.parametrize("words", ["sys.platform = 'win32'", "sys.modules['fcntl'] = None"])
def test_a_system_without_file_locks_is_told_in_a_line(tmp_path, words):
    ended = started(ENTRY.parents[2], "status", "manifests/quickstart.yaml", **other_system(tmp_path, words))
    assert (ended.returncode, ended.stdout) == (7, "")
    assert ended.stderr == "error: reelrun runs on Linux; on Windows, install it in WSL, and run it there\n"


@pytest.mark.parametrize("words", [["-c", "import runner"], ["-m", "runner", "--version"]], ids=["package", "module"])
def test_the_package_says_so_too(tmp_path, words):
    there = environment(**other_system(tmp_path, "sys.platform = 'win32'"))
    ended = subprocess.run([sys.executable, *words], env=there, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "reelrun runs on Linux; on Windows, install it in WSL" in ended.stderr.splitlines()[-1]
