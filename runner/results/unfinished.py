"""The jobs of a state that did not succeed: how many there are of each status, and the first of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from runner.model import REFUSED_CONTENT, JobRecord, Status
from runner.planning.selection import Selection
from runner.state.store import Store

# How many are listed one by one. Nobody reads more, and there may be a million.
MOST = 20


@dataclass(frozen=True, slots=True)
class Unfinished:
    """`totals` has only the statuses that occur. `first` are in the order of the plan, orphaned jobs last. `refused`
    is how many of the failed jobs were refused for their content.
    """

    totals: Mapping[Status, int] = field(default_factory=dict)
    first: tuple[JobRecord, ...] = ()
    refused: int = 0

    def __len__(self) -> int:
        return sum(self.totals.values())

    @property
    def others(self) -> int:
        """How many jobs there are besides `first`."""
        return len(self) - len(self.first)

    def without(self, later: int) -> Unfinished:
        """The same without so many pending jobs, which this run was not asked to submit: they are the last ones."""
        pending = self.totals.get(Status.PENDING, 0) - later
        others = dict(self.totals)
        others.pop(Status.PENDING, None)
        if not later:
            return self
        if pending > 0:
            return replace(self, totals={Status.PENDING: pending, **others})
        return replace(self, totals=others, first=tuple(each for each in self.first if each.status in others))


def unfinished(store: Store, selection: Selection) -> Unfinished:
    """The selected jobs of the last plan that did not succeed, and orphaned ones that are still open."""
    if selection.is_everything:
        return Unfinished(store.unfinished_totals(), tuple(store.unfinished(MOST)), store.refused())
    totals: Counter[Status] = Counter()
    first: list[JobRecord] = []
    refused = 0
    for record in filter(selection.has, store.unfinished()):
        totals[record.status] += 1
        refused += record.status is Status.FAILED and record.reason == REFUSED_CONTENT
        if len(first) < MOST:
            first.append(record)
    return Unfinished(totals, tuple(first), refused)
