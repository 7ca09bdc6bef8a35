"""The totals of a plan, counted while its jobs are made."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from runner.model import Action, Job, Planned, folded
from runner.planning.comparison import LEFT, NEW, RESUBMITTED

# A plan with up to this many jobs is held in memory. The jobs of a larger one are made again when they are needed.
KEPT = 20_000
# This many jobs to submit are always held, so that a large plan that is nearly done need not be made again. Submitting
# that many takes hours.
HELD = 5_000
_OPENED = frozenset((Action.ATTACH, Action.FETCH))


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs with the same action and reason. `price` is None if the price of one of them is not known."""

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
    """Counts planned jobs by action and reason, and keeps the jobs of a plan that is not too large."""

    def __init__(self, most: int | None = None) -> None:
        """At most so many jobs are submitted: the first ones. The others are left for a later run."""
        self._most = most
        self._submitted = self.later = 0
        self._sums: dict[tuple[Action, str], _Sums] = {}
        # By reason and price of changed jobs: the ids of the jobs that had their keys before. All jobs may be changed.
        self._changed: dict[tuple[str, Decimal | None], array[int]] = {}
        self.kept: list[Planned] | None = []
        # The first jobs to submit, and the place in the plan of the next one after them.
        self.submits: list[Planned] = []
        self.others: int | None = None
        # Jobs with an open attempt: never more than were in flight at once.
        self.opened: list[Planned] = []
        # Those whose clips are not, or will not be, where output.file puts them.
        self.misplaced: list[Planned] = []
        self._passed = 0

    def add(self, planned: Planned) -> None:
        if planned.action is Action.SUBMIT and self._most is not None:
            self._submitted += 1
            if self._submitted > self._most:
                self.later += 1
                planned = Planned(planned.job, Action.SKIP, LEFT, None, planned.spent)
        if planned.path:
            self.misplaced.append(planned)
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

    def finish(self, ids: Collection[int], finished: Callable[[Job], Job]) -> None:
        """Correct what was not yet known while the jobs were counted. `ids` are the ids of all jobs."""
        for (reason, price), formers in self._changed.items():
            moved = sum(former in ids for former in formers)
            self._count(Action.SUBMIT, reason, price, Decimal(0), -moved)
            self._count(Action.SUBMIT, NEW, price, Decimal(0), moved)
        if self.kept is not None:
            self.kept = [with_final_names(each, ids, finished) for each in self.kept]
        self.submits = [with_final_names(each, ids, finished) for each in self.submits]
        self.opened = [with_final_names(each, ids, finished) for each in self.opened]
        final = (with_final_names(each, ids, finished) for each in self.misplaced)
        self.misplaced = [each for each in final if each.path]

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


def with_final_names(planned: Planned, ids: Collection[int], finished: Callable[[Job], Job]) -> Planned:
    """A planned job, corrected once all jobs are known. If the former job only moved to a new key, this one is new."""
    job = finished(planned.job)
    # An orphan makes room.
    if (planned.path and folded(planned.path) == folded(job.output)) or (
        planned.holder and int(planned.holder, 16) not in ids
    ):
        planned = replace(planned, path="", holder="")
    if planned.former and int(planned.former, 16) in ids:
        return replace(planned, job=job, reason=NEW, changes=(), former="")
    return planned if job is planned.job else replace(planned, job=job)
