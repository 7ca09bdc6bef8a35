"""Fetching: downloads finished videos, and records them when their bytes are durable."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from runner.engine.downloads.artifacts import Arrival, Fetched, Order, accept, arrive, most_bytes_of
from runner.engine.downloads.transfer import FetchError, FetchFailure
from runner.engine.flights import Flight, Phase
from runner.engine.pacing import backoff
from runner.engine.run import Run
from runner.errors import DiskError
from runner.media import FIRST, LAST, end_pictures
from runner.model import Status
from runner.state.renames import carry_out
from runner.video.measures import VERSION

# The most downloads at once, and the most videos that are verified and looked at. A download waits for these only where
# as many videos have arrived and are not verified.
MOST_FETCHES = 8
MOST_VERIFIED = max(4, os.cpu_count() or 1)


class Fetching:
    def __init__(self, run: Run, tell: Callable[[str], None]) -> None:
        """`tell` is called with the id of each job whose files are kept, before that is committed."""
        self._run = run
        self._tell = tell
        self._downloading = 0
        self._arrivals: deque[tuple[Flight, Order, Arrival]] = deque()
        # The hashes of the videos that are verified now.
        self._viewed: list[str] = []
        self._has_moves = False

    @property
    def is_verifying(self) -> bool:
        """Whether videos are verified and put in place now, which ends soon, whatever the network does."""
        return bool(self._viewed)

    def fetch(self) -> None:
        """Start the downloads that there is room for, and verify what has arrived."""
        run = self._run
        if run.is_stopping:
            return
        while self._arrivals and len(self._viewed) < MOST_VERIFIED:
            self._accept(*self._arrivals.popleft())
        room = max(0, MOST_FETCHES - max(self._downloading, len(self._arrivals)))
        for flight in run.flights.in_phase(Phase.READY)[:room]:
            self._downloading += 1
            run.flights.move(flight, Phase.FETCHING)
            run.tell(flight.attempt.key, "download begins")
            order = self._order(flight)
            call = partial(arrive, run.tools.files, order, run.stop)
            run.start(partial(self._arrived, flight, order), call, is_call=False)

    def _arrived(self, flight: Flight, order: Order, future: Future[Arrival], started: float) -> None:
        self._downloading -= 1
        if not self._has_failed(flight, future):
            self._arrivals.append((flight, order, future.result()))

    def _accept(self, flight: Flight, order: Order, arrival: Arrival) -> None:
        """What was measured before, or is measured now for another job, is not measured again."""
        run, sha256 = self._run, arrival.sha256
        if sha256 in self._viewed:
            order = replace(order, measures=False, preview_bytes=0)
        elif run.store.is_measured(sha256, VERSION):
            order = replace(order, measures=False)
        self._viewed.append(sha256)
        call = partial(accept, run.tools.files, order, arrival, run.stop)
        run.start(partial(self._accepted, flight, sha256), call, is_call=False)

    def _order(self, flight: Flight) -> Order:
        manifest, attempt = self._run.plan.manifest, flight.attempt
        pictures = end_pictures(attempt.payload, self._run.schema(attempt.model), self._run.media)
        assert flight.remote is not None, "a flight is ready once its request has a link"
        assert flight.remote.video_url is not None
        return Order(
            flight.request_id,
            flight.remote.video_url,
            flight.remote.thumbnail_url,
            manifest.output.dir,
            # It may have made room for the clip of another job since the attempt was read.
            self._run.store.path_of(attempt.job_id) or attempt.path,
            attempt.seconds,
            manifest.run.verify == "decode",
            most_bytes_of(attempt.seconds),
            further_urls=flight.remote.further_urls,
            first=pictures.get(FIRST),
            last=pictures.get(LAST),
            preview_bytes=manifest.output.previews,
        )

    def _accepted(self, flight: Flight, sha256: str, future: Future[Fetched], started: float) -> None:
        self._viewed.remove(sha256)
        if self._has_failed(flight, future):
            return
        run, fetched = self._run, future.result()
        run.aside += fetched.aside
        run.store.keep(flight.attempt.job_id, "video", fetched.video)
        if fetched.thumbnail is not None:
            run.store.keep(flight.attempt.job_id, "thumbnail", fetched.thumbnail)
        run.store.keep_further(flight.attempt.job_id, fetched.further)
        if fetched.measured is not None:
            run.store.keep_measured(fetched.video.sha256, fetched.measured)
        if fetched.credentials is not None:
            run.store.keep_credentials(fetched.video.sha256, fetched.credentials)
        run.tell(flight.attempt.key, f"downloaded and verified: {fetched.video.path}, {fetched.video.bytes:,} bytes")
        run.end(flight, Status.SUCCEEDED)
        if flight.planned is not None:
            run.store.give_path(flight.attempt.job_id, flight.job.output)
            self._has_moves = True
        if fetched.note:
            run.store.explain(flight.attempt, fetched.note)
        self._tell(flight.attempt.job_id)

    def _has_failed(self, flight: Flight, future: Future[Any]) -> bool:
        """Whether there is nothing to go on with. A video that did not come is asked for again."""
        error = _error_of(future)
        if isinstance(error, DiskError):
            self._run.fail(error)
        elif error is not None:
            self._try_again(flight, error)
        return error is not None

    def rename(self) -> None:
        """Give the clips that came their names, once it is committed that they came. Orphans make room."""
        run = self._run
        if not self._has_moves or run.error is not None:
            return
        busy = [each.attempt.job_id for each in run.flights.in_phase(Phase.FETCHING)]
        try:
            carry_out(run.store, run.plan.manifest.output.dir, busy)
        except DiskError as error:
            run.fail(error)
        self._has_moves = bool(run.store.moves())

    def _try_again(self, flight: Flight, error: FetchError) -> None:
        """Try again with a fresh link. A paid video that cannot be downloaded stays waiting; it never fails."""
        run, now = self._run, self._run.now()
        if error.failure is FetchFailure.STOPPED:
            return
        flight.tries += 1
        reason = f"download {flight.tries} of {run.settings.attempts}: {error.message}"
        run.store.explain(flight.attempt, reason)
        run.tell(flight.attempt.key, reason)
        if flight.tries >= run.settings.attempts:
            run.leave(flight, reason)
            return
        pause = 0.0 if error.failure is FetchFailure.EXPIRED else backoff(flight.tries, run.tools.randomness)
        run.flights.poll_at(flight, now + pause)


def _error_of(future: Future[Any]) -> FetchError | DiskError | None:
    """The error of a download, if any. An unexpected error counts against this file only, and stops no other job."""
    if future.cancelled():
        return FetchError(FetchFailure.NETWORK, "the call was cancelled")
    error = future.exception()
    if error is None or isinstance(error, (FetchError, DiskError)):
        return error
    return FetchError(FetchFailure.UNFIT, f"an unexpected {type(error).__name__}")
