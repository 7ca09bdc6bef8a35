"""All warnings of a plan: about entries that do nothing, and about requests that are likely to disappoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.model import Job, Manifest
from runner.planning.expansion.cells import Expansion
from runner.planning.lints.advice import Case, Check, checks
from runner.planning.lints.equal_cells import EqualCells
from runner.planning.lints.gaps import Gaps
from runner.planning.lints.idle_entries import idle_entries
from runner.planning.lints.left_out import left_out_parameters, left_out_prompts, uncertain_parameters
from runner.planning.lints.placeholders import Placeholders
from runner.planning.lints.respelled_numbers import respelled_numbers
from runner.planning.lints.small_pictures import small_pictures
from runner.planning.lints.unused_names import idle_axes, names_of, shadowed_columns, unused, unused_pictures
from runner.planning.lints.whitespace_twins import WhitespaceTwins
from runner.planning.plan_diagnostics import PlanDiagnostics, PlanWarning


class Lints:
    """Sees the cells of a manifest while they are expanded. At the end, it reports the warnings about all of them."""

    def __init__(self, manifest: Manifest, expansion: Expansion, diagnostics: PlanDiagnostics) -> None:
        self._manifest = manifest
        self._expansion = expansion
        self._diagnostics = diagnostics
        self._arms = expansion.arms
        is_dynamic = any(template.is_dynamic for template in expansion.templates)
        self._used = expansion.used | (names_of(manifest) if is_dynamic else frozenset())
        self._open: dict[tuple[str, str], tuple[Check, ...]] = {}
        self._found: list[PlanWarning] = []
        self._twins = WhitespaceTwins(self._arms)
        self._twins.is_active = diagnostics.wants("W806")
        self._placeholders = Placeholders(manifest, self._arms)
        self._gaps = Gaps(manifest, self._arms)
        self._equal_cells = EqualCells(idle_axes(manifest.matrix, self._used))

    def see(self, job: Job) -> None:
        """Check the request of a cell."""
        checks = self._open.get((job.prompt_id, job.model))
        if checks is None:
            checks = self._open[job.prompt_id, job.model] = tuple(self._checks(job.prompt_id, job.model))
        for check in checks:
            warning = check(job.payload)
            if warning is not None:
                self._count(warning, job)
        if self._twins.is_active:
            self._twins.see(job)
        self._placeholders.see(job)
        self._gaps.see(job)

    def see_equal(self, job: Job) -> None:
        """Note a cell with the same request as an earlier cell."""
        self._equal_cells.note(job)

    def tell(self, jobs: Iterable[Job]) -> None:
        """Report the warnings about the matrix, and all others if there are no errors, which could be their cause."""
        has_errors = self._diagnostics.has_errors
        for warning in idle_entries(self._manifest.matrix) if self._expansion.is_matrix_valid else ():
            self._diagnostics.warn(warning)
        for warning in self._warnings(jobs) if not has_errors else ():
            self._diagnostics.warn(warning)

    def _warnings(self, jobs: Iterable[Job]) -> Iterator[PlanWarning]:
        yield from unused(self._manifest, self._used)
        yield from shadowed_columns(self._manifest, self._expansion.used)
        yield from unused_pictures(self._manifest)
        yield from respelled_numbers(self._manifest, self._arms.values())
        yield from self._placeholders.warnings()
        yield from self._gaps.warnings()
        yield from self._equal_cells.warnings(self._manifest, self._arms, jobs, self._expansion.seen)
        yield from small_pictures(self._manifest)
        yield from left_out_parameters(self._manifest)
        yield from left_out_prompts(self._manifest)
        yield from uncertain_parameters(self._manifest, self._arms)
        yield from self._found
        yield from self._twins.warnings()

    def _checks(self, prompt: str, model: str) -> Iterator[Check]:
        """The checks that each cell of an arm and a model needs. What all these cells share is checked here."""
        case = Case(self._manifest, self._arms[prompt, model], self._manifest.schemas[model])
        for code, found in checks(case).items():
            for check in found if self._diagnostics.wants(code) else ():
                if not case.constants.keys() >= set(check.names):
                    yield check.check
                elif (warning := check.check(case.constants)) is not None:
                    self._found.append(warning)

    def _count(self, warning: PlanWarning, job: Job) -> None:
        if not warning.cells:
            warning.first = job.key
            self._found.append(warning)
        warning.cells += 1
