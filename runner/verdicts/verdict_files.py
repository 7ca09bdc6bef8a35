"""The verdict files of a campaign: text for git, one file a reviewer, appended and synced, never rewritten.

`append` says something, `read` gives every line that can be read and tells of every other, and `take_in` appends what
somebody else has sent. Which lines count is decided in `votes.py`, for all lines together.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from runner.errors import DiskError, UsageError
from runner.secret import refuse_key
from runner.state.disk import disk_errors, inside, leads_to, make_folder, sync_folder, unfollowed
from runner.verdicts.verdict import LONGEST, REVIEWER, Said, Verdict, VerdictError, parsed, time_text, written

# Clocks of other machines may be wrong.
_AHEAD = timedelta(days=1)
_ENDING = ".jsonl"
_LATEST = re.compile(rb'"at"\s*:\s*"([0-9:T.-]{26}Z)"')


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """A line that was read: its verdict, where it is, and its sha256 without the line end, by which it is undone.

    Of a line that was just appended the number is 0.
    """

    verdict: Verdict
    sha256: str
    file: str
    number: int


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A line (0: the whole file) that is told and not counted, and why. All three are for people to read.

    The texts come from others: they go out through the terminal's own way.
    """

    file: str
    line: int
    why: str


# So many kinds of what does not count are told.
_TOLD = 5


def told(uncounted: Iterable[Uncounted]) -> list[str]:
    """What does not count, a line for each reason, with the place of its first line."""
    alike: dict[str, list[Uncounted]] = {}
    for each in uncounted:
        alike.setdefault(each.why, []).append(each)
    lines = [_told(why, found) for why, found in alike.items()]
    more = [f"... and {len(lines) - _TOLD:,} reasons more"] if len(lines) > _TOLD else []
    return [*lines[:_TOLD], *more]


def _told(why: str, found: Sequence[Uncounted]) -> str:
    first = found[0]
    place = f"{first.file}:{first.line}" if first.line else first.file
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    return f"not counted: {place}: {why}{more}"


