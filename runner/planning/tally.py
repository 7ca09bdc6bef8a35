"""What a plan comes to, counted while its jobs pass by."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from runner.model import Action, Job, Planned
from runner.planning.comparison import NEW, RESUBMITTED

# Up to so many jobs a plan is held in memory; a larger one is made again where its jobs are asked for.
KEPT = 20_000
# So many of those to submit are held apart, for a large plan that is nearly done; that many take hours.
HELD = 5_000
_OPENED = frozenset((Action.ATTACH, Action.FETCH))


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs with which the same is done for the same reason. `price` is None where that of one is not known."""

    action: Action
    reason: str
    jobs: int
    price: Decimal | None
    spent: Decimal


@dataclass(slots=True)
class _Sums:
    jobs: int = 0
    priced: int = 0
    price: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)


class Tally:
    """Counts planned jobs by action and reason, and keeps those of a plan that is not too large."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Action, str], _Sums] = {}
        # For jobs under a key that another job had, by the reason and the price: those others. It may be all of them.
        self._changed: dict[tuple[str, Decimal | None], array[int]] = {}
        self.kept: list[Planned] | None = []
        # The first of those to submit, and the place in the plan from which on there are others.
        self.submits: list[Planned] = []
        self.others: int | None = None
        # Those whose attempt is open: never more than were in flight at once.
        self.opened: list[Planned] = []
        self._passed = 0

    def add(self, planned: Planned) -> None:
        self._count(planned.action, planned.reason, planned.price, planned.spent)
        if planned.former:
            of_one_kind = self._changed.setdefault((planned.reason, planned.price), array("Q"))
            of_one_kind.append(int(planned.former, 16))
        if self.kept is not None:
            self.kept.append(planned)
            if len(self.kept) > KEPT:
                self.kept = None
        if planned.action in _OPENED or planned.reason == RESUBMITTED:
            self.opened.append(planned)
        if planned.action is Action.SUBMIT and self.others is None:
            if len(self.submits) < HELD:
                self.submits.append(planned)
            else:
                self.others = self._passed
        self._passed += 1

    def settle(self, ids: Collection[int], settled: Callable[[Job], Job]) -> None:
        """Put right what was not known while the jobs passed by; `ids` are those of all jobs."""
        for (reason, price), formers in self._changed.items():
            moved = sum(former in ids for former in formers)
            self._count(Action.SUBMIT, reason, price, Decimal(0), -moved)
            self._count(Action.SUBMIT, NEW, price, Decimal(0), moved)
        if self.kept is not None:
            self.kept = [settled_one(each, ids, settled) for each in self.kept]
        self.submits = [settled_one(each, ids, settled) for each in self.submits]
        self.opened = [settled_one(each, ids, settled) for each in self.opened]

    def groups(self) -> tuple[Group, ...]:
        """In the order of actions."""
        return tuple(
            Group(action, reason, sums.jobs, sums.price if sums.priced == sums.jobs else None, sums.spent)
            for action in Action
            for (its_action, reason), sums in self._sums.items()
            if its_action is action and sums.jobs
        )

    def _count(self, action: Action, reason: str, price: Decimal | None, spent: Decimal, jobs: int = 1) -> None:
        sums = self._sums.get((action, reason))
        if sums is None:
            sums = self._sums[action, reason] = _Sums()
        sums.jobs += jobs
        if price is not None:
            sums.priced += jobs
            sums.price += price * jobs
        if spent:
            sums.spent += spent


def settled_one(planned: Planned, ids: Collection[int], settled: Callable[[Job], Job]) -> Planned:
    """A planned job as it is once all jobs are known. A request that only moved to another key is no change of it."""
    job = settled(planned.job)
    if planned.former and int(planned.former, 16) in ids:
        return replace(planned, job=job, reason=NEW, changes=(), former="")
    return planned if job is planned.job else replace(planned, job=job)
