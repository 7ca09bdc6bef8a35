"""The jobs of a state that did not succeed: how many there are of each status, and the first of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.model import JobRecord, Status
from runner.planning.selection import Selection
from runner.state.store import Store

# How many are listed one by one. Nobody reads more, and there may be a million.
MOST = 20


@dataclass(frozen=True, slots=True)
class Unfinished:
    """`totals` has only the statuses that occur. `first` are in the order of the plan, orphaned jobs last."""

    totals: Mapping[Status, int] = field(default_factory=dict)
    first: tuple[JobRecord, ...] = ()

    def __len__(self) -> int:
        return sum(self.totals.values())

    @property
    def others(self) -> int:
        """How many jobs there are besides `first`."""
        return len(self) - len(self.first)


def unfinished(store: Store, selection: Selection) -> Unfinished:
    """The selected jobs of the last plan that did not succeed, and orphaned ones that are still open."""
    if selection.is_everything:
        return Unfinished(store.unfinished_totals(), tuple(store.unfinished(MOST)))
    totals: Counter[Status] = Counter()
    first: list[JobRecord] = []
    for record in filter(selection.has, store.unfinished()):
        totals[record.status] += 1
        if len(first) < MOST:
            first.append(record)
    return Unfinished(totals, tuple(first))
