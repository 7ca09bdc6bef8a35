"""Fetching: downloads finished videos, and records them when their bytes are durable."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial

from runner.engine.downloads.artifacts import Fetched, Order, fetch, most_bytes_of
from runner.engine.downloads.transfer import FetchError, FetchFailure
from runner.engine.flights import Flight, Phase
from runner.engine.pacing import backoff
from runner.engine.run import Run
from runner.errors import DiskError
from runner.media import FIRST, LAST, end_pictures
from runner.model import Status
from runner.state.renames import carry_out

MOST_FETCHES = 8


class Fetching:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._running = 0
        self._has_moves = False

    def fetch(self) -> None:
        """Start the downloads that there is room for."""
        run = self._run
        if run.is_stopping or self._running >= MOST_FETCHES:
            return
        for flight in run.flights.in_phase(Phase.READY)[: MOST_FETCHES - self._running]:
            self._running += 1
            run.flights.move(flight, Phase.FETCHING)
            call = partial(fetch, run.tools.files, self._order(flight), run.stop)
            run.start(partial(self._fetched, flight), call, is_call=False)

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

    def _fetched(self, flight: Flight, future: Future[Fetched], started: float) -> None:
        self._running -= 1
        run = self._run
        error = _error_of(future)
        if isinstance(error, DiskError):
            run.fail(error)
            return
        if error is not None:
            self._try_again(flight, error)
            return
        fetched = future.result()
        run.aside += fetched.aside
        run.store.keep(flight.attempt.job_id, "video", fetched.video)
        if fetched.thumbnail is not None:
            run.store.keep(flight.attempt.job_id, "thumbnail", fetched.thumbnail)
        if fetched.measured is not None:
            run.store.keep_measured(fetched.video.sha256, fetched.measured)
        if fetched.credentials is not None:
            run.store.keep_credentials(fetched.video.sha256, fetched.credentials)
        run.end(flight, Status.SUCCEEDED)
        if flight.planned is not None:
            run.store.give_path(flight.attempt.job_id, flight.job.output)
            self._has_moves = True
        if fetched.note:
            run.store.explain(flight.attempt, fetched.note)

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
        if flight.tries >= run.settings.attempts:
            run.leave(flight, reason)
            return
        pause = 0.0 if error.failure is FetchFailure.EXPIRED else backoff(flight.tries, run.tools.randomness)
        run.flights.poll_at(flight, now + pause)


def _error_of(future: Future[Fetched]) -> FetchError | DiskError | None:
    """The error of a download, if any. An unexpected error counts against this file only, and stops no other job."""
    if future.cancelled():
        return FetchError(FetchFailure.NETWORK, "the call was cancelled")
    error = future.exception()
    if error is None or isinstance(error, (FetchError, DiskError)):
        return error
    return FetchError(FetchFailure.UNFIT, f"an unexpected {type(error).__name__}")
