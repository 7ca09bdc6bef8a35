"""Finds the files that a glob matches, within bounds: the pattern of a stranger may begin at the root of the disk."""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from runner.manifest.files import VIRTUAL, on_disk

# The most files and folders that one glob looks at. A folder of a campaign has thousands.
MOST_ENTRIES = 250_000
_OF_THE_KERNEL = tuple(f"{each}/" for each in VIRTUAL)
_MAGIC = re.compile(r"[*?\[]")
# The innermost braces with a comma in them: {jpg,png}.
_BRACES = re.compile(r"\{([^{},]*(?:,[^{},]*)+)\}")
_MOST_PATTERNS = 100
# Endings of one kind of picture. A name that differs in nothing else was probably meant, too.
_KIN = (("jpg", "jpeg", "jpe", "jfif"), ("png",), ("heic", "heif"))


class TooManyEntriesError(Exception):
    """A glob looks at more than MOST_ENTRIES files and folders."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A file or a folder: as the pattern spells it, and its path with links followed if it is a folder."""

    written: str
    target: str
    is_folder: bool


def matching(pattern: str, base: Path) -> list[str]:
    """The files that match, sorted and spelled as the pattern is, relative to `base` or absolute.

    As Python's glob has it: `**` is any number of folders, names that begin with a dot match only what has a dot there,
    and what cannot be read is left out, as is what lies below /proc, /sys and /dev. `{jpg,png}` is either word.
    Raises TooManyEntriesError.
    """
    search = _Search()
    return sorted({name for each in patterns(pattern) for name in _found(each, base, search)})


def near(pattern: str, base: Path, files: Collection[str]) -> list[str]:
    """The files whose names would match, were it not for capitals or another ending of the same kind of picture.

    `files` are those that match. Of a folder with too many entries, nothing is known.
    """
    search = _Search(is_exact=False)
    try:
        others = {name for each in patterns(pattern) for name in _found(each, base, search)}
    except TooManyEntriesError:
        return []
    return sorted(others.difference(files))


def patterns(pattern: str) -> list[str]:
    """The patterns that one with braces stands for."""
    found = [pattern]
    while any(_BRACES.search(each) for each in found):
        found = list(dict.fromkeys(word for each in found for word in _first_expanded(each)))
        if len(found) > _MOST_PATTERNS:
            raise TooManyEntriesError
    return found


def _first_expanded(pattern: str) -> list[str]:
    braces = _BRACES.search(pattern)
    if braces is None:
        return [pattern]
    return [pattern[: braces.start()] + word + pattern[braces.end() :] for word in braces[1].split(",")]


def _found(pattern: str, base: Path, search: _Search) -> set[str]:
    steps = parts_of(pattern)
    root = "/" if pattern.startswith("/") else ""
    names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    left = [(_Found(root, os.path.realpath(base / root), True), 0)]
    while left:
        folder, place = left.pop()
        if (folder.written, place) in seen or f"{folder.target}/".startswith(_OF_THE_KERNEL):
            continue
        seen.add((folder.written, place))
        is_last = place == len(steps) - 1
        for found, after in search.step(folder, steps[place], place, is_last=is_last):
            if found.is_folder and after < len(steps):
                left.append((found, after))
            elif is_last and not found.is_folder:
                names.add(found.written)
    return names


def parts_of(pattern: str) -> list[str]:
    """The parts of the pattern. Several `**` in a row mean the same as one."""
    steps: list[str] = []
    for each in filter(None, pattern.split("/")):
        if each != "**" or steps[-1:] != ["**"]:
            steps.append(each)
    return steps


class _Search:
    """Lists folders, and counts what it sees. Unless it `is_exact`, the last step of a pattern fits more names."""

    def __init__(self, *, is_exact: bool = True) -> None:
        self._seen = 0
        self._is_exact = is_exact

    def step(self, folder: _Found, step: str, place: int, *, is_last: bool) -> Iterator[tuple[_Found, int]]:
        """What one step of the pattern finds in a folder, each with the place of the step that is next for it."""
        if step == "**":
            if not is_last:
                yield folder, place + 1
            yield from ((each, place) for each in self._entries(folder, is_shown))
        elif is_last and not self._is_exact:
            yield from ((each, place + 1) for each in self._entries(folder, loose_matcher(step)))
        elif _MAGIC.search(step):
            yield from ((each, place + 1) for each in self._entries(folder, matcher(step)))
        else:
            path = on_disk(Path(folder.target, step))
            if os.path.lexists(path):
                found = _Found(os.path.join(folder.written, step), os.path.realpath(path), os.path.isdir(path))
                yield found, place + 1

    def _entries(self, folder: _Found, fits: Callable[[str], object]) -> Iterator[_Found]:
        """The entries of a folder whose names fit. Links back up are left out."""
        try:
            with os.scandir(folder.target) as entries:
                for entry in entries:
                    self._count()
                    if not fits(entry.name):
                        continue
                    target = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                    if f"{folder.target}/".startswith(f"{target.rstrip('/')}/"):
                        continue
                    yield _Found(os.path.join(folder.written, entry.name), target, entry.is_dir())
        except OSError:
            return

    def _count(self) -> None:
        self._seen += 1
        if self._seen > MOST_ENTRIES:
            raise TooManyEntriesError


def is_shown(name: str) -> bool:
    return not name.startswith(".")


@lru_cache(maxsize=64)
def matcher(step: str) -> Callable[[str], object]:
    return _fitting(step, re.compile(fnmatch.translate(_nfc(step))))


@lru_cache(maxsize=64)
def loose_matcher(step: str) -> Callable[[str], object]:
    """Fits names in capital or small letters, with any ending of the same kind of picture."""
    stem, _, ending = step.rpartition(".")
    kin = next((each for each in _KIN if ending.lower() in each), (ending,))
    patterns = [f"{stem}.{each}" for each in kin] if stem else [step]
    return _fitting(step, re.compile("|".join(fnmatch.translate(_nfc(each)) for each in patterns), re.IGNORECASE))


def _fitting(step: str, pattern: re.Pattern[str]) -> Callable[[str], object]:
    """Whether a name matches, in whichever Unicode form the disk has it."""
    has_dot = step.startswith(".")
    return lambda name: (has_dot or is_shown(name)) and pattern.match(_nfc(name))


def _nfc(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)
