"""Whose jobs a state holds: the last plan of each of its manifests, and the jobs that no manifest has any more."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Self

from runner.model import Job
from runner.state.database import Database
from runner.state.rows import row_of

# The stem of the files of an index: of the manifest that made the state, and with its stem, of each other one.
INDEX = "index"
# The order of jobs by their last plans, the latest first. An index has it.
LATEST = "jobs.generation DESC, jobs.position"


@dataclass(frozen=True, slots=True)
class _LastPlan:
    """The last plan of a manifest; of an older state (without `index_name`) it is not known to be that manifest's."""

    generation: int
    manifest: str
    digest: str
    index_name: str | None


@dataclass(frozen=True, slots=True)
class _View:
    """The plans as one manifest sees them: its own (-1 if it has none), and those of other manifests.

    `adopted` is the last plan of an older state: what the manifest that adopted it does not have may be another's.
    """

    own: int
    others: tuple[int, ...]
    adopted: tuple[int, ...]


class Plans(Database):
    """A state file with its plans. It is seen from one manifest: its jobs are those of that manifest's last plan."""

    # Relative to the folder of the state; empty where nobody said from which one it is seen.
    _manifest = ""

    def seen_from(self, manifest: Path) -> Self:
        """This state, as seen from a manifest. The way there is kept relative, as both may be moved together."""
        # Only the folder is resolved: a link is a manifest of its own, with an output folder of its own.
        self._manifest = os.path.relpath(os.path.realpath(manifest.parent) + f"/{manifest.name}", self._home)
        return self

    @property
    def _home(self) -> str:
        return os.path.realpath(self._path.parent)

    @property
    def index_name(self) -> str:
        """The stem of the files of this manifest's index."""
        plans = self._plans()
        own = (each.index_name for each in plans if each.manifest == self._manifest and each.index_name)
        return next(own, None) or self._free_index_name(plans)

    def index_in(self, folder: Path) -> Path:
        """The path of this manifest's index in the output folder, whether it exists or not."""
        return folder / f"{self.index_name}.json"

    def _free_index_name(self, plans: Iterable[_LastPlan]) -> str:
        taken = {each.index_name for each in plans if self._is_there(each)}
        stem = f"{INDEX}.{Path(self._manifest).stem}"
        names = chain((INDEX, stem), map(f"{stem}-{{}}".format, count(2)))
        return next(each for each in names if each not in taken)

    def _is_there(self, plan: _LastPlan) -> bool:
        if plan.manifest == self._manifest:
            return True
        return bool(plan.manifest) and os.path.exists(os.path.join(self._home, plan.manifest))

    def _plans(self) -> list[_LastPlan]:
        columns = "generation, manifest, digest, index_name"
        return list(self.each(lambda row: _LastPlan(*row), f"SELECT {columns} FROM plans ORDER BY generation"))

    def _view(self) -> _View:
        plans = self._plans()
        own, there = self._own(plans), [each for each in plans if self._is_there(each)]
        others = (each.generation for each in there if each.index_name and each.generation != own)
        return _View(own, tuple(others), tuple(each.generation for each in there if not each.index_name))

    def _own(self, plans: list[_LastPlan]) -> int:
        """The generation of the last plan of this manifest.

        A manifest that was not planned yet has that of one whose file is gone: it may be that one under a new name.
        Where nobody said from which manifest the state is seen, it is the plan that was registered last.
        """
        if not plans or not self._manifest:
            return self._generation()
        own = [each.generation for each in plans if each.manifest == self._manifest and each.index_name]
        gone = [each.generation for each in plans if not self._is_there(each)]
        return max(own or gone, default=-1)

    @property
    def is_planned(self) -> bool:
        """Whether this manifest, or one that it may have been, was planned."""
        return self._view().own > 0

    def _generation(self) -> int:
        """That of the plan that was registered last."""
        return next(self.each(lambda row: int(row[0]), "SELECT value FROM meta WHERE name = 'generation'"), 0)

    def _in(self, generations: Iterable[int]) -> str:
        """The condition that one of these plans has a job."""
        listed = ", ".join(map(str, generations)) or "-1"
        one = f"jobs.generation IN ({listed})"
        if not self._is_shared():
            return one
        also = f"SELECT 1 FROM shared WHERE shared.job_id = jobs.id AND shared.generation IN ({listed})"
        return f"({one} OR EXISTS ({also}))"

    def _is_shared(self) -> bool:
        return self.scalar("SELECT 1 FROM shared LIMIT 1") is not None

    def is_orphan(self, job_id: str) -> bool:
        """Whether no manifest has the job any more."""
        return self.scalar(f"SELECT 1 FROM jobs WHERE id = ? AND {self._is_orphaned()}", (job_id,)) is not None

    def _is_orphaned(self) -> str:
        """The condition that no manifest has a job."""
        view = self._view()
        return f"NOT {self._in((view.own, *view.others, *view.adopted))}"

    def _is_own(self) -> str:
        """The condition that a job is in the last plan of this manifest."""
        return self._in((self._view().own,))

    def _is_left(self) -> str:
        """The condition that a job is in the last plan of no manifest."""
        view = self._view()
        return f"NOT {self._in((view.own, *view.others))}"

    def _is_no_other_ones(self) -> str:
        """The condition that a job is in the last plan of no other manifest."""
        return f"NOT {self._in(self._view().others)}"

    def registering(self, digest: str | None) -> Callable[[Iterable[Job]], None] | None:
        """Begin to register a plan. Returns a function that takes its jobs, in their order, in any number of calls.

        Returns None if `digest` is that of this manifest's last plan, and no other one changed its jobs since. A plan
        without a digest is always new. A job that is given more than once keeps its first place.
        """
        plans = self._plans()
        own = [each for each in plans if each.manifest == self._manifest]
        last = next((each for each in own if each.index_name), None)
        if last is not None and digest and last.digest == digest and not self._is_shared_by(last.generation):
            return None
        name, before = self.index_name, self._generation()
        generation, positions = before + 1, count()
        # A manifest whose file is gone has no jobs any more.
        self._forget(each for each in plans if each in own or not self._is_there(each))
        if not plans and before:
            self.write("INSERT INTO plans VALUES (?, ?, '', NULL)", (before, self._manifest))
        self.write("INSERT INTO plans VALUES (?, ?, ?, ?)", (generation, self._manifest, digest or "", name))
        self.write(
            "INSERT INTO meta VALUES ('generation', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (str(generation),),
        )
        return lambda jobs: self._register(zip(jobs, positions, strict=False), generation)

    def _is_shared_by(self, generation: int) -> bool:
        return self.scalar("SELECT 1 FROM shared WHERE generation = ? LIMIT 1", (generation,)) is not None

    def _forget(self, plans: Iterable[_LastPlan]) -> None:
        for each in list(plans):
            for table in ("plans", "shared"):
                self.write(f"DELETE FROM {table} WHERE generation = ?", (each.generation,))

    def _register(self, placed: Iterable[tuple[Job, int]], generation: int) -> None:
        self.write_many(
            "INSERT INTO jobs (id, fingerprint, take, model, payload, seconds, key, aliases, image, prompt_id,"
            " variables, generation, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, take = excluded.take,"
            " key = excluded.key, aliases = excluded.aliases, image = excluded.image, prompt_id = excluded.prompt_id,"
            " variables = excluded.variables, generation = excluded.generation, position ="
            " CASE generation WHEN excluded.generation THEN position ELSE excluded.position END",
            (row_of(job, generation, position) for job, position in placed),
        )

    def _own_place(self) -> str:
        """The place of a job in the last plan of this manifest."""
        own = self._view().own
        if not self._is_shared():
            return "jobs.position"
        also = f"SELECT position FROM shared WHERE job_id = jobs.id AND generation = {own}"
        return f"CASE jobs.generation WHEN {own} THEN jobs.position ELSE ({also}) END"
