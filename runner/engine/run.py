"""What the parts of the engine share during one run: the state, the flights, the running calls, and what stops it."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from runner.api.answer_classes import is_refusal_of_content
from runner.api.answers import Remote, Told
from runner.api.client import Client
from runner.api.linked_files import LinkedFiles
from runner.engine.clock import Clock
from runner.engine.downloads.transfer import Stop
from runner.engine.flights import Flight, Flights, Phase
from runner.engine.mirror.mirror import Mirror
from runner.engine.pacing import Gate, Window, backoff
from runner.engine.queue import Queue, Requested
from runner.engine.reconcile import SLACK, hidden_in, is_time, model_name, rewritten_in
from runner.engine.schedule import Schedule
from runner.errors import (
    AccessError,
    BucketError,
    DiskError,
    LockedError,
    ReelrunError,
    ServiceError,
    StateError,
)
from runner.model import REFUSED_CONTENT, Action, Attempt, ModelFacts, ModelSchema, Status, same_value
from runner.planning.comparison import LEFT, NOT_SELECTED
from runner.planning.plan import Plan
from runner.planning.selection import Selection
from runner.state.store import Store

Result = TypeVar("Result")

# The most calls at once. A submission starts only while fewer than MOST_POSTS calls run: an upload takes long, and
# polls must not wait for it. Downloads are counted separately for the same reason.
MOST_CALLS, MOST_POSTS = 40, 32
# Seconds between two lists for models that hold the answer to a POST for minutes.
_SYNC_SETTLE = 180.0
# A job that the service pushes back with a failed record is submitted so often in a run, after so many seconds.
_MOST_SUBMISSIONS, _PUSHED_BACK = 3, 5.0
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class RunStep:
    """Something that happened in a run: to which job, by its key, or to which file; and what."""

    about: str
    what: str


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """The progress of a run: numbers of jobs, flights by status, money spent, and why it waits, if it does.

    `uncopied` files are not in the mirror yet. `steps` are those since the snapshot before.
    """

    total: int
    done: int
    failed: int
    submitted: int
    statuses: Mapping[str, int]
    spent: Decimal
    note: str = ""
    uncopied: int = 0
    steps: tuple[RunStep, ...] = ()


class Progress(Protocol):
    """Is called with the progress of the run, once a turn of the loop."""

    def __call__(self, snapshot: RunSnapshot) -> None: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run gets from outside: network, executor, clock, randomness, the progress callback, and the mirror."""

    client: Client
    files: LinkedFiles
    executor: Executor
    clock: Clock
    randomness: random.Random
    progress: Progress
    mirror: Mirror | None = None


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
        self.media = plan.manifest.media
        self.store = store
        self.tools = tools
        self.inbox: SimpleQueue[Event | None] = SimpleQueue()
        self.flights = Flights()
        self.queue = Queue(plan.submits, plan.totals[Action.SUBMIT], self._overlap)
        # How many may be unfinished at the service.
        self.depth = Window(self.settings.concurrency)
        self.schedule = Schedule(self.flights, store, self.settings.wait)
        self.asks = Gate(tools.randomness, MOST_CALLS)
        self.posts = Gate(tools.randomness, MOST_POSTS)
        self.stop = Stop()
        self.calls = 0
        # By model: what its answers showed, and the service's time of the request that was accepted last.
        self._facts: dict[str, ModelFacts] = {}
        self._last_created: dict[str, float | None] = {}
        # The requests that were accepted last: when the POST began, when its answer came, and the id.
        self.accepted: deque[tuple[float, float, str]] = deque(maxlen=_REMEMBERED)
        # How often this run submitted a job that the service pushed back.
        self._submissions: Counter[str] = Counter()
        # What the state says, and what answers to this key said.
        self._organisation = store.note("organisation")
        self._told_organisation = tools.client.service.organisation
        # Whether the service has answered a call, when the first call to it began, and how the last one failed.
        self._has_answered = False
        self._began: float | None = None
        self._silence = ""
        self.interrupted = False
        self.error: ReelrunError | None = None
        self.last_error: ReelrunError | None = None
        self.note = ""
        self._steps: list[RunStep] = []
        selected = [group for group in plan.groups if group.reason not in (LEFT, NOT_SELECTED)]
        self.total = sum(group.jobs for group in selected)
        self.done = sum(group.jobs for group in selected if group.action is Action.KEEP)
        self.failed = sum(group.jobs for group in selected if group.action is Action.SKIP)
        self.submitted = 0
        self.uncopied = 0
        # What was in the way of a download, and where it is now.
        self.aside: list[Path] = []
        self.spent = plan.spent

    def now(self) -> float:
        """Seconds since the machine was booted: for decisions."""
        return self.tools.clock.now()

    def wall(self) -> float:
        """Unix seconds of this machine: for people."""
        return self.tools.clock.wall()

    @cached_property
    def caller(self) -> str:
        """Tells the key and GMI_ORG_ID of this run from others. Belongs into a transaction: it may make the salt."""
        salt = self.store.note("salt")
        if salt is None:
            salt = self.tools.randomness.randbytes(16).hex()
            self.store.remember("salt", salt)
        return self.tools.client.service.digest(bytes.fromhex(salt))

    def is_ours(self, attempt: Attempt) -> bool:
        """Whether the lists that this key gets are known to be of the organisation that the attempt was made for."""
        if attempt.caller and attempt.caller == self.caller:
            return True
        return attempt.organisation is not None and attempt.organisation == self._told_organisation

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

    def check_state(self) -> None:
        """Stop the run if the state is not where it was: what is written to it may not be found any more."""
        try:
            self.store.check_in_place()
        except (StateError, LockedError) as error:
            self.fail(error)

    def secure(self, number: int) -> None:
        """What must be done between the commit of the attempts up to this number and their POSTs, or stop the run."""
        try:
            self.store.secure(number)
        except (StateError, DiskError, BucketError, LockedError) as error:
            self.fail(error)

    def rest(self) -> None:
        """The state comes to rest where it belongs."""
        try:
            self.store.rest()
        except ReelrunError as error:
            self.fail_at_end(error)

    def hear(self, told: Told) -> None:
        """Take note of whether the service answers at all."""
        self._has_answered |= not told.is_silent
        self._silence = told.message if told.is_silent else self._silence

    def give_up_on_silence(self) -> None:
        """Stop the run if the service has not answered once: `run.wait` is for one that is there."""
        service = self.tools.client.service
        is_over = self._began is not None and self.now() - self._began >= service.patience
        # An answer to what was sent may still be on its way.
        if self._has_answered or not self._silence or not is_over or self.flights.count(Phase.POSTING):
            return
        said = f"nothing answers at {service.base_url} for {service.patience:g} s: {self._silence}"
        hint = "check GMI_BASE_URL or --base-url, and the network; --patience waits longer; nothing is lost"
        self.fail(ServiceError(said, hint))

    def deny(self, message: str) -> None:
        """The service refused the key or the access (401, 403)."""
        hint = "check GMI_API_KEY and GMI_ORG_ID; all that is known is kept, and the same command goes on"
        self.fail(AccessError(f"the service refuses access: {message}", hint))

    def stop_buying(self, message: str) -> None:
        """The account is empty (402): nothing more is submitted, and what was accepted is waited for."""
        self.queue.close()
        hint = "top up the account, then run the same command again: it buys what is left and nothing twice"
        self.fail_at_end(AccessError(f"the service wants more credits: {message}", hint))

    def start(
        self, handle: Handler, call: Callable[[], object], *, is_call: bool = True, is_of_service: bool = True
    ) -> None:
        """Run a blocking call on the executor. When it ends, an event is put into the inbox.

        A call that is not of the service says nothing of how long that has been silent.
        Where the executor refuses, the run ends. It may have begun with the call, so an intent stays what it is.
        """
        started = self.now()
        try:
            future: Future[Any] = self.tools.executor.submit(call)
        except RuntimeError as error:
            hint = "allow more threads (ulimit -u, ulimit -v), then run the same command again: nothing is lost"
            self.fail(DiskError(f"a call cannot be started: {error}", hint))
            return
        self.calls += is_call
        if is_call and is_of_service and self._began is None:
            self._began = started
        future.add_done_callback(lambda done: self.inbox.put(Event(handle, done, started, is_call)))

    def handle(self, event: Event) -> None:
        self.calls -= event.is_call
        event.handle(event.future, event.started)

    def schema(self, model: str) -> ModelSchema | None:
        """None for a model that the manifest has no longer."""
        return self.plan.manifest.schemas.get(model)

    def facts(self, model: str) -> ModelFacts:
        if model not in self._facts:
            self._facts[model] = self.store.model_facts(model)
        return self._facts[model]

    def learn(self, model: str, fact: str, name: str = "") -> None:
        """Record what an answer about a request of ours showed of its model."""
        self.store.learn_fact(model, fact, name)
        self._facts.pop(model, None)

    def settle_of(self, model: str) -> float:
        """Seconds between two lists that prove a request's absence: a sync model may still be at work for minutes."""
        schema = self.schema(model)
        is_sync = self.facts(model).is_sync or (schema is not None and schema.document.get("x-delivery") == "sync")
        longest = max(self.tools.client.service.submit_timeout, _SYNC_SETTLE) if is_sync else 0.0
        return max(self.settings.settle, longest)

    def last_created(self, model: str) -> float | None:
        """The service's time of the last accepted request of this model, None if it never told one."""
        if model not in self._last_created:
            self._last_created[model] = self.store.last_created(model)
        return self._last_created[model]

    def window_start(self, model: str) -> float | None:
        """From which time of the service on its list may show what is submitted now; None: from the list's start."""
        last = self.last_created(model)
        return None if last is None or self.facts(model).is_untimed else last - SLACK

    def page_told(self, model: str, smallest: float | None) -> None:
        """A page of the list was seen before the first submission to a model: the least of the times on it."""
        self._last_created[model] = smallest

    def attach(self, flight: Flight, remote: Remote) -> None:
        """The attempt has its request."""
        created = remote.created_at if is_time(remote.created_at) else None
        model = flight.attempt.model
        if remote.created_at is not None and created is None:
            self.distrust(model, f"{remote.created_at:.15g} is no time in whole Unix seconds")
        if created is not None and flight.newest is not None and created < flight.newest - SLACK:
            self.distrust(model, "a later request is listed as an earlier one")
        self.store.accept(flight.attempt, remote.request_id, self.wall(), remote.status, created)
        how = "submitted" if flight.attempt.lost_at is None else "found: it is"
        self.tell(flight.attempt.key, f"{how} as {remote.request_id}, {remote.status}")
        if created is not None:
            self._last_created[model] = created
        flight.attempt = replace(
            flight.attempt,
            request_id=remote.request_id,
            accepted_at=self.wall(),
            remote_status=remote.status,
            created_at=created,
        )
        flight.since = self.now()
        self.queue.release(flight.attempt.fingerprint)
        self.schedule.join(flight, flight.since)

    def learn_from(self, attempt: Attempt, remote: Remote) -> None:
        """Learn from the service's record of a request of ours what can be told of others by such records."""
        model, schema, facts = attempt.model, self.schema(attempt.model), self.facts(attempt.model)
        if remote.model is not None and model_name(remote.model) not in {model_name(model), *facts.aliases}:
            self.learn(model, "alias", model_name(remote.model))
        told, now = attempt.created_at, remote.created_at
        if now is not None and ((told is not None and now != told) or not is_time(now)):
            self.distrust(model, "a request's time is not the one that was told before")
        for name in hidden_in(attempt.payload, remote.payload, schema, attempt.addresses) - facts.hidden:
            self.learn(model, "hidden", name)
        for name in rewritten_in(attempt.payload, remote.payload, schema) - facts.rewritten:
            self.learn(model, "rewritten", name)

    def distrust(self, model: str, reason: str) -> None:
        """The service's times of a model decide nothing any more: its windows begin at the start of the list."""
        if not self.facts(model).is_untimed:
            self.learn(model, "untimed")
            self.note = f"the service's times of {model} are not trusted: {reason}"

    def _overlap(self, left: Requested, right: Requested) -> bool:
        """Whether the list could not tell two requests apart: their POSTs must not run at the same time."""
        if left.fingerprint == right.fingerprint or left.model != right.model:
            return left.fingerprint == right.fingerprint
        facts = self.facts(left.model)
        if not facts.hidden or facts.is_sync:
            return False
        names = {*left.payload, *right.payload} - facts.hidden
        return all(same_value(left.payload.get(name), right.payload.get(name)) for name in names)

    def push_back(self, flight: Flight, reason: str) -> None:
        """The service made a failed record of a rate limit: the job is submitted once more, but not again and again."""
        planned, job_id = flight.planned, flight.attempt.job_id
        if planned is None:
            # An orphaned job is not submitted again.
            self.end(flight, Status.FAILED, reason)
            return
        self.store.conclude(flight.attempt, Status.FAILED, self.wall(), reason)
        self.store.make_pending(flight.attempt, f"pushed back: {reason}")
        self.drop(flight)
        pause = backoff(self._submissions[job_id], self.tools.randomness)
        self.posts.pause(self.now(), max(pause, _PUSHED_BACK))
        self.depth.refused(self.now(), flight.since)
        self.note = f"the service pushes back: {reason}"
        self.tell(flight.attempt.key, self.note)
        self._submissions[job_id] += 1
        budget = self.plan.manifest.budget
        # A job that an earlier run submitted has no price in the plan.
        price = self.plan.manifest.price(flight.attempt.model, flight.attempt.payload, flight.attempt.seconds)
        is_affordable = budget.max_cost is None or self.spent + (price or 0) <= budget.max_cost
        if self._submissions[job_id] < _MOST_SUBMISSIONS and is_affordable:
            self.queue.put_back(replace(planned, price=price))

    def end(self, flight: Flight, status: Status, error: str | None = None) -> None:
        """The attempt has its outcome."""
        is_refused = status is Status.FAILED and is_refusal_of_content(error or "")
        reason = REFUSED_CONTENT if is_refused else ""
        self.store.conclude(flight.attempt, status, self.wall(), error, reason)
        if status is not Status.SUCCEEDED:
            self.tell(flight.attempt.key, f"{status}: {error}" if error else str(status))
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
        self.tell(flight.attempt.key, f"left for the next run: {reason}")
        self.flights.move(flight, Phase.LEFT)
        self.schedule.leave(flight, self.now())
        if flight.attempt.request_id is None and not flight.is_settled:
            self.queue.abandon(flight.attempt.fingerprint)

    def check_organisation(self, remote: Remote) -> bool:
        """Record whose requests these are. If not the state's organisation, the key is another one: stop the run."""
        if remote.organisation is None:
            return True
        self._told_organisation = remote.organisation
        known = self._organisation
        if known is None:
            self.store.remember("organisation", remote.organisation)
            self._organisation = remote.organisation
        elif known != remote.organisation:
            hint = "use the key of that organisation, or another output.dir"
            self.fail(StateError(f"this state belongs to organisation {known}, the key to {remote.organisation}", hint))
            return False
        return True

    def tell(self, about: str, what: str) -> None:
        """What happened, for people: in the next snapshot."""
        self._steps.append(RunStep(about, what))

    def snapshot(self) -> RunSnapshot:
        steps, self._steps = tuple(self._steps), []
        return RunSnapshot(
            self.total, self.done, self.failed, self.submitted, self.flights.statuses(), self.spent, self.note,
            self.uncopied, steps,
        )  # fmt: skip


def result_of(future: Future[Result], otherwise: Callable[[str], Result]) -> Result:
    """The result of a call. `otherwise` turns an unexpected error into a result: if it were raised, the results of
    other calls in the same turn would be lost."""
    if future.cancelled():
        return otherwise("the call was cancelled")
    error = future.exception()
    return future.result() if error is None else otherwise(f"an unexpected {type(error).__name__}")
