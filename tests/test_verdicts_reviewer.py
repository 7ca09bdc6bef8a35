"""Names of reviewers."""

from __future__ import annotations

import subprocess

import pytest

from runner.errors import UsageError
from runner.verdicts.reviewer import reviewer_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder whose git has a name of its own."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return tmp_path


def called(folder, name):
    subprocess.run(["git", "config", "--global", "user.name", name], check=True, cwd=folder)


@pytest.mark.parametrize("name", ["ann", "a", "7", "ann-b.c_d", "a" * 40])
def test_a_name_that_is_given(folder, name):
    assert reviewer_of(name, folder) == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Ann", "--as ann"),
        ("Ann Bee", "--as ann-bee"),
        ("../x", "--as x"),
        ("李", "such as --as ann"),
        ("", "--as ann"),
    ],
)
def test_a_name_that_is_none(folder, name, hint):
    with pytest.raises(UsageError) as error:
        reviewer_of(name, folder)
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("name", "made"), [("Ann Bee", "ann-bee"), ("Żoë O'Hara", "zoe-o-hara"), ("x" * 60, "x" * 40), (" -Bob. ", "bob")]
)
def test_a_name_made_of_that_of_git(folder, name, made):
    called(folder, name)
    assert reviewer_of(None, folder) == made


def test_nobody_knows(folder, monkeypatch):
    with pytest.raises(UsageError, match="who you are"):
        reviewer_of(None, folder)
    called(folder, "李")
    with pytest.raises(UsageError, match="who you are"):
        reviewer_of(None, folder)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="who you are"):
        reviewer_of(None, folder)
