"""What a measure is given, and what it gives."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.clip import name_in
from tests.bench.processes import BrokenError, Cores
from tests.bench.slots import Ledger


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure: `quick` is one small run of each, else so many `runs`; files go below `folder`."""

    quick: bool
    runs: int
    folder: Path
    cores: Cores

    def fresh(self, name: str) -> Path:
        """An empty folder of this name."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def another(self, name: str) -> Path:
        """A folder of its own for each run: where files were just removed, a file system may be slow to make new ones
        (ext4 without a journal looks for inodes that were not used a moment ago), which is not the client's cost."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: one figure a run, of which the median counts, and the most that it should be.

    `beside` tells what the figure stands on: the baselines of the same runs.
    """

    measure: str
    figures: tuple[float, ...]
    limit: float
    unit: str
    beside: str = ""

    @property
    def figure(self) -> float:
        return median(self.figures)

    @property
    def is_met(self) -> bool:
        return self.figure <= self.limit


@dataclass(slots=True)
class Runs:
    """Figures by their names, one a run."""

    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **figures: float) -> None:
        for name, figure in figures.items():
            self.figures.setdefault(name, []).append(figure)

    def of(self, name: str) -> tuple[float, ...]:
        return tuple(self.figures[name])

    def median(self, name: str) -> float:
        return median(self.figures[name])


def check_arrived(told: Ledger, jobs: int, videos: Path) -> None:
    """Raise BrokenError unless every job was submitted once, and its video lies in the folder."""
    if (told.submitted, told.repeated, told.delivered) != (jobs, 0, jobs):
        raise BrokenError(
            f"{jobs:,} jobs: {told.submitted:,} submissions, {told.repeated:,} of them repeated;"
            f" {told.delivered:,} videos delivered"
        )
    names = {name_in(path, 36) for path in videos.rglob("*.mp4")}
    if len(names) != jobs:
        raise BrokenError(f"{len(names):,} of {jobs:,} videos are on the disk")
