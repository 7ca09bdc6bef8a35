"""Hints such as "did you mean": what an unknown word, or a path that does not exist, was probably meant to be."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from runner.diagnostics.text import shown
from runner.diagnostics.words import joined, name

# What a shell, or another system, replaces in a path: ~, $NAME and ${NAME}, %NAME%, and the letter of a drive.
_UNEXPANDED = re.compile(r"^~[^/]*(?=/|$)|\$\{\w*\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|^[A-Za-z]:(?=[\\/]|$)")
# The cutoff for file names. It is higher than for words, because many files have the same extension.
_FILE_CUTOFF = 0.75
# A hint is one line: it lists at most this many names, and counts the rest.
SHOWN = 20


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that was probably meant. `cutoff` is the least similarity, from 0 to 1."""
    lowered = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[found[0]] if found else None


def did_you_mean(guess: str | None, otherwise: str = "", more: str = "") -> str:
    """The hint `did you mean x?` if there is a guess, written as it is to be typed, else `otherwise`; then `more`."""
    return f"{f'did you mean {guess}?' if guess else otherwise} {more}".strip()


def suggestion(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for a word that is not known: the known word that is closest to it."""
    found = closest(word, known)
    return did_you_mean(name(found) if found else None, otherwise)


def known_here(word: str, known: Collection[str]) -> str:
    """A hint for the unknown `word`: "did you mean 'x'? known here: x, y", in one line."""
    if not known:
        return "nothing is known here"
    names = sorted(known)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    guess = closest(word, names)
    return did_you_mean(repr(guess) if guess else None, more=f"known here: {', '.join(names[:SHOWN])}{more}")


def unexpanded(written: str) -> str:
    """What stands in a path, and has a meaning elsewhere, but none in a manifest; empty if there is nothing."""
    found = _UNEXPANDED.search(written)
    return found.group() if found else ""


def misread(written: str) -> str:
    """The hint for a path that means something on another system, or to a shell; empty if it does not."""
    sign = unexpanded(written)
    if sign:
        return f"{sign} means nothing in a manifest; write the path from the manifest, or from the root of the disk"
    if "\\" in written:
        return f"folders are separated by /: {name(written.replace(chr(92), '/'))}"
    return "this is an address: download the file, and write its path" if "://" in written else ""


def nearby(path: Path, written: str) -> str:
    """The hint for a missing file. `written` is the path as the manifest spells it."""
    if misread(written):
        return misread(written)
    folder = path.parent
    names = _names(folder)
    found = closest(path.name, names, _FILE_CUTOFF)
    if found is not None:
        return did_you_mean(name(os.path.join(os.path.dirname(written), found)))
    return inside(folder, os.path.dirname(written))


def inside(folder: Path, written: str) -> str:
    """The hint that lists what is in a folder, or says that there is no such folder."""
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
    similar = closest(parent.name, _names(parent.parent), _FILE_CUTOFF)
    return f"{hint}; {did_you_mean(name(similar))}" if similar else hint


def _names(folder: Path) -> list[str]:
    """The visible names in a folder; empty if it cannot be listed. Only the first thousand entries are read."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(1000), strict=False)]
    except OSError:
        return []
    return sorted(each for each in names if not each.startswith("."))