@dataclass(frozen=True, slots=True)
class VerdictLines:
    """What a folder holds: the lines that could be read, in the order of the files, and what could not."""

    lines: tuple[VerdictLine, ...] = ()
    uncounted: tuple[Uncounted, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of a file that was taken in: the new lines of each reviewer, and how many were known already."""

    new: Mapping[str, int]
    known: int
    uncounted: tuple[Uncounted, ...]


def folder_of(manifest: Path, *, is_sandbox: bool = False) -> Path:
    """The folder of the verdicts on a campaign, whether it exists or not. Those on clips of the sandbox lie apart."""
    return manifest.with_name(f"{manifest.stem}{'-sandbox' if is_sandbox else ''}.verdicts")


def file_of(folder: Path, reviewer: str) -> Path:
    return folder / f"{reviewer}{_ENDING}"


def append(folder: Path, by: str, said: Said, sha256: Mapping[str, str], now: datetime | None = None) -> VerdictLine:
    """Write down durably what a reviewer says. `sha256` are the hashes of the clips that were seen, by job id.

    `now` is the time by the clock, but the line's own time is later than that of each line before it in its file.
    Raises UsageError where it cannot be said so (a text that is too long), SecretError and DiskError.
    """
    with _held(folder, by) as file:
        at = _later(now or datetime.now(UTC), _latest(file))
        verdict = Verdict(at, by, dict(sha256), said)
        try:
            line = written(verdict)
        except VerdictError as error:
            raise UsageError(
                f"this cannot be written to {file_of(folder, by).name}: {error}", "say it shorter"
            ) from None
        _add(file, [line], file_of(folder, by))
    return VerdictLine(verdict, _digest(line), file_of(folder, by).name, 0)


def read(folder: Path) -> VerdictLines:
    """Every line of every file of a folder. A folder that is not there has none. Raises DiskError."""
    lines: list[VerdictLine] = []
    uncounted: list[Uncounted] = []
    for reviewer in reviewers_in(folder):
        path = file_of(folder, reviewer)
        with _reading(path):
            try:
                _read_file(inside(folder.parent, f"{folder.name}/{path.name}"), lines, uncounted)
            except (UsageError, DiskError) as error:
                uncounted.append(Uncounted(path.name, 0, error.message))
    return VerdictLines(tuple(lines), tuple(uncounted))


def reviewers_in(folder: Path) -> list[str]:
    """The stems of the verdict files of a folder, sorted. Raises DiskError."""
    with _reading(folder):
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING) and not name.startswith(".")]


def take_in(
    source: Path,
    folder: Path,
    *,
    jobs: Container[str] | None = None,
    translated: Callable[[bytes], bytes] | None = None,
    now: datetime | None = None,
) -> TakenIn:
    """Append the lines of a file to those of their reviewers, each once: to take it in again changes nothing.

    `translated` makes a line of ours of each line of the file, or raises VerdictError; with `jobs`, a line about
    another job is told and not taken, and with `now` one from more than a day later: it would outrank all that the
    reviewer says after it. Raises DiskError, and UsageError if there is no such file.
    """
    new: dict[str, dict[bytes, None]] = {}
    uncounted: list[Uncounted] = []
    with _reading(source), _opened(source) as file:
        for number, line in _lines(file):
            try:
                found, verdict = _checked(line, translated, jobs)
                if now is not None and verdict.at > time_text(now + _AHEAD):
                    raise VerdictError(f"its time {verdict.at} is not yet")
            except VerdictError as error:
                uncounted.append(Uncounted(source.name, number, str(error)))
            else:
                new.setdefault(verdict.by, {})[found] = None
    counts: Counter[str] = Counter()
    for by, lines in new.items():
        counts[by] = _add_new(folder, by, list(lines))
    known = sum(map(len, new.values())) - counts.total()
    return TakenIn({by: number for by, number in counts.items() if number}, known, tuple(uncounted))


def _checked(
    line: bytes | None, translated: Callable[[bytes], bytes] | None, jobs: Container[str] | None
) -> tuple[bytes, Verdict]:
    found = _whole(line)
    if translated is not None:
        found = translated(found)
    verdict = parsed(found)
    if jobs is not None and not all(each in jobs for each in verdict.said.jobs):
        raise VerdictError("it speaks of a job that is not there")
    return found, verdict


def _add_new(folder: Path, by: str, lines: Sequence[bytes]) -> int:
    """Append those of these lines that the file of a reviewer does not have. Returns how many."""
    with _held(folder, by) as file:
        there = {line for _, line in _lines(file)}
        missing = [line for line in lines if line not in there]
        if missing:
            _add(file, missing, file_of(folder, by))
    return len(missing)


def _read_file(path: Path, lines: list[VerdictLine], uncounted: list[Uncounted]) -> None:
    reviewer = path.name.removesuffix(_ENDING)
    if not REVIEWER.fullmatch(reviewer):
        uncounted.append(Uncounted(path.name, 0, "its name is no reviewer's name"))
        return
    with _opened(path) as file:
        for number, line in _lines(file):
            try:
                found = _whole(line)
                verdict = parsed(found)
                if verdict.by != reviewer:
                    raise VerdictError(f"it is by {verdict.by}, in the file of {reviewer}")
            except VerdictError as error:
                uncounted.append(Uncounted(path.name, number, str(error)))
            else:
                lines.append(VerdictLine(verdict, _digest(found), path.name, number))


def _opened(path: Path) -> BinaryIO:
    """A regular file, no link followed. Raises UsageError for anything else."""
    try:
        descriptor = unfollowed(str(path), os.O_RDONLY)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", "look at its name") from None
    except OSError as error:
        what = "is a link, and is not followed" if path.is_symlink() else f"cannot be read: {error.strerror}"
        raise UsageError(f"{path.name} {what}", "put the file itself there, where you may read it") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"{path.name} is not a regular file", "put a file there")
    return os.fdopen(descriptor, "rb")


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file without their ends, numbered from 1, empty ones left out. None: it is too long.

    No more than one line of the most length is held, however long a line is.
    """
    number = 1
    while line := file.readline(LONGEST):
        is_whole = line.endswith(b"\n") or len(line) < LONGEST
        while not line.endswith(b"\n") and (rest := file.readline(LONGEST)):
            line = rest
        if not is_whole:
            yield number, None
        elif stripped := line.rstrip(b"\r\n"):
            yield number, stripped
        number += 1


def _whole(line: bytes | None) -> bytes:
    if line is None:
        raise VerdictError("it is longer than 64 KiB")
    return line


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


@contextmanager
def _held(folder: Path, by: str) -> Iterator[BinaryIO]:
    """The file of a reviewer, at its beginning, which nobody else appends to meanwhile. It is made if need be."""
    if not REVIEWER.fullmatch(by):
        raise UsageError(f"{by!r} is no reviewer's name", "it has letters a-z, digits and ._- only, at most 40")
    path = file_of(folder, by)
    with disk_errors(f"write {path}"):
        make_folder(folder)
        inside(folder.parent, f"{folder.name}/{path.name}")
        with _locked(path) as file:
            yield file


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    while True:
        is_new = not os.path.lexists(path)
        with open(path, "a+b", opener=unfollowed) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DiskError(f"{path} is not a regular file", "move it away, then run the same command again")
            fcntl.flock(file, fcntl.LOCK_EX)
            # Meanwhile another file may have come into its place, as by a checkout.
            if leads_to(path, file.fileno()):
                if is_new:
                    sync_folder(path.parent)
                file.seek(0)
                yield file
                return


def _latest(file: BinaryIO) -> str:
    """The greatest time in a file; empty if there is none."""
    times = (found[1] for _, line in _lines(file) if line and (found := _LATEST.search(line)))
    return max(times, default=b"").decode()


def _later(now: datetime, latest: str) -> str:
    """A time that is later than `latest`: now, if it is. Raises UsageError at the end of all times."""
    at = time_text(now)
    if at > latest:
        return at
    try:
        return time_text(datetime.fromisoformat(latest) + timedelta(microseconds=1))
    except (ValueError, OverflowError):
        hint = "take that line out: nothing can be later"
        raise UsageError(f"a line of this reviewer has the time {latest}", hint) from None


def _add(file: BinaryIO, lines: Sequence[bytes], path: Path) -> None:
    """Append lines durably, with one write each. A line that was cut short before them is ended first."""
    refuse_key((line.decode() for line in lines), path.name)
    descriptor = file.fileno()
    size = os.fstat(descriptor).st_size
    before = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
    for line in lines:
        text = before + line + b"\n"
        if os.write(descriptor, text) < len(text):
            raise DiskError(f"{path} took only a part of a line", "make room on the disk, then say it again")
        before = b""
    os.fsync(descriptor)


def _reading(path: Path) -> AbstractContextManager[None]:
    return disk_errors(f"read {path}")
