"""The engine on a simulated clock, against a queue with slots: minutes of service time in seconds."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from queue import SimpleQueue
from statistics import mean
from typing import Any
from unittest.mock import patch

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Answer, Listing, Remote, Submission
from runner.api.body import Body
from runner.api.client import Client
from runner.api.linked_files import LinkedFiles
from runner.api.service import Service
from runner.engine.downloads import fetching
from runner.engine.downloads.artifacts import Arrival, Order
from runner.engine.loop import Engine
from runner.engine.run import Tools
from runner.manifest.reader import load
from runner.model import Variables
from runner.planning.plan import make_plan
from runner.planning.selection import EVERYTHING
from runner.state.store import Store
from tests.bench import manifests
from tests.bench.slots import Request, Slots, ideal_makespan, service_times
from tests.engines import arrived, delivered

_URL = "http://127.0.0.1:1/"
# Seconds from a call to its answer.
_ROUND_TRIP = 0.05


class SimulatedClock:
    """Passes from event to event."""

    def __init__(self) -> None:
        self._time = 1e9
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], object]]] = []

    boot = "simulated"

    def now(self) -> float:
        return self._time

    def wall(self) -> float:
        return self._time

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        heapq.heappush(self._events, (self._time + seconds, next(self._order), call))

    def wait(self, inbox: SimpleQueue[Any], timeout: float) -> list[Any]:
        deadline = self._time + max(timeout, 0.0)
        while inbox.empty() and self._events and self._events[0][0] <= deadline:
            self._time, _, call = heapq.heappop(self._events)
            call()
        if inbox.empty():
            self._time = deadline
        return [inbox.get() for _ in range(inbox.qsize())]


class Wire(Executor):
    """Carries calls: each is answered half a round trip after it was made, and the answer takes as long again."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def arrive() -> None:
            answer = fn(*args, **kwargs)
            self._clock.later(_ROUND_TRIP / 2, lambda: future.set_result(answer))

        self._clock.later(_ROUND_TRIP / 2, arrive)
        return future


@dataclass(frozen=True, slots=True)
class Scenario:
    """A batch and its service. `times` makes the service times of the jobs (in the order of their start) from a seed.

    `tells` makes the service's word of a status from the true one, `others` is how many requests of other customers
    stand in the line before ours.
    """

    times: Callable[[int], Iterator[float]]
    jobs: int = 400
    slots: int = 32
    concurrency: int = 64
    tells: Callable[[str], str] = str
    others: int = 0
    runs_before: int = 0


class Simulated(Client):
    """The service: a queue with slots that speaks as the API does."""

    def __init__(self, clock: SimulatedClock, scenario: Scenario, seed: int) -> None:
        super().__init__(Service(_URL, "sk-simulated"))
        self._clock = clock
        self._scenario = scenario
        self._names = (f"r-{seed}-{number}" for number in count())
        self.queue = Slots(scenario.slots, scenario.times(seed), clock.now, clock.later)
        self.ours: dict[str, Request] = {}
        self._echoes: dict[str, Variables] = {}
        for _ in range(scenario.others):
            self.queue.submit(next(self._names), b"")

    def submit(self, body: Body, permit: object = None) -> Submission:
        request = self.queue.submit(next(self._names), b"")
        self.ours[request.id] = request
        self._echoes[request.id] = body.payload
        return Submission(AnswerClass.ACCEPTED, self._remote(request, "queued"), 200)

    def get(self, request_id: str) -> Answer:
        request = self.ours[request_id]
        request.polls += 1
        link = _URL + request_id if request.status == "success" else None
        return Answer(AnswerClass.ACCEPTED, replace(self._remote(request, request.status), video_url=link))

    def page(self, model: str, *, patience: float) -> Listing:
        return Listing(AnswerClass.ACCEPTED, (), 0, None, True)

    def list(self, model: str) -> Listing:
        raise AssertionError("nothing is lost here")

    def _remote(self, request: Request, status: str) -> Remote:
        return Remote(request.id, status=self._scenario.tells(status), payload=self._echoes[request.id])

    def arrive(self, files: LinkedFiles, order: Order, stop: object) -> Arrival:
        """A download, in the place of the real one."""
        request = self.ours[order.request_id]
        if request.asked != request.asked:
            request.asked = self._clock.now()
        request.delivered = self._clock.now()
        return arrived(files, order, stop)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a batch cost: polls a job, mean lag in seconds, and makespan to the ideal one."""

    polls: float
    lag: float
    makespan: float


def simulate(scenario: Scenario, seed: int, folder: Path) -> Figures:
    """Run a batch; `runs_before` are earlier ones in the same state."""
    for earlier in range(scenario.runs_before):
        _run(scenario, seed + 1000 * (earlier + 1), folder, earlier)
    return _run(scenario, seed, folder, scenario.runs_before)


def _run(scenario: Scenario, seed: int, folder: Path, number: int) -> Figures:
    manifest = load(manifests.batch(folder, scenario.jobs, concurrency=scenario.concurrency, wait="10h"))
    # Every run has videos of its own to make.
    params = {**manifest.params, "negative_prompt": f"run {number}"}
    manifest = replace(manifest, params=params)
    clock = SimulatedClock()
    service = Simulated(clock, scenario, seed)
    with (
        Store.open(manifest.output.state) as store,
        patch.object(fetching, "arrive", service.arrive),
        patch.object(fetching, "accept", delivered),
    ):
        with store.transaction():
            plan = make_plan(manifest, store, EVERYTHING, (), lambda _: store.registering(f"run {number}"))
        tools = Tools(service, LinkedFiles(True), Wire(clock), clock, random.Random(seed), lambda snapshot: None)
        report = Engine(plan, EVERYTHING, store, tools).run()
        if report.error is not None or report.submitted != scenario.jobs:
            raise AssertionError(f"{report.submitted} of {scenario.jobs} jobs: {report.error}")
    return _figures(service)


def _figures(service: Simulated) -> Figures:
    ours = list(service.ours.values())
    whole = max(each.delivered for each in ours) - min(each.submitted for each in ours)
    everything = [each.service for each in service.queue.requests.values()]
    return Figures(
        mean(each.polls for each in ours),
        mean(each.asked - each.completed for each in ours),
        whole / ideal_makespan(everything, service.queue.slots),
    )


def log_normal(average: float, sigma: float = 0.5) -> Callable[[int], Iterator[float]]:
    return lambda seed: service_times(average, sigma, seed)


def shifted(average: float, factor: float, after: int) -> Callable[[int], Iterator[float]]:
    """Times that are so many times as long from a number of requests on."""

    def times(seed: int) -> Iterator[float]:
        drawn = service_times(average, 0.5, seed)
        yield from islice(drawn, after)
        yield from (factor * each for each in drawn)

    return times


def mixed(short: float, long: float) -> Callable[[int], Iterator[float]]:
    """Half of the requests are short, half are long."""

    def times(seed: int) -> Iterator[float]:
        chosen = random.Random(seed)
        both = service_times(short, 0.2, seed), service_times(long, 0.2, seed + 1)
        while True:
            yield next(both[chosen.random() < 0.5])

    return times
