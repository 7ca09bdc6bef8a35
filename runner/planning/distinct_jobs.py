"""The distinct jobs among the cells. Equal requests become one job, and no two jobs share a key or a path."""

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

# If there are too many jobs, this many further valid cells are still checked.
_LOOK_AHEAD = 10_000


class DistinctJobs:
    """The jobs of a manifest, found while its cells are expanded.

    Aliases and equal keys are known only after the first walk. Until then, a job has its plain key and no aliases. Only
    numbers (ids and hashes) are kept of all jobs, so that a sweep of millions fits into memory. If two hashes are
    equal, `finish` compares the jobs themselves.
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
        # Hashes of keys and of paths, folded because some disks ignore case; and the hashes that occurred twice.
        self._keys: set[int] = set()
        self._paths: set[int] = set()
        self._twice: set[int] = set()
        self._shared: Counter[str] = Counter()
        # How many takes there are beyond those of the manifest, and how many more there would be without max_jobs.
        self.retakes = self.above = 0

    def walk(self) -> Iterator[Job]:
        """Each job, at its first cell. Ends with E507 if there are more jobs than the budget allows."""
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
            is_bought = job.is_retake and self._expansion.retakes.is_bought(job.fingerprint, job.take)
            if len(self.ids) >= most and job.is_retake and not is_bought:
                self.above += 1
                continue
            if len(self.ids) >= most and not is_bought:
                if not self._expansion.has_grown:
                    self._report_too_many(most)
                # Report the diagnostics of further cells, too.
                deque(islice(cells, _LOOK_AHEAD), maxlen=0)
                return
            self.ids.add(number)
            self.retakes += job.is_retake
            self._claim(job)
            yield job

    def __len__(self) -> int:
        return len(self.ids)

    def _claim(self, job: Job) -> None:
        # Without output.file, paths are made from keys: equal keys have equal paths, and noting the paths is enough.
        if self._expansion.output is not None:
            self._note(self._keys, job.key)
        self._note(self._paths, job.output)

    def _note(self, known: set[int], name: str) -> None:
        number = hash(name.lower() if name.isascii() else folded(name))
        if number in known:
            self._twice.add(number)
        known.add(number)

    def finish(self, jobs: Iterable[Job]) -> None:
        """Find the equal keys, and report jobs that would share a path (E602).

        `jobs` are the jobs of the walk. They are iterated more than once.
        """
        if not self._twice:
            return
        self._shared.update(folded(job.key) for job in jobs if self._may_share(job))
        holders: dict[str, str] = {}
        for job in map(self.finished, filter(self._may_share, jobs)):
            holder = holders.setdefault(folded(job.output), job.key)
            if holder != job.key and not self._expansion.has_grown:
                message = f"two jobs would write videos/{job.output}.mp4: {holder} and {job.key}"
                hint = "name in output.file what tells them apart, such as {{ prompt.id }}, a variable or {{ take }}"
                self._diagnostics.add("E602", Place(("output", "file")), message, hint, cell=holder, about="")

    def _may_share(self, job: Job) -> bool:
        names = (job.key, job.output)
        return any(hash(name.lower() if name.isascii() else folded(name)) in self._twice for name in names)

    def finished(self, job: Job) -> Job:
        """The job with its final key and path. Its aliases are the keys of the other cells with the same request."""
        # Two cells with the same request can also have the same key, for instance if a value is twice on an axis.
        aliases = tuple(each for each in self._aliases.get(job.id, ()) if each != job.key)
        if self._shared and self._shared[folded(job.key)] > 1:
            key = told_apart(job.key, job.id)
            output = safe_path(key) if self._expansion.output is None else job.output
            return replace(job, key=key, output=output, aliases=aliases)
        return replace(job, aliases=aliases) if aliases else job

    def amended(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """The jobs whose final key, path or aliases differ from what the walk gave."""
        if self._shared or self._aliases:
            for job in jobs:
                finished = self.finished(job)
                if finished is not job:
                    yield finished

    def tell_retakes(self) -> None:
        """Warn of the retakes that would be more jobs than the budget allows (W541)."""
        if self.above:
            message = f"retakes above max_jobs are not planned: {self.above:,}"
            hint = f"write max_jobs: {len(self.ids) + self.above} under budget (--max-jobs only lowers it)"
            self._diagnostics.add("W541", Place(("budget", "max_jobs")), message, hint)

    def _report_too_many(self, limit: int) -> None:
        cells = self._expansion.cells
        hint = f"make the matrix smaller, or write max_jobs: {cells} under budget (--max-jobs only lowers it)"
        message = f"there are more than {limit:,} jobs: the sweep has up to {cells:,} cells"
        self._diagnostics.add("E507", Place(("budget", "max_jobs")), message, hint)
