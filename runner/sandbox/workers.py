"""The threads that take requests from the queue and make their clips."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass

import av

from runner.sandbox.clip import AbandonedError
from runner.sandbox.errors import RefusedError
from runner.sandbox.seed import Seed
from runner.sandbox.store import Request, Store
from runner.sandbox.studio import Studio

_FAILURE = "simulated failure: this sandbox lets a share of its requests fail"
# Of the least time of a request: how long it stays dispatched before it is processed.
_DISPATCHED_SHARE = 0.1
_TROUBLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast requests move on: seconds, and the share of them (0 to 1) that fail."""

    queue_seconds: float
    seconds: float
    failure_rate: float


class Workers:
    """`count` threads over one store. `clock` gives Unix seconds."""

    def __init__(self, store: Store, studio: Studio, count: int, pace: Pace, clock: Callable[[], float]) -> None:
        self._store = store
        self._studio = studio
        self._pace = pace
        self._clock = clock
        self._stopping = threading.Event()
        self._news = threading.Condition()
        names = [f"sandbox-worker-{number}" for number in range(1, count + 1)]
        self._threads = [threading.Thread(target=self._work, args=(name,), name=name, daemon=True) for name in names]

    def resume(self) -> None:
        """Put back what an earlier sandbox did not finish. Raises OSError and sqlite3.Error."""
        self._store.requeue(self._clock())
        self._studio.sweep()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Give up what is under way and end the threads."""
        self._stopping.set()
        self.notify()
        for thread in self._threads:
            thread.join()

    def notify(self) -> None:
        """Say that a request has come."""
        with self._news:
            self._news.notify_all()

    def _work(self, name: str) -> None:
        while not self._stopping.is_set():
            try:
                request = self._next(name)
                if request:
                    self._process(request)
            except sqlite3.Error:
                # The disk is full, or worse. The request stays as it is until the next start.
                self._stopping.wait(_TROUBLE_SECONDS)

    def _next(self, name: str) -> Request | None:
        """Wait for the next request; None when the sandbox stops."""
        with self._news:
            while not self._stopping.is_set():
                now = self._clock()
                request = self._store.dispatch(name, now - self._pace.queue_seconds, now)
                if request:
                    return request
                created = self._store.next_created()
                self._news.wait(None if created is None else max(0.0, created + self._pace.queue_seconds - now))
        return None

    def _process(self, request: Request) -> None:
        """From dispatched to a final status, unless the sandbox stops: then the request stays as it is."""
        if self._stopping.wait(self._pace.seconds * _DISPATCHED_SHARE):
            return
        self._store.process(request.request_id, self._clock())
        failing = Seed(f"{request.digest}/{request.ordinal}").unit("failure") < self._pace.failure_rate
        try:
            made = None if failing else self._studio.make(request, self._stopping.is_set)
        except AbandonedError:
            return
        except RefusedError as error:
            self._store.fail(request.request_id, error.message, self._clock())
            return
        except (OSError, ValueError, av.FFmpegError) as error:
            self._store.fail(request.request_id, f"the clip could not be made: {error}", self._clock())
            return
        if self._stopping.wait(max(0.0, request.dispatched_at + self._pace.seconds - self._clock())):
            return
        self._finish(request, made)

    def _finish(self, request: Request, made: tuple[str, str] | None) -> None:
        if made:
            self._store.succeed(request.request_id, *made, self._clock())
        else:
            self._store.fail(request.request_id, _FAILURE, self._clock())
