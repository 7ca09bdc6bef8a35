"""The engine: a loop on one thread, which decides and writes to the state. Blocking calls run on an executor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.diagnostics.words import money
from runner.engine.assignment import assign
from runner.engine.downloads.fetching import Fetching
from runner.engine.flights import Flight, Phase
from runner.engine.mirror.mirroring import Mirroring
from runner.engine.polling import Polling
from runner.engine.run import Run, Tools
from runner.engine.searching import Searching
from runner.engine.submitting import Submitting
from runner.errors import BudgetError, ReelrunError, StateError
from runner.model import Action, Attempt, Planned
from runner.planning.plan import Plan
from runner.planning.selection import Selection
from runner.state.store import Store

# Seconds to wait for open calls, and for videos that are being verified or copied, after a run was stopped. Downloads
# are not waited for.
DRAIN = 10.0
_SHORTEST_TURN, _LONGEST_TURN = 0.02, 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended: how many submissions it made, and the error that stopped it or some of its jobs, if any.

    `aside` is what was in the way of downloads, at its new paths. `mirror` is why the mirror lacks files, if it does,
    and what to do.
    """

    submitted: int
    interrupted: bool
    error: ReelrunError | None
    aside: tuple[Path, ...] = ()
    mirror: tuple[str, str] = ("", "")


class Engine:
    """Executes a plan. The caller must hold the run lock of the state."""

    def __init__(
        self, plan: Plan, selection: Selection, store: Store, tools: Tools, attach: Sequence[str] = ()
    ) -> None:
        self._run = Run(plan, selection, store, tools)
        self._polling = Polling(self._run)
        self._submitting = Submitting(self._run, self._polling)
        self._searching = Searching(self._run)
        self._mirroring = Mirroring(self._run)
        self._fetching = Fetching(self._run, self._mirroring.add)
        self._attach = attach
        self._stopped_at: float | None = None

    def interrupt(self) -> None:
        """Submit nothing more and end soon. Safe in a signal handler."""
        self._run.interrupted = True
        self._run.wake()

    def run(self) -> Report:
        """Work until nothing is left to do in this run, or something stops it."""
        run = self._run
        self._adopt()
        assign(run, self._attach)
        run.tools.progress(run.snapshot())
        try:
            while self._has_work():
                self._turn()
        finally:
            run.stop.set()
        run.rest()
        error = run.error or run.last_error
        return Report(run.submitted, run.interrupted, error, tuple(run.aside), self._mirroring.failure)

    def _turn(self) -> None:
        """Handle the calls that have ended, and start those that are due."""
        run = self._run
        events = run.tools.clock.wait(run.inbox, self._patience())
        with run.store.transaction():
            for event in events:
                if event is not None:
                    run.handle(event)
            self._polling.leave_unasked()
            self._searching.leave_unasked()
            run.give_up_on_silence()
            self._submitting.intend()
        # In this order: intents are committed above, the path still leads to our file, and only then a POST leaves.
        run.check_state()
        self._fetching.rename()
        self._submitting.post()
        self._searching.look()
        self._polling.poll()
        self._fetching.fetch()
        self._mirroring.start()
        run.store.follow()
        run.tools.progress(run.snapshot())

    def _has_work(self) -> bool:
        run = self._run
        if not run.is_stopping:
            return run.flights.is_busy() or self._submitting.has_work or self._mirroring.has_work
        now = run.now()
        self._stopped_at = now if self._stopped_at is None else self._stopped_at
        run.stop.set()
        is_busy = run.calls > 0 or self._fetching.is_verifying or self._mirroring.is_copying
        return is_busy and now - self._stopped_at < DRAIN

    def _patience(self) -> float:
        """Seconds until something may be due."""
        soonest = min(self._submitting.due, self._searching.due, self._polling.due, self._mirroring.due)
        return min(max(soonest - self._run.now(), _SHORTEST_TURN), _LONGEST_TURN)

    def _adopt(self) -> None:
        """Take up the attempts that earlier runs left open, also those of orphaned jobs."""
        run = self._run
        opened = run.store.open_attempts()
        planned = {each.job.id: each for each in run.plan.opened}
        with run.store.transaction():
            for attempt in opened:
                if attempt.request_id is None and attempt.lost_at is None:
                    # Its runner is dead, and so its connection is closed.
                    run.store.lose(attempt, run.wall(), "the run ended before the answer came")
                    attempt = replace(attempt, lost_at=run.wall())
                if run.selection.has(attempt):
                    self._adopt_one(attempt, planned.get(attempt.job_id))
                elif attempt.request_id is None:
                    run.queue.abandon(attempt.fingerprint)

    def _adopt_one(self, attempt: Attempt, planned: Planned | None) -> None:
        run, now = self._run, self._run.now()
        resubmit = planned is not None and planned.action is Action.SUBMIT
        flight = Flight(attempt, Phase.UNKNOWN, now, planned, resubmit=resubmit)
        run.tell(attempt.key, f"goes on as {attempt.request_id}" if attempt.request_id else "is looked for")
        run.total += planned is None
        run.flights.add(flight)
        run.queue.exclude(attempt.job_id, is_planned=resubmit)
        if attempt.request_id is not None:
            run.schedule.join(flight, now)
        else:
            run.queue.hold(attempt)


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
    """Raise BudgetError if what is spent and the plan's cost together exceed max_cost, or if that cannot be known.

    Then nothing is submitted.
    """
    budget, submits = plan.manifest.budget, plan.totals[Action.SUBMIT]
    if budget.max_cost is None or not submits:
        return
    number, most = f"{submits:,} submission{'s' if submits != 1 else ''}", money(budget.max_cost, budget.currency)
    if plan.cost is None:
        raise BudgetError(
            f"the price of {number} is not known, and the budget is {most}",
            "add price_per_job or price_per_second under budget, or take max_cost out; nothing was sent",
        )
    total = plan.spent + plan.cost
    if total > budget.max_cost:
        raise BudgetError(
            f"{number} for {money(plan.cost, budget.currency)} would bring the total to"
            f" {money(total, budget.currency)}, over the budget of {most}",
            "raise budget.max_cost, or choose fewer jobs with --only; nothing was sent",
        )
