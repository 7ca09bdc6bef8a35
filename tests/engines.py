"""An engine in a world of its own: a service in memory, a clock that does not wait, calls that end at once."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.api.answer_classes import AnswerClass
from runner.api.answers import CUT_SHORT, Answer, Listing, Remote, Submission
from runner.api.body import Body
from runner.api.client import Client
from runner.api.linked_files import LinkedFiles
from runner.api.service import Service
from runner.engine.clock import SystemClock
from runner.engine.downloads import fetching
from runner.engine.downloads.artifacts import Arrival, Fetched
from runner.engine.downloads.transfer import Part
from runner.engine.loop import Engine
from runner.engine.run import RunSnapshot, Tools
from runner.manifest.reader import load
from runner.model import Artifact, Manifest
from runner.planning.plan import make_plan
from runner.planning.selection import Selection
from runner.state.store import Store
from tests.kit import register, write_manifest


class VirtualClock:
    """Time passes only while there is nothing to do."""

    def __init__(self) -> None:
        self.time, self.turns = 1_000.0, 0
        # How far somebody set the clock of this machine.
        self.ahead = 0.0

    boot = "boot-1"

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1_700_000_000.0 + self.time + self.ahead

    def wait(self, inbox: Any, timeout: float) -> list[Any]:
        self.turns += 1
        items = []
        while not inbox.empty():
            items.append(inbox.get_nowait())
        if not items:
            self.time += max(timeout, 0.0)
        return items


class RealClock(SystemClock):
    """Real time, for calls that really take some."""

    turns = 0

    def wait(self, inbox: Any, timeout: float) -> list[Any]:
        self.turns += 1
        return super().wait(inbox, timeout)


class Inline(Executor):
    """Calls end before `submit` returns; their ends are still told through the inbox."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


Reaction = Callable[["World", Body], Submission]


class World(Client):
    """The service. `script` holds what the next POSTs meet; after it every one is accepted."""

    def __init__(self, clock: VirtualClock | RealClock) -> None:
        super().__init__(Service("http://127.0.0.1:1", "sk-key"))
        self.clock = clock
        self.script: deque[Reaction] = deque()
        self.always: Reaction = accepted
        self.requests: list[Remote] = []
        # When each POST came, and its body.
        self.posts: list[tuple[float, Body]] = []
        self.turns_of_posts: list[int] = []
        self.calls: list[str] = []
        self.lists: deque[Callable[[Listing], Listing]] = deque()
        self.gets: deque[Callable[[Answer], Answer]] = deque()
        self.pages: Callable[[Listing], Listing] | None = None
        self.lag, self.hides, self.status = 0.0, False, "success"
        self.organisation: str | None = None
        self.skew, self.unit = 0.0, 1.0

    def now(self) -> float:
        """By a clock of its own."""
        return 1_700_000_000.0 + self.clock.now() + self.skew

    def take(self, body: Body) -> Remote:
        self.requests.append(
            Remote(
                f"r-{len(self.requests)}",
                body.model,
                "queued",
                self.organisation,
                created_at=float(int(self.now())) * self.unit,
                payload=dict(body.payload),
            )
        )
        return self.requests[-1]

    def submit(self, body: Body, permit: object = None) -> Submission:
        self.calls.append("submit")
        self.posts.append((self.clock.now(), body))
        self.turns_of_posts.append(self.clock.turns)
        reaction = self.script.popleft() if self.script else self.always
        return reaction(self, body)

    def get(self, request_id: str) -> Answer:
        self.calls.append("get")
        found = next((each for each in self.requests if each.request_id == request_id), None)
        told = (
            Answer(AnswerClass.MISSING, message="not found")
            if found is None
            else Answer(
                AnswerClass.ACCEPTED,
                found
                if found.is_final
                else replace(found, status=self.status, video_url=f"http://127.0.0.1:1/{found.request_id}"),
            )
        )
        return self.gets.popleft()(told) if self.gets else told

    def list(self, model: str) -> Listing:
        self.calls.append("list")
        shown = [
            each
            for each in self.requests
            if each.created_at / self.unit + self.lag <= self.now() and each.model == model
        ]
        if self.hides:
            shown = [replace(each, payload={**each.payload, "image": CUT_SHORT}) for each in shown]
        told = Listing(AnswerClass.ACCEPTED, tuple(shown), len(shown), None, True)
        return self.lists.popleft()(told) if self.lists else told

    def page(self, model: str, *, patience: float) -> Listing:
        self.calls.append("page")
        shown = tuple(each for each in self.requests if each.model == model)[:100]
        told = Listing(AnswerClass.ACCEPTED, shown, len(shown), None, True)
        return self.pages(told) if self.pages else told


