"""The manifest of a command that names none: the only one of the current folder."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from runner.errors import UsageError

# A manifest has its version at the top; the lines before it are comments, mostly.
_VERSION = re.compile(rb"^[\"']?version[\"']?\s*:", re.MULTILINE)
_TOP = 4096


def name_manifest(options: argparse.Namespace) -> None:
    """Put the only manifest of the current folder where none is named. Raises UsageError if there is not exactly one.

    `doctor` works without one, too.
    """
    given = vars(options)
    if given.get("manifest", "") is None:
        found = _manifests()
        options.manifest = _only(found) if options.command != "doctor" or len(found) == 1 else None
    elif given.get("manifests", True) == []:
        options.manifests = [_only(_manifests())]


def _manifests() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.suffix in (".yaml", ".yml") and _is_manifest(path))


def _is_manifest(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _VERSION.search(file.read(_TOP)) is not None
    except OSError:
        return False


def _only(found: list[str]) -> str:
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"which manifest? this folder has {', '.join(found[:8])}", "name one of them")
    hint = "name a YAML file, or begin with: reelrun init demo"
    raise UsageError("no manifest is named, and this folder has none", hint)
