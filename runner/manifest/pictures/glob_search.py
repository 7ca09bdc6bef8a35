"""Finds the files that a glob matches, within bounds: the pattern of a stranger may begin at the root of the disk."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from runner.manifest.files import VIRTUAL

# The most files and folders that one glob looks at. A folder of a campaign has thousands.
MOST_ENTRIES = 250_000
_OF_THE_KERNEL = tuple(f"{each}/" for each in VIRTUAL)
_MAGIC = re.compile(r"[*?\[]")


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
    and what cannot be read is left out, as is what lies below /proc, /sys and /dev. Raises TooManyEntriesError.
    """
    steps = _steps(pattern)
    root = "/" if pattern.startswith("/") else ""
    names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    left = [(_Found(root, os.path.realpath(base / root), True), 0)]
    search = _Search()
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
    return sorted(names)


def _steps(pattern: str) -> list[str]:
    """The parts of the pattern. Several `**` in a row mean the same as one."""
    steps: list[str] = []
    for each in filter(None, pattern.split("/")):
        if each != "**" or steps[-1:] != ["**"]:
            steps.append(each)
    return steps


class _Search:
    """Lists folders, and counts what it sees."""

    def __init__(self) -> None:
        self._seen = 0

    def step(self, folder: _Found, step: str, place: int, *, is_last: bool) -> Iterator[tuple[_Found, int]]:
        """What one step of the pattern finds in a folder, each with the place of the step that is next for it."""
        if step == "**":
            if not is_last:
                yield folder, place + 1
            yield from ((each, place) for each in self._entries(folder, _is_shown))
        elif _MAGIC.search(step):
            yield from ((each, place + 1) for each in self._entries(folder, _matcher(step)))
        else:
            path = os.path.join(folder.target, step)
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


def _is_shown(name: str) -> bool:
    return not name.startswith(".")


@lru_cache(maxsize=64)
def _matcher(step: str) -> Callable[[str], object]:
    match = re.compile(fnmatch.translate(step)).match
    return match if step.startswith(".") else lambda name: _is_shown(name) and match(name)
