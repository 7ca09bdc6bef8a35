"""What tells that a state is the latest: the files beside it that name its id and its highest attempt number.

A run appends to the journal between the commit of an intent and its POST. So a state that was put back from a copy,
replaced or emptied is known before anything is bought a second time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.state.disk import disk_errors, refuse_links, sync_folder, unfollowed
from runner.state.migrations import damaged

# A longer journal is written anew.
_LONGEST = 64 * 1024
_LINE = re.compile(rb"([0-9a-f]{32}) ([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class _Witness:
    """What a file tells of the state beside it: the id (None in an index of an older state) and the highest number."""

    file: Path
    state: str | None
    intents: int


def journal_path(state: Path) -> Path:
    return state.with_name(f"{state.name}.journal")


class Journal:
    """The journal of a run.

    Its first line has the highest number that the state file had when the run began, without its write-ahead log.
    """

    def __init__(self, state: Path, state_id: str, base: int) -> None:
        self._path = journal_path(state)
        self._line = f"{state_id} {{}}\n".format
        self._base = base
        self._is_begun = False

    def append(self, number: int) -> None:
        """Record durably that the state has an attempt of this number. Raises DiskError."""
        with disk_errors(f"write {self._path}"):
            if self._is_begun and os.path.lexists(self._path) and self._path.lstat().st_size < _LONGEST:
                # The line end before it makes the line whole even after one that was cut short.
                _write(self._path, "a", "\n" + self._line(number))
            else:
                part = self._path.with_name(f"{self._path.name}.part")
                _write(part, "w", self._line(self._base) + self._line(number))
                part.replace(self._path)
                sync_folder(part.parent)
            self._is_begun = True


def _write(path: Path, mode: str, text: str) -> None:
    with open(path, mode, encoding="ascii", opener=unfollowed) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def files_beside(state: Path) -> tuple[Path, ...]:
    """The files that SQLite keeps beside a state, the journal, and what was saved of a state that was removed."""
    endings = (".saved-1", "-wal", "-shm", "-journal", ".journal")
    return tuple(state.with_name(state.name + ending) for ending in endings)


def is_there(state: Path, index: Path | None) -> bool:
    """Whether there is a state. Raises StateError if it is empty, or gone: the files that belong to it are there."""
    others = files_beside(state)
    refuse_links(state, *others)
    if os.path.lexists(state):
        if state.lstat().st_size == 0:
            raise damaged(state, "it is empty")
        return True
    traces = [each for each in (*others, index) if each is not None and os.path.lexists(each)]
    if traces:
        saved = traces[0].name.endswith(".saved-1")
        detail = f"; a run that had it open saved what it knew: rename that to {state.name}" if saved else ""
        raise damaged(state, f"it is gone, but {traces[0]} is there{detail}")
    return False


def check_latest(state: Path, state_id: str | None, intents: int, index: Path | None) -> None:
    """Raise StateError if the journal or the index tells of another state, or of a submission that this one lacks."""
    for each in sorted(_witnesses(state, index), key=lambda each: -each.intents):
        if each.state is not None and each.state != state_id:
            raise damaged(state, f"{each.file} is of another state")
        if each.intents > intents:
            raise damaged(state, f"it ends with submission {intents}, but {each.file} tells of number {each.intents}")


def check_alone(state: Path, state_id: str | None, intents: int) -> None:
    """Raise StateError if a state has, without its write-ahead log, less than it had when its last run began.

    SQLite would mix the pages of a log into any state that it is put beside.
    """
    first = next(_of_journal(state), None)
    if first is not None and (first.state != state_id or first.intents > intents):
        raise damaged(state, f"it is not the one that {state.name}-wal belongs to")


def _witnesses(state: Path, index: Path | None) -> Iterator[_Witness]:
    yield from _of_journal(state)
    if index is not None:
        yield from _of_index(index)


def _of_journal(state: Path) -> Iterator[_Witness]:
    path = journal_path(state)
    with disk_errors(f"read {path}"), suppress(FileNotFoundError), open(path, "rb", opener=unfollowed) as file:
        # What follows the last line end was cut short, and no POST followed it.
        lines = [line for line in file.read().split(b"\n")[:-1] if line]
        told = [found for found in map(_LINE.fullmatch, lines) if found]
        if lines and not told:
            raise damaged(state, f"{path} is no journal")
        yield from (_Witness(path, found[1].decode(), int(found[2])) for found in told)


def _of_index(path: Path) -> Iterator[_Witness]:
    """What the head of an index tells. One that is cut, broken or of an older version tells nothing."""
    # Imported here: most commands find no index, or need none of it.
    import ijson

    known: dict[str, object] = {}
    with suppress(OSError, ValueError, ijson.JSONError), open(path, "rb", opener=unfollowed) as file:
        for prefix, event, value in ijson.parse(file):
            if prefix == "jobs":
                break
            if event in ("string", "number"):
                known[prefix] = value
    name, intents = known.get("state"), known.get("intents")
    if isinstance(intents, int):
        yield _Witness(path, name if isinstance(name, str) else None, intents)
