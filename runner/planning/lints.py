"""Everything that a plan warns of: what does nothing, and what is likely to disappoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from runner.model import Job, Manifest
from runner.planning.advice import Case, Judge, checks, small_pictures
from runner.planning.cells import Expansion
from runner.planning.equals import Equals
from runner.planning.faults import Faults, Remark
from runner.planning.spacing import Spacing
from runner.planning.unused import idle_axes, names_of, unused


class Lints:
    """Watches the cells of a manifest, and tells in the end what there is to say of them and of what made them."""

    def __init__(self, manifest: Manifest, expansion: Expansion, faults: Faults) -> None:
        self._manifest = manifest
        self._expansion = expansion
        self._faults = faults
        self._arms = {arm.prompt.id: arm for arm in expansion.arms}
        is_open = any(template.is_open for template in expansion.templates)
        self._used = expansion.used | (names_of(manifest) if is_open else frozenset())
        self._open: dict[tuple[str, str], tuple[Judge, ...]] = {}
        self._found: list[Remark] = []
        self._spacing = Spacing(self._arms)
        self._spacing.is_open = faults.wants("W806")
        self._equals = Equals(idle_axes(manifest.matrix, self._used))

    def see(self, job: Job) -> None:
        """Look at the request of a cell."""
        judges = self._open.get((job.prompt_id, job.model))
        if judges is None:
            judges = self._open[job.prompt_id, job.model] = tuple(self._judges(job.prompt_id, job.model))
        for judge in judges:
            remark = judge(job.payload)
            if remark is not None:
                self._count(remark, job)
        if self._spacing.is_open:
            self._spacing.see(job)

    def see_again(self, job: Job) -> None:
        """Look at a cell whose request came before."""
        self._equals.note(job)

    def tell(self, again: Callable[[], Iterable[Job]]) -> None:
        """Put the warnings into the faults, unless there are errors: then much would merely follow from those.

        `again` walks through the jobs once more.
        """
        if not self._faults.has_errors:
            for remark in self._remarks(again):
                self._faults.remark(remark)

    def _remarks(self, again: Callable[[], Iterable[Job]]) -> Iterator[Remark]:
        yield from unused(self._manifest, self._used)
        yield from self._equals.remarks(self._manifest, self._arms, again, self._expansion.seen)
        yield from small_pictures(self._manifest)
        yield from self._found
        yield from self._spacing.remarks()

    def _judges(self, prompt: str, model: str) -> Iterator[Judge]:
        """What has to be judged in each cell of an arm and a model; what is the same in all is judged here."""
        case = Case(self._manifest, self._arms[prompt], self._manifest.schemas[model])
        for code, found in checks(case).items():
            for check in found if self._faults.wants(code) else ():
                if not case.constants.keys() >= set(check.names):
                    yield check.judge
                elif (remark := check.judge(case.constants)) is not None:
                    self._found.append(remark)

    def _count(self, remark: Remark, job: Job) -> None:
        if not remark.cells:
            remark.first = job.key
            self._found.append(remark)
        remark.cells += 1
