"""The takes of a cell beyond those that the manifest has: bought before, asked for, or in place of rejected ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from runner.diagnostics.words import joined
from runner.model import AskedTake, Job, Json, Manifest
from runner.state.store import Store
from runner.verdicts.votes import Verdicts, verdicts_on

# Of a retake of which neither a rejection nor an ask is known any more.
_BOUGHT = "retake"


@dataclass(slots=True)
class Growth:
    """A cell that may have more takes than the manifest says. `cell` is the fingerprint of its first take.

    `bought` is the highest take that was bought, `made` are those beyond the manifest's that it has so far, and
    `rejected` has the reviewers of each rejected take by its number.
    """

    cell: str
    bought: int = 0
    made: set[int] = field(default_factory=set)
    rejected: dict[int, tuple[str, ...]] = field(default_factory=dict)


class Retakes:
    """How many takes each cell has, and why. A plan that is walked twice gets the same answers.

    With `is_locked` a cell has no more than were bought. `reasons` and `held` are told while the walk goes on: why each
    retake is there, by job id, and how many a cell would have more, were it not locked.
    """

    def __init__(
        self,
        manifest: Manifest,
        verdicts: Verdicts,
        asked: Sequence[AskedTake] = (),
        bought: Iterable[tuple[str, int]] = (),
        *,
        is_locked: bool = False,
    ) -> None:
        self._manifest = manifest
        self.verdicts = verdicts
        self._is_locked = is_locked
        self._asked: dict[str, list[AskedTake]] = {}
        for each in asked:
            self._asked.setdefault(each.cell, []).append(each)
        self._bought: dict[str, set[int]] = {}
        for fingerprint, take in bought:
            self._bought.setdefault(fingerprint, set()).add(take)
        # Whether any cell may grow at all.
        self.is_active = bool(verdicts.marks and manifest.most_retakes) or bool(asked) or bool(self._bought)
        self.reasons: dict[str, str] = {}
        self.held: dict[str, int] = {}

    @classmethod
    def of(cls, manifest: Manifest, store: Store | None, *, is_locked: bool = False) -> Self:
        """Those of a manifest by its verdicts and its state. Raises DiskError."""
        if store is None:
            return cls(manifest, Verdicts())
        bought = store.bought_takes(manifest.takes)
        return cls(manifest, verdicts_on(manifest, store), store.asked(), bought, is_locked=is_locked)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the takes that were bought beyond those of the manifest, the highest first."""
        return sorted({take for takes in self._bought.values() for take in takes}, reverse=True)

    @property
    def basis(self) -> Json:
        """All that decides which retakes there are: a part of what decides the jobs of a plan."""
        if not self.is_active:
            return None
        rejected = [(job, self.verdicts.rejecters(job)) for job in sorted(self.verdicts.marks)]
        asked = [(each.cell, each.number) for cell in sorted(self._asked) for each in self._asked[cell]]
        bought = [(fingerprint, sorted(self._bought[fingerprint])) for fingerprint in sorted(self._bought)]
        limits = (self._manifest.most_retakes, self._manifest.budget.max_jobs, self._is_locked)
        return (limits, [each for each in rejected if each[1]], asked, bought)

    def may_grow(self, growth: Growth) -> bool:
        """Whether a cell with the manifest's takes may have more."""
        return self.wanted(growth) > self._manifest.takes or bool(self.held.get(growth.cell))

    def see(self, job: Job, growth: Growth) -> None:
        """Note whether a take of a cell is rejected: somebody says so, and nobody picked it."""
        names = self.verdicts.rejecters(job.id)
        if names:
            growth.rejected[job.take] = names

    def highest_bought(self, fingerprint: str) -> int:
        """The highest take of a request that was bought beyond those of the manifest; 0 if there is none."""
        return max(self._bought.get(fingerprint, ()), default=0)

    def is_bought(self, fingerprint: str, take: int) -> bool:
        return take in self._bought.get(fingerprint, ())

    def wants(self, growth: Growth, take: int) -> bool:
        """Whether a take that was not bought is to be: a gap below one that was bought is none by itself."""
        numbers = [each.number for each in self._asked.get(growth.cell, ())]
        return not self._is_locked and (take <= self._own(growth) or take in numbers)

    def _own(self, growth: Growth) -> int:
        """The takes of the manifest, and one for each that is rejected."""
        return self._manifest.takes + min(self._manifest.most_retakes, len(growth.rejected))

    def wanted(self, growth: Growth) -> int:
        """The highest take that a cell has."""
        numbers = [each.number for each in self._asked.get(growth.cell, ())]
        full = max(self._own(growth), growth.bought, *numbers, 0)
        if self._is_locked:
            self.held[growth.cell] = full - max(growth.bought, self._manifest.takes)
            return growth.bought
        return full

    def explain(self, job: Job, growth: Growth) -> None:
        """Note why a retake is there: of those that nobody asked for, the first replaces the first rejected take."""
        asked = next((each for each in self._asked.get(growth.cell, ()) if each.number == job.take), None)
        place, rejected = job.take - self._manifest.takes - 1, list(growth.rejected.values())
        if asked is not None:
            names = growth.rejected.get(asked.take, ())
        else:
            names = rejected[place] if place < len(rejected) else ()
        if names:
            self.reasons[job.id] = f"retake: rejected by {joined(names, 'and')}"
        else:
            self.reasons[job.id] = f"retake: asked for by {asked.by}" if asked is not None else _BOUGHT


def no_retakes(manifest: Manifest) -> Retakes:
    return Retakes(manifest, Verdicts())
