"""The threads that take requests from the queue and make their clips."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import av
from starlette.exceptions import HTTPException

from runner.sandbox.behaviours import Ways
from runner.sandbox.constraints import check_policy
from runner.sandbox.film.clip import AbandonedError
from runner.sandbox.film.seed import Seed
from runner.sandbox.records import Records, Request, RequestStatus
from runner.sandbox.studio import Studio

_FAILURE = "simulated failure: this sandbox lets a share of its requests fail"
# The share of a request's least time that it stays dispatched before it is processed.
_DISPATCHED_SHARE = 0.1
_RETRY_SECONDS = 1.0
_PLAIN = Ways()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long requests take, in seconds, and the share of them (0 to 1) that fail."""

    queue_seconds: float
    seconds: float
    failure_rate: float


class Workers:
    """`count` threads over one queue. `clock` gives Unix seconds."""

    def __init__(
        self,
        records: Records,
        studio: Studio,
        count: int,
        pace: Pace,
        clock: Callable[[], float],
        ways: Ways = _PLAIN,
    ) -> None:
        self.count = count
        self._records = records
        self._studio = studio
        self._pace = pace
        self._clock = clock
        self._ways = ways
        self._stopping = threading.Event()
        self._arrival = threading.Condition()
        names = [f"sandbox-worker-{number}" for number in range(1, count + 1)]
        self._threads = [threading.Thread(target=self._work, args=(name,), name=name, daemon=True) for name in names]

    def resume(self) -> None:
        """Queue again what an earlier sandbox did not finish. Raises OSError and sqlite3.Error."""
        self._records.requeue(self._clock())
        self._studio.sweep()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Abandon unfinished clips and end the threads."""
        self._stopping.set()
        self.notify()
        for thread in self._threads:
            thread.join()

    def notify(self) -> None:
        """Tell the workers that a request has come."""
        with self._arrival:
            self._arrival.notify_all()

    def _work(self, name: str) -> None:
        while not self._stopping.is_set():
            try:
                request = self._next(name)
                if request:
                    self._process(request)
            except sqlite3.Error:
                # The disk is full, or worse. The request stays as it is until the next start.
                self._stopping.wait(_RETRY_SECONDS)

    def _next(self, name: str) -> Request | None:
        """Wait for the next request and take it; None if the sandbox stops."""
        with self._arrival:  # so that no two workers take the same request
            while not self._stopping.is_set():
                head, now = self._records.head(), self._clock()
                if head and head.created_at + self._pace.queue_seconds <= now:
                    return self._saved(replace(head, status=RequestStatus.DISPATCHED, worker=name, dispatched_at=now))
                self._arrival.wait(head.created_at + self._pace.queue_seconds - now if head else None)
        return None

    def _process(self, request: Request) -> None:
        """Take a request from dispatched to a final status. If the sandbox stops, the request stays as it is."""
        if self._stopping.wait(self._pace.seconds * _DISPATCHED_SHARE):
            return
        processing = self._saved(replace(request, status=RequestStatus.PROCESSING))
        try:
            ended = self._ended(processing)
        except AbandonedError:
            return
        if not self._stopping.wait(max(0.0, request.dispatched_at + self._pace.seconds - self._clock())):
            self._saved(ended)

    def _ended(self, request: Request) -> Request:
        """The request with its clip or its error. Raises AbandonedError if the sandbox stops."""
        mishap = self._ways.mishap(request.number)
        if mishap.error:
            return replace(request, status=RequestStatus.FAILED, error=mishap.error)
        if Seed(request.take).unit("failure") < self._pace.failure_rate:
            return replace(request, status=RequestStatus.FAILED, error=_FAILURE)
        try:
            # Where a POST is held, a refusal is a record, too.
            check_policy(json.loads(request.filled))
            video, thumbnail = self._studio.make(request, self._stopping.is_set)
        except HTTPException as error:
            return replace(request, status=RequestStatus.FAILED, error=error.detail)
        except (OSError, ValueError, av.FFmpegError) as error:
            return replace(request, status=RequestStatus.FAILED, error=f"the clip could not be made: {error}")
        return replace(request, status=RequestStatus.SUCCESS, video_sha256=video, thumbnail_sha256=thumbnail)

    def _saved(self, request: Request) -> Request:
        saved = replace(request, updated_at=self._clock())
        self._records.save(saved)
        return saved
