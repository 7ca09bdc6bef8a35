"""The distinct jobs among cells: equal requests are one job, equal keys are told apart, no two jobs share a path."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from runner.model import Job, Manifest, folded
from runner.planning.expansion.cells import Expansion
from runner.planning.expansion.keys import told_apart
from runner.planning.expansion.paths import safe_path
from runner.planning.lints.lints import Lints
from runner.planning.plan_diagnostics import Place, PlanDiagnostics

# So many valid cells are looked at where there are too many of them.
_LOOK_AHEAD = 10_000


class DistinctJobs:
    """The jobs of a manifest, as they come out of their cells.

    What they have in common with each other is known at the end of the first walk through them: until then a job has
    its plain key, and no aliases. Of all jobs only numbers are kept, so that a sweep of millions fits into memory;
    where two numbers are equal, `settle` looks at the jobs themselves once more.
    """

    def __init__(
        self, manifest: Manifest, expansion: Expansion, diagnostics: PlanDiagnostics, lints: Lints | None = None
    ) -> None:
        self._manifest = manifest
        self._expansion = expansion
        self._diagnostics = diagnostics
        self._lints = lints
        self.ids: set[int] = set()
        self._aliases: dict[str, dict[str, None]] = {}
        # Hashes of keys and paths as a disk that ignores case sees them; those that came twice.
        self._keys: set[int] = set()
        self._paths: set[int] = set()
        self._twice: set[int] = set()
        self._shared: Counter[str] = Counter()

    def walk(self) -> Iterator[Job]:
        """Each job when its first cell comes. Ends with E507 where there are more of them than the budget allows."""
        most = self._manifest.budget.max_jobs
        cells = self._expansion.jobs()
        for job in cells:
            if self._lints is not None:
                self._lints.see(job)
            number = int(job.id, 16)
            if number in self.ids:
                if self._lints is not None:
                    self._lints.see_equal(job)
                self._aliases.setdefault(job.id, {})[job.key] = None
                continue
            if len(self.ids) == most:
                if not self._expansion.has_grown:
                    self._tell_too_many(most)
                # What is wrong with further cells is told as well.
                deque(islice(cells, _LOOK_AHEAD), maxlen=0)
                return
            self.ids.add(number)
            self._claim(job)
            yield job

    def __len__(self) -> int:
        return len(self.ids)

    def _claim(self, job: Job) -> None:
        # Without output.file the path follows from the key: keys that are equal have equal paths.
        if self._expansion.output is not None:
            self._note(self._keys, job.key)
        self._note(self._paths, job.output)

    def _note(self, known: set[int], name: str) -> None:
        number = hash(name.lower() if name.isascii() else folded(name))
        if number in known:
            self._twice.add(number)
        known.add(number)

    def settle(self, jobs: Iterable[Job]) -> None:
        """Find out which keys are equal, and tell of jobs that would share a path (E602).

        `jobs` are those of the walk, and can be gone through several times.
        """
        if not self._twice:
            return
        self._shared.update(folded(job.key) for job in jobs if self._may_share(job))
        holders: dict[str, str] = {}
        for job in map(self.settled, filter(self._may_share, jobs)):
            holder = holders.setdefault(folded(job.output), job.key)
            if holder != job.key and not self._expansion.has_grown:
                message = f"two jobs would write videos/{job.output}.mp4: {holder} and {job.key}"
                hint = "name in output.file what tells them apart, such as {{ prompt.id }}, a variable or {{ take }}"
                self._diagnostics.add("E602", Place(("output", "file")), message, hint, cell=holder, about="")

    def _may_share(self, job: Job) -> bool:
        names = (job.key, job.output)
        return any(hash(name.lower() if name.isascii() else folded(name)) in self._twice for name in names)

    def settled(self, job: Job) -> Job:
        """The job as it is called in the end, with the keys of the other cells that render to its request."""
        # Two cells of one request may have one key, as those of 1 and 1.0 on an axis have.
        aliases = tuple(each for each in self._aliases.get(job.id, ()) if each != job.key)
        if self._shared and self._shared[folded(job.key)] > 1:
            key = told_apart(job.key, job.id)
            output = safe_path(key) if self._expansion.output is None else job.output
            return replace(job, key=key, output=output, aliases=aliases)
        return replace(job, aliases=aliases) if aliases else job

    def amended(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Those of the jobs that are not called in the end as the walk gave them."""
        if self._shared or self._aliases:
            for job in jobs:
                settled = self.settled(job)
                if settled is not job:
                    yield settled

    def _tell_too_many(self, limit: int) -> None:
        hint = "make the matrix smaller, or raise budget.max_jobs (--max-jobs only lowers it)"
        place = Place(("budget", "max_jobs"))
        self._diagnostics.add("E507", place, f"there are more than {limit:,} jobs", hint)