def accepted(world: World, body: Body) -> Submission:
    remote = world.take(body)
    return Submission(AnswerClass.ACCEPTED, remote, 200)


def lost(*, was_accepted: bool) -> Reaction:
    def reaction(world: World, body: Body) -> Submission:
        if was_accepted:
            world.take(body)
        return Submission(AnswerClass.UNKNOWN, message="the service did not answer in time")

    return reaction


def answered(verdict: AnswerClass, http_status: int | None = None, **values: Any) -> Reaction:
    values.setdefault("message", str(verdict.value))
    return lambda world, body: Submission(verdict, http_status=http_status, **values)


@dataclass
class Bench:
    """A manifest with its state, against one world; a run is one turn of the command."""

    manifest: Manifest
    world: World
    clock: VirtualClock | RealClock
    executor: Executor
    snapshots: list[RunSnapshot]

    @contextmanager
    def engine(self, selection: Selection = Selection()) -> Any:  # noqa: B008 - frozen
        with Store.open(self.manifest.output.state) as store:
            plan = make_plan(self.manifest, store, selection)
            with store.transaction():
                register(store, (each.job for each in plan.jobs), None)
            tools = Tools(
                self.world, LinkedFiles(True), self.executor, self.clock, random.Random(7), self.snapshots.append
            )
            yield Engine(plan, selection, store, tools), store

    def run(self, selection: Selection = Selection()) -> Any:  # noqa: B008 - frozen
        with self.engine(selection) as (engine, _):
            return engine.run()

    def again(self) -> None:
        """As much time passes as is between two commands."""
        self.clock.time += 5.0

    def in_real_time(self, threads: int) -> None:
        """Calls run on threads from now on, and time passes."""
        self.clock = self.world.clock = RealClock()
        self.executor = ThreadPoolExecutor(threads)

    def store(self) -> Store:
        return Store.open(self.manifest.output.state)

    def totals(self) -> dict[str, int]:
        """Statuses that jobs have, with their numbers."""
        with self.store() as store:
            return {str(status): number for status, number in store.totals().items() if number}


def bench(folder: Path, monkeypatch: Any = None, **keys: Any) -> Bench:
    """A bench on a manifest as `write_manifest` makes it; videos come without a download where it may patch."""
    settings = {"settle": 60, "wait": 600, **keys.pop("run", {})}
    manifest = load(write_manifest(folder, run=settings, **keys))
    clock = VirtualClock()
    if monkeypatch is not None:
        without_downloads(monkeypatch)
    return Bench(manifest, World(clock), clock, Inline(), [])


def without_downloads(patch: Any) -> None:
    patch.setattr(fetching, "arrive", arrived)
    patch.setattr(fetching, "accept", delivered)


def arrived(files: Any, order: Any, stop: Any) -> Arrival:
    """A download that succeeds."""
    return Arrival(Part(Path(order.path)), "0" * 64, 1)


def delivered(files: Any, order: Any, arrival: Any, stop: Any) -> Fetched:
    """A video that is verified."""
    return Fetched(Artifact(f"videos/{order.path}.mp4", "0" * 64, 1, 5.0, 64, 36, 8.0, "h264"), None)
