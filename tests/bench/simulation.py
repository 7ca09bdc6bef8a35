"""The engine on a simulated clock, against a queue with slots: minutes of service time in seconds.

`python -m tests.bench.simulation` prints what each scenario costs: polls a job, the mean lag from a completion to its
download, and the makespan to the ideal one.
"""

from __future__ import annotations

import argparse
import heapq
import random
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from queue import SimpleQueue
from statistics import mean
from typing import Any
from unittest.mock import patch

from runner.api.answers import Answer, Listing, Remote, Submission
from runner.api.body import Body
from runner.api.classes import Verdict
from runner.api.client import Client
from runner.api.files import Files
from runner.api.service import Service
from runner.engine import fetching
from runner.engine.artifacts import Fetched, Order
from runner.engine.loop import Engine
from runner.engine.run import Tools
from runner.manifest.reader import load
from runner.model import Artifact
from runner.planning.plan import make_plan
from runner.planning.selection import EVERYTHING
from runner.state.store import Store
from tests.bench import manifests
from tests.bench.slots import Request, Slots, ideal_makespan, service_times
from tests.kit import register

_URL = "http://127.0.0.1:1/"


class SimulatedClock:
    """Passes from event to event."""

    def __init__(self) -> None:
        self._time = 1e9
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], object]]] = []

    def now(self) -> float:
        return self._time

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        heapq.heappush(self._events, (self._time + seconds, next(self._order), call))

    def wait(self, inbox: SimpleQueue[Any], timeout: float, gather: float = 0.0) -> list[Any]:
        deadline = self._time + max(timeout, 0.0)
        while inbox.empty() and self._events and self._events[0][0] <= deadline:
            self._time, _, call = heapq.heappop(self._events)
            call()
        if inbox.empty():
            self._time = deadline
        return [inbox.get() for _ in range(inbox.qsize())]


class Wire(Executor):
    """Carries calls: each is answered half a round trip after it was made, and the answer takes as long again."""

    def __init__(self, clock: SimulatedClock, round_trip: float) -> None:
        self._clock = clock
        self._half = round_trip / 2.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def arrive() -> None:
            answer = fn(*args, **kwargs)
            self._clock.later(self._half, lambda: future.set_result(answer))

        self._clock.later(self._half, arrive)
        return future


@dataclass(frozen=True, slots=True)
class Scenario:
    """A batch and its service. `times` makes the service times of the jobs (in the order of their start) from a seed.

    `tells` makes the service's word of a status from the true one, `others` is how many requests of other customers
    stand in the line before ours, and `rate` the most calls a second that are not answered with 429.
    """

    times: Callable[[int], Iterator[float]]
    jobs: int = 400
    slots: int = 32
    concurrency: int = 64
    tells: Callable[[str], str] = str
    others: int = 0
    rate: float = float("inf")
    skew: float = 0.0
    round_trip: float = 0.05
    runs_before: int = 0


