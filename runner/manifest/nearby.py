"""What a path that leads nowhere was meant to be."""

from __future__ import annotations

import os
from pathlib import Path

from runner.manifest.text import shown
from runner.manifest.words import closest, joined, name

# Higher than for words: files share their endings.
_ALIKE = 0.75


def nearby(path: Path, written: str) -> str:
    """The hint for a missing file. `written` is the path as the manifest has it."""
    if written.startswith("~"):
        return "~ is not expanded in a manifest; paths are relative to the manifest"
    folder = path.parent
    names = _names(folder)
    found = closest(path.name, names, _ALIKE)
    if found is not None:
        return f"did you mean {name(os.path.join(os.path.dirname(written), found))}?"
    return inside(folder, os.path.dirname(written))


def inside(folder: Path, written: str) -> str:
    """The hint that says what is in a folder, or that there is no such folder."""
    if not folder.is_dir():
        return _missing_folder(folder)
    names = _names(folder)
    listed = joined(names, "and", limit=6) if names else "nothing"
    where = f"the folder {name(written)}" if written else "the folder of the manifest"
    return f"{where} holds {listed}"


def _missing_folder(parent: Path) -> str:
    while not parent.parent.is_dir() and parent != parent.parent:
        parent = parent.parent
    hint = f"the folder {name(shown(parent))} does not exist"
    similar = closest(parent.name, _names(parent.parent), _ALIKE)
    return f"{hint}; did you mean {name(similar)}?" if similar else hint


def _names(folder: Path) -> list[str]:
    """The visible names in a folder; none where it cannot be listed. Only the first thousand are looked at."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(1000), strict=False)]
    except OSError:
        return []
    return sorted(each for each in names if not each.startswith("."))
