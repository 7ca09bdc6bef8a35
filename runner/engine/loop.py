"""The engine: a loop on one thread, which decides and writes to the state. Blocking calls run on an executor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runner.engine.downloads.fetching import Fetching
from runner.engine.flights import Flight, Phase
from runner.engine.polling import Polling
from runner.engine.run import Run, Tools
from runner.engine.searching import Searching
from runner.engine.submitting import Submitting
from runner.errors import BudgetError, ReelrunError, StateError
from runner.model import Action, Attempt, Planned
from runner.planning.plan import Plan
from runner.planning.selection import Selection
from runner.state.store import Store

# Seconds to wait for open calls after a run was stopped. Downloads are not waited for.
DRAIN = 10.0
_SHORTEST_TURN, _LONGEST_TURN = 0.02, 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended: how many submissions it made, and the error that stopped it or some of its jobs, if any."""

    submitted: int
    interrupted: bool
    error: ReelrunError | None


class Engine:
    """Executes a plan. The caller must hold the run lock of the state."""

    def __init__(self, plan: Plan, selection: Selection, store: Store, tools: Tools) -> None:
        self._run = Run(plan, selection, store, tools)
        self._submitting = Submitting(self._run)
        self._searching = Searching(self._run)
        self._polling = Polling(self._run)
        self._fetching = Fetching(self._run)
        self._stopped_at: float | None = None

    def interrupt(self) -> None:
        """Submit nothing more and end soon. Safe in a signal handler."""
        self._run.interrupted = True
        self._run.wake()

    def run(self) -> Report:
        """Work until nothing is left to do in this run, or something stops it."""
        run = self._run
        self._adopt()
        run.tools.progress(run.snapshot())
        try:
            while self._has_work():
                self._turn()
        finally:
            run.stop.set()
        return Report(run.submitted, run.interrupted, run.error or run.last_error)

    def _turn(self) -> None:
        """Handle the calls that have ended, and start those that are due."""
        run = self._run
        events = run.tools.clock.wait(run.inbox, self._patience())
        with run.store.transaction():
            for event in events:
                if event is not None:
                    run.settle(event)
            self._submitting.intend()
        self._submitting.post()
        self._searching.look()
        self._polling.poll()
        self._fetching.fetch()
        run.tools.progress(run.snapshot())

    def _has_work(self) -> bool:
        run = self._run
        if not run.is_stopping:
            return run.flights.is_busy() or (len(run.queue) > 0 and not self._submitting.is_blocked)
        now = run.now()
        self._stopped_at = now if self._stopped_at is None else self._stopped_at
        run.stop.set()
        return run.calls > 0 and now - self._stopped_at < DRAIN

    def _patience(self) -> float:
        """Seconds until something may be due."""
        soonest = min(self._submitting.due, self._searching.due, self._polling.due)
        return min(max(soonest - self._run.now(), _SHORTEST_TURN), _LONGEST_TURN)

    def _adopt(self) -> None:
        """Take up the attempts that earlier runs left open, also those of orphaned jobs."""
        run = self._run
        opened = run.store.open_attempts()
        planned = {each.job.id: each for each in run.plan.opened}
        with run.store.transaction():
            for attempt in opened:
                if run.selection.has(attempt):
                    self._adopt_one(attempt, planned.get(attempt.job_id))
                elif attempt.request_id is None:
                    run.queue.abandon(attempt.fingerprint)

    def _adopt_one(self, attempt: Attempt, planned: Planned | None) -> None:
        run, now = self._run, self._run.now()
        resubmit = planned is not None and planned.action is Action.SUBMIT
        flight = Flight(attempt, Phase.LOST, now, planned, resubmit=resubmit)
        run.total += planned is None
        run.flights.add(flight)
        run.queue.exclude(attempt.job_id, is_planned=resubmit)
        if attempt.request_id is not None:
            run.schedule.join(flight, now)
            return
        run.queue.hold(attempt.fingerprint)
        if attempt.lost_at is None:
            # The process that sent it has ended, so its connection is closed.
            run.store.lose(attempt, now, None, "the run ended before the answer came")
            flight.attempt = replace(attempt, lost_at=now)


def check_service(store: Store, service: str, organisation: str | None) -> None:
    """Bind a new state to its service. Raises StateError if it belongs to another one."""
    for name, value in (("service", service), ("organisation", organisation)):
        known = store.note(name)
        if value is None or known == value:
            continue
        if known is not None:
            raise StateError(
                f"this state belongs to {name} {known}, not to {value}",
                "a state never changes its service: name another output.dir, or look at --base-url and GMI_ORG_ID",
            )
        store.remember(name, value)


def check_budget(plan: Plan) -> None:
    """Raise BudgetError if what is spent and the plan's cost together exceed max_cost. Then nothing is submitted."""
    budget, cost = plan.manifest.budget, plan.cost
    if budget.max_cost is None or cost is None or not plan.totals[Action.SUBMIT]:
        return
    total, submits = plan.spent + cost, plan.totals[Action.SUBMIT]
    if total > budget.max_cost:
        raise BudgetError(
            f"{submits:,} submission{'s' if submits != 1 else ''} for {cost:.2f} {budget.currency} would bring"
            f" the total to {total:.2f}, over the budget of {budget.max_cost:.2f}",
            "raise budget.max_cost, or choose fewer jobs with --only; nothing was sent",
        )