class Simulated(Client):
    """The service: a queue with slots that speaks as the API does."""

    def __init__(self, clock: SimulatedClock, scenario: Scenario, seed: int) -> None:
        super().__init__(Service(_URL, "sk-simulated"))
        self._clock = clock
        self._scenario = scenario
        self._names = (f"r-{seed}-{number}" for number in count())
        self._free_at = 0.0
        times = scenario.times(seed)
        self.queue = Slots(scenario.slots, times, clock.now, clock.later)
        self.ours: dict[str, Request] = {}
        self.refused = 0
        for _ in range(scenario.others):
            self.queue.submit(next(self._names), b"")

    def _is_busy(self) -> bool:
        now = self._clock.now()
        if now < self._free_at - 1.0:
            self.refused += 1
            return True
        self._free_at = max(self._free_at, now) + 1.0 / self._scenario.rate
        return False

    def submit(self, body: Body) -> Submission:
        if self._is_busy():
            return Submission(Verdict.BUSY, http_status=429, message="too many requests")
        request = self.queue.submit(next(self._names), b"")
        self.ours[request.id] = request
        return Submission(Verdict.ACCEPTED, request.id, self._scenario.tells("queued"), 200, skew_from=self._date())

    def get(self, request_id: str) -> Answer:
        if self._is_busy():
            return Answer(Verdict.BUSY, message="too many requests")
        request = self.ours[request_id]
        request.polls += 1
        link = _URL + request_id if request.status == "success" else None
        remote = Remote(request_id, status=self._scenario.tells(request.status), video_url=link)
        return Answer(Verdict.ACCEPTED, remote, skew_from=self._date())

    def list(self, model: str) -> Listing:
        raise AssertionError("nothing is lost here")

    def _date(self) -> float:
        return float(int(self._clock.now() + self._scenario.skew))

    def fetch(self, files: Files, order: Order, stop: object) -> Fetched:
        """A download, in the place of the real one."""
        request = self.ours[order.request_id]
        if request.asked != request.asked:
            request.asked = self._clock.now()
        request.delivered = self._clock.now()
        return Fetched(Artifact(f"videos/{order.path}.mp4", "0" * 64, 1, 5.0, 64, 36, 8.0, "h264"), None)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a batch cost: polls a job, mean lag in seconds, makespan to the ideal one, and calls that met 429 a job."""

    polls: float
    lag: float
    makespan: float
    refused: float = 0.0

    @property
    def product(self) -> float:
        return self.polls * self.lag


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
    with Store.open(manifest.output.state) as store, patch.object(fetching, "fetch", service.fetch):
        plan = make_plan(manifest, store, EVERYTHING)
        with store.transaction():
            register(store, (each.job for each in plan.jobs), f"{plan.digest} {number}")
        wire = Wire(clock, scenario.round_trip)
        tools = Tools(service, Files(True), wire, clock, random.Random(seed), lambda snapshot: None)
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
        service.refused / len(ours),
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


def _mute(status: str) -> str:
    """A service that calls queued whatever is not finished."""
    return "queued" if status == "processing" else status


SCENARIOS = {
    "2 s": Scenario(log_normal(2.0), round_trip=0.005),
    "2 s, learned before": Scenario(log_normal(2.0), round_trip=0.005, runs_before=1),
    "2 min": Scenario(log_normal(120.0)),
    "2 min, learned before": Scenario(log_normal(120.0), runs_before=1),
    "5 min": Scenario(log_normal(300.0)),
    "2 min, 1 job": Scenario(log_normal(120.0), jobs=1),
    "2 min, 16 jobs, 16 slots": Scenario(log_normal(120.0), jobs=16, slots=16, concurrency=16),
    "2 min, 400 in flight": Scenario(log_normal(120.0), concurrency=400),
    "2 min, 16 in flight": Scenario(log_normal(120.0), concurrency=16),
    "2 min, 4 slots, 16 in flight": Scenario(log_normal(120.0), jobs=100, slots=4, concurrency=16),
    "2 min, 1 slot, 16 in flight": Scenario(log_normal(120.0), jobs=50, slots=1, concurrency=16),
    "2 min, three times slower half way": Scenario(shifted(120.0, 3.0, 200)),
    "2 min, three times faster half way": Scenario(shifted(120.0, 1 / 3, 200)),
    "30 s and 4 min": Scenario(mixed(30.0, 240.0)),
    "2 min, never processing": Scenario(log_normal(120.0), tells=_mute),
    "2 min, statuses of its own": Scenario(
        log_normal(120.0), tells=lambda status: {"processing": "busy"}.get(status, status)
    ),
    "2 min, 160 of others before ours": Scenario(log_normal(120.0), others=160),
    "2 min, 160 of others, 16 in flight": Scenario(log_normal(120.0), jobs=64, others=160, concurrency=16),
    "2 s, at most 20 calls a second": Scenario(log_normal(2.0), rate=20.0),
    "1 min, 2,000 in flight": Scenario(log_normal(60.0), jobs=2000, slots=2000, concurrency=2000),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="runs of each scenario, of which the mean counts")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="simulate this alone (repeatable)")
    options = parser.parse_args()
    print(f"{'scenario':36} {'polls':>7} {'lag':>9} {'product':>9} {'makespan':>9} {'429':>6}")
    for name in options.only or SCENARIOS:
        runs = [_in_a_folder(SCENARIOS[name], seed) for seed in range(1, options.seeds + 1)]
        polls, lag = mean(each.polls for each in runs), mean(each.lag for each in runs)
        makespan, refused = mean(each.makespan for each in runs), mean(each.refused for each in runs)
        print(f"{name:36} {polls:7.2f} {lag:7.3f} s {polls * lag:7.3f} s {makespan:9.4f} {refused:6.2f}", flush=True)


def _in_a_folder(scenario: Scenario, seed: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="reelrun-simulation-") as folder:
        return simulate(scenario, seed, Path(folder))


if __name__ == "__main__":
    main()
