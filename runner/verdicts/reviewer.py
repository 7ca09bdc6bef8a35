"""The names of reviewers."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from pathlib import Path

from runner.errors import UsageError
from runner.verdicts.verdict import REVIEWER

_LONGEST = 40
_SECONDS = 10


def reviewer_of(given: str | None, folder: Path) -> str:
    """The name of --as or, without it, that of git in this folder, made so. Raises UsageError."""
    if given is not None:
        if REVIEWER.fullmatch(given):
            return given
        made = _made(given)
        hint = f"write --as {made}" if made else "write a short name, such as --as ann"
        raise UsageError(f"--as {given!r} is no reviewer's name: letters a-z, digits and ._- only, at most 40", hint)
    made = _made(_name_of_git(folder))
    if not made:
        raise UsageError("it is not known who you are: git has no user.name to make a name of", "write --as NAME")
    return made


def _made(name: str) -> str:
    """A name in the letters that reviewers' names have; empty where it has none of them."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:_LONGEST].rstrip("-._")


def _name_of_git(folder: Path) -> str:
    try:
        asked = subprocess.run(
            ("git", "config", "--get", "user.name"),
            cwd=folder, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.decode("utf-8", "replace").strip()
