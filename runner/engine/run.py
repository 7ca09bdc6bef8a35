"""What the parts of the engine share during one run: the state, the flights, the running calls, and what stops it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from decimal import Decimal
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from runner.api.answers import Remote
from runner.api.client import Client
from runner.api.linked_files import LinkedFiles
from runner.engine.clock import Clock
from runner.engine.downloads.transfer import Stop
from runner.engine.flights import Flight, Flights, Phase
from runner.engine.pacing import Gate, Window
from runner.engine.queue import Queue
from runner.engine.schedule import Schedule
from runner.errors import AccessError, ReelrunError, StateError
from runner.model import Action, Status
from runner.planning.comparison import NOT_SELECTED
from runner.planning.plan import Plan
from runner.planning.selection import Selection
from runner.state.store import Store

Result = TypeVar("Result")

# The most calls at once. A submission starts only while fewer than MOST_POSTS calls run: an upload takes long, and
# polls must not wait for it. Downloads are counted separately for the same reason.
MOST_CALLS, MOST_POSTS = 40, 32


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """The progress of a run: numbers of jobs, flights by status, money spent, and why it waits, if it does."""

    total: int
    done: int
    failed: int
    submitted: int
    statuses: Mapping[str, int]
    spent: Decimal
    note: str = ""


class Progress(Protocol):
    """Is called with the progress of the run, once a turn of the loop."""

    def __call__(self, snapshot: RunSnapshot) -> None: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run gets from outside: network, executor, clock, randomness, and the progress callback."""

    client: Client
    files: LinkedFiles
    executor: Executor
    clock: Clock
    randomness: random.Random
    progress: Progress


# Any: each kind of call has its own type of result, which its handler knows.
Handler = Callable[[Any, float], None]


@dataclass(frozen=True, slots=True)
class Event:
    """A blocking call that ended: its handler, its future and its start. `is_call`: it counts in `Run.calls`."""

    handle: Handler
    future: Future[Any]
    started: float
    is_call: bool


class Run:
    """One run of a plan. Everything here runs on the one thread that decides, except `wake`."""

    def __init__(self, plan: Plan, selection: Selection, store: Store, tools: Tools) -> None:
        self.plan = plan
        self.selection = selection
        self.settings = plan.manifest.run
        self.store = store
        self.tools = tools
        self.inbox: SimpleQueue[Event | None] = SimpleQueue()
        self.flights = Flights()
        self.queue = Queue(plan.submits, plan.totals[Action.SUBMIT])
        # The limit of requests unfinished at the service.
        self.depth = Window(self.settings.concurrency)
        self.schedule = Schedule(self.flights, store, self.settings.wait)
        self.asks = Gate(tools.randomness, MOST_CALLS)
        self.stop = Stop()
        self.calls = 0
        self.skew: float | None = None
        # Whether the key is known to belong to the state's organisation, if the state has recorded one.
        self._organisation = store.note("organisation")
        self.is_ours = self._organisation in (None, tools.client.service.organisation)
        self.interrupted = False
        self.error: ReelrunError | None = None
        self.last_error: ReelrunError | None = None
        self.note = ""
        selected = [group for group in plan.groups if group.reason != NOT_SELECTED]
        self.total = sum(group.jobs for group in selected)
        self.done = sum(group.jobs for group in selected if group.action is Action.KEEP)
        self.failed = sum(group.jobs for group in selected if group.action is Action.SKIP)
        self.submitted = 0
        self.spent = plan.spent

    def now(self) -> float:
        return self.tools.clock.now()

    def wake(self) -> None:
        """End the current wait. Safe in a signal handler and in other threads."""
        self.inbox.put(None)

    @property
    def is_stopping(self) -> bool:
        return self.interrupted or self.error is not None

    def fail(self, error: ReelrunError) -> None:
        """Stop the run. All that is known is kept, and the first error is the one reported."""
        self.error = self.error or error

    def fail_at_end(self, error: ReelrunError) -> None:
        """Report an error when the run ends: it keeps some jobs from being submitted, and the others go on."""
        self.last_error = self.last_error or error

    def deny(self, message: str) -> None:
        """The service refused the key or the access (401, 403)."""
        hint = "check GMI_API_KEY and GMI_ORG_ID; all that is known is kept, and the same command goes on"
        self.fail(AccessError(f"the service refuses access: {message}", hint))

    def start(self, handle: Handler, call: Callable[[], object], *, is_call: bool = True) -> None:
        """Run a blocking call on the executor. When it ends, an event is put into the inbox."""
        started = self.now()
        self.calls += is_call
        future: Future[Any] = self.tools.executor.submit(call)
        future.add_done_callback(lambda done: self.inbox.put(Event(handle, done, started, is_call)))

    def settle(self, event: Event) -> None:
        self.calls -= event.is_call
        event.handle(event.future, event.started)

    def heard(self, server_time: float | None) -> None:
        """Learn the skew of the service's clock from an answer that came just now."""
        if server_time is not None:
            self.skew = server_time - self.now()

    def attach(self, flight: Flight, request_id: str, status: str | None) -> None:
        """Record the request id of an attempt."""
        now = self.now()
        self.store.accept(flight.attempt, request_id, now, status, self.skew)
        flight.attempt = replace(flight.attempt, request_id=request_id, accepted_at=now, remote_status=status)
        flight.since = now
        self.queue.release(flight.attempt.fingerprint)
        self.schedule.join(flight, now)

    def end(self, flight: Flight, status: Status, error: str | None = None) -> None:
        """Record the outcome of an attempt."""
        self.store.conclude(flight.attempt, status, self.now(), error)
        self.drop(flight)
        self.done += status is Status.SUCCEEDED
        self.failed += status is not Status.SUCCEEDED

    def drop(self, flight: Flight) -> None:
        self.flights.remove(flight)
        self.schedule.leave(flight, self.now())
        self.queue.release(flight.attempt.fingerprint)

    def again(self, flight: Flight) -> None:
        """Submit the flight's job again, unless it is orphaned."""
        self.drop(flight)
        if flight.planned is not None:
            self.queue.put_back(flight.planned)

    def leave(self, flight: Flight, reason: str) -> None:
        """Do no more for this attempt in this run. It stays open, and the next run goes on with it."""
        self.store.explain(flight.attempt, reason)
        self.flights.move(flight, Phase.LEFT)
        self.schedule.leave(flight, self.now())
        if flight.attempt.request_id is None:
            self.queue.abandon(flight.attempt.fingerprint)

    def check_organisation(self, remote: Remote) -> bool:
        """Record whose requests these are. If not the state's organisation, the key is another one: stop the run."""
        if remote.organisation is None:
            return True
        known = self._organisation
        if known is None:
            self.store.remember("organisation", remote.organisation)
            self._organisation = remote.organisation
        elif known != remote.organisation:
            hint = "use the key of that organisation, or another output.dir"
            self.fail(StateError(f"this state belongs to organisation {known}, the key to {remote.organisation}", hint))
            return False
        self.is_ours = True
        return True

    def snapshot(self) -> RunSnapshot:
        return RunSnapshot(
            self.total, self.done, self.failed, self.submitted, self.flights.statuses(), self.spent, self.note
        )


def result_of(future: Future[Result], otherwise: Callable[[str], Result]) -> Result:
    """The result of a call. `otherwise` turns an unexpected error into a result: if it were raised, the results of
    other calls in the same turn would be lost."""
    if future.cancelled():
        return otherwise("the call was cancelled")
    error = future.exception()
    return future.result() if error is None else otherwise(f"an unexpected {type(error).__name__}")
