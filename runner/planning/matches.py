"""Whether each part of a selection matches a job: what matches none is a mistake of the hand, and may cost money."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import partial

from runner.diagnostics.suggestions import closest, did_you_mean
from runner.errors import UsageError
from runner.planning.selection import DEFECT, PICK, STATUS, Placed, Selection, text_of, value_of

# The hint is made from so many jobs.
_REMEMBERED = 2000
_WILD = "*?[]"


class Matches:
    """Sees the jobs of a command, and tells of globs and conditions that match none of them."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._open = dict(_parts(selection))
        self._seen: list[Placed] = []
        self._has_any = selection.is_everything

    @property
    def is_complete(self) -> bool:
        """Whether no further job need be seen."""
        return self._has_any and not self._open

    def see(self, jobs: Iterable[Placed]) -> None:
        for job in jobs:
            if self.is_complete:
                return
            if len(self._seen) < _REMEMBERED:
                self._seen.append(job)
            self._open = {part: matches for part, matches in self._open.items() if not matches(job)}
            self._has_any = self._has_any or self._selection.has(job)

    def check(self) -> None:
        """Raise UsageError unless each part matches a job, and some job is selected by all of them."""
        for part in self._open:
            raise UsageError(f"{part} matches no job", self._hint(part))
        if not self._has_any:
            by_state = "reelrun status shows how many jobs have which"
            hint = by_state if self._selection.is_by_state else self._first_key()
            raise UsageError(f"no job is selected by {' '.join(_written(self._selection))}", hint)

    def _hint(self, part: str) -> str:
        flag, _, text = part.partition(" ")
        if flag == "--where":
            name, _, value = text.partition("=")
            return self._hint_of_value(name, value)
        core = text.strip("*/")
        segments = dict.fromkeys(piece for job in self._seen for piece in _pieces(job.key))
        found = core if core in segments else closest(core, segments)
        if found is None or any(sign in core for sign in _WILD):
            return self._first_key()
        return did_you_mean(f"{flag} '*{found}*'", more=self._first_key())

    def _hint_of_value(self, name: str, value: str) -> str:
        values = (value_of(job, name, self._selection.pictures) for job in self._seen)
        known = list(dict.fromkeys(text_of(each) for found, each in values if found))
        guess = closest(value, known)
        listed = f"{name} is {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}" if known else "no job has it"
        return did_you_mean(f"{name}={guess}" if guess else None, more=listed)

    def _first_key(self) -> str:
        return f"a glob matches whole keys; the first one is {self._seen[0].key}" if self._seen else "there is no job"


def _parts(selection: Selection) -> Iterator[tuple[str, Callable[[Placed], bool]]]:
    """Each glob and condition as it is written, with what it matches."""
    for flag, globs in (("--only", selection.only), ("--skip", selection.skip)):
        for glob in globs:
            yield f"{flag} {glob}", partial(_has_key, glob)
    for name, texts in selection.where.items():
        for text in texts:
            yield f"--where {name}={text}", partial(selection.is_one, name, text)


def _has_key(glob: str, job: Placed) -> bool:
    return fnmatchcase(job.key, glob)


def _written(selection: Selection) -> Iterator[str]:
    yield from (part for part, _ in _parts(selection))
    yield from (f"--where {STATUS}={each}" for each in selection.statuses)
    yield from (f"--where {DEFECT}={each}" for each in sorted(selection.defects))
    yield from (f"--where {PICK}={each}" for each in sorted(selection.picks))


def _pieces(key: str) -> Iterator[str]:
    """What people name a job by: its whole key, the parts between slashes, and each variable of its variant."""
    yield key
    for part in key.split("/"):
        yield part
        if "=" in part:
            yield from part.split(",")
