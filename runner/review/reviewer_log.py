"""What a reviewer has said so far, beside what all others have: read when it changed, and appended to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from runner.state.disk import disk_errors
from runner.verdicts.verdict import Best, Mark, Note, Pair, Said, Stars, Undo
from runner.verdicts.verdict_files import VerdictLine, VerdictLines, append, read
from runner.verdicts.votes import Verdicts, Vote, counted

_T = TypeVar("_T", bound=Pair | Best | Mark | Stars | Note)


class ReviewerLog:
    """The verdicts of `by`. `present` has the hash of each present clip by its job; `since` is when they sat down."""

    def __init__(self, folder: Path, by: str, present: Mapping[str, str], since: str) -> None:
        self.by = by
        self._folder = folder
        self._present = present
        self._since = since
        self._lines = VerdictLines()
        self._stamp: object = None

    def verdicts(self) -> Verdicts:
        """What counts of all that was said, by everybody. Raises DiskError."""
        if self._stamp != (stamp := self._files()):
            self._stamp, self._lines = stamp, read(self._folder)
        return counted(self._lines, self._present)

    def votes(self, verdicts: Verdicts) -> list[Vote]:
        """What the reviewer said of pairs."""
        return [each for each in verdicts.votes if each.by == self.by and each.is_pair]

    def said(self, verdicts: Verdicts, kind: type[_T]) -> list[_T]:
        """What the reviewer said of one kind, as far as it stands."""
        own = (each.verdict.said for each in verdicts.lines if each.verdict.by == self.by)
        return [each for each in own if isinstance(each, kind)]

    def last(self, verdicts: Verdicts, kinds: tuple[type, ...]) -> VerdictLine | None:
        """The last line of these kinds that the reviewer said since they sat down, and that stands."""
        own = (each for each in reversed(verdicts.lines) if each.verdict.by == self.by)
        last = next((each for each in own if isinstance(each.verdict.said, kinds)), None)
        return last if last is not None and last.verdict.at >= self._since else None

    def append(self, said: Said, sha256: Mapping[str, str]) -> None:
        """Write it down durably; not, if it is the reviewer's last word on these clips already.

        So what is said twice, as by a page that did not hear the answer, is written once. Raises DiskError.
        """
        if isinstance(said, Undo) or not self._is_last_word(said):
            line = append(self._folder, self.by, said, sha256)
            self._lines = replace(self._lines, lines=(*self._lines.lines, line))
            self._stamp = self._files()

    def _is_last_word(self, said: Pair | Best | Mark | Stars | Note) -> bool:
        words = [each for each in self.said(self.verdicts(), type(said)) if set(each.jobs) == set(said.jobs)]
        return bool(words) and words[-1] == said

    def _files(self) -> list[tuple[str, int, int]]:
        """What tells that another line was written: names, sizes and times of the files."""
        if not self._folder.exists():
            return []
        with disk_errors(f"read {self._folder}"), os.scandir(self._folder) as entries:
            stats = [(each.name, each.stat()) for each in entries if each.name.endswith(".jsonl")]
        return sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
