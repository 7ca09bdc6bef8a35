"""Polling: asks for the requests that are in flight, and decides what each answer means."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from runner.api.answers import Answer, Remote
from runner.api.classes import Verdict
from runner.engine.flights import Flight, Phase
from runner.engine.pacing import backoff, next_poll
from runner.engine.run import MOST_CALLS, Run, result_of
from runner.model import Status

_FINAL = {"failed": Status.FAILED, "cancelled": Status.CANCELLED}
# A request that we were told of may be unknown to another server of the service for a moment.
_MISSING_POLLS = 3


class Polling:
    """Asks when a poll is due; finished requests become ready to be fetched."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def due(self) -> float | None:
        poll = self._run.flights.next_due()
        return None if poll is None or self._run.is_full(self._run.asks) else max(poll, self._run.asks.opens_at)

    def poll(self) -> None:
        """Start the polls that are due."""
        run, now = self._run, self._run.now()
        while not run.is_stopping and run.calls < MOST_CALLS and run.asks.may_call(now, run.calls):
            due = run.flights.next_due()
            if due is None or due > now:
                return
            flight = run.flights.pop_due()
            flight.phase = Phase.ASKING
            run.start(partial(self._asked, flight), partial(run.tools.client.get, flight.request_id))

    def _asked(self, flight: Flight, future: Future[Answer], started: float) -> None:
        run, answer = self._run, result_of(future, lambda words: Answer(Verdict.UNKNOWN, message=words))
        run.heard(answer.skew_from)
        match answer.verdict:
            case Verdict.ACCEPTED if answer.remote is not None:
                run.asks.answered()
                if run.check_organisation(answer.remote):
                    self._told(flight, answer.remote)
            case Verdict.MISSING:
                run.asks.answered()
                self._missing(flight)
            case Verdict.DENIED:
                run.deny(answer.message)
                self._later(flight)
            case _:
                self._troubled(flight, answer)

    def _told(self, flight: Flight, remote: Remote) -> None:
        run = self._run
        status = remote.status or ""
        if status in _FINAL:
            run.end(flight, _FINAL[status], remote.error or f"the service says {status}")
            return
        if flight.attempt.remote_status != status or flight.failures:
            run.store.observe(flight.attempt, status)
            flight.attempt = replace(flight.attempt, remote_status=status)
        if status == "success" and remote.video_url is None:
            flight.failures += 1
            run.store.explain(flight.attempt, "finished, but the service gives no link to the video")
            self._later(flight)
        elif status == "success":
            flight.failures = 0
            flight.remote, flight.phase = remote, Phase.READY
        else:
            flight.failures = 0
            self._later(flight)

    def _missing(self, flight: Flight) -> None:
        """404 for a request that we know: it was paid for, and so it is unknown, never submitted again by itself."""
        run = self._run
        flight.failures += 1
        run.store.doubt(flight.attempt, f"the service does not know request {flight.request_id} (404)")
        if flight.resubmit and flight.failures >= _MISSING_POLLS:
            run.store.conclude(flight.attempt, Status.UNKNOWN, run.now(), "given up with --resubmit-unknown")
            run.again(flight)
        else:
            self._later(flight)

    def _troubled(self, flight: Flight, answer: Answer) -> None:
        run, now = self._run, self._run.now()
        flight.failures += 1
        run.asks.failed(now)
        if answer.retry_after is not None:
            run.asks.pause(now, answer.retry_after)
        run.note = f"the service gives no usable answer: {answer.message}"
        run.store.explain(flight.attempt, f"no usable answer: {answer.message}")
        self._later(flight)

    def _later(self, flight: Flight) -> None:
        """Poll again, unless the job's wait is over."""
        run, now = self._run, self._run.now()
        if now - flight.since >= run.settings.wait:
            run.leave(flight, f"still {flight.attempt.remote_status or 'in flight'} after {run.settings.wait:g} s")
            return
        pause = next_poll(now - (flight.attempt.accepted_at or flight.since))
        if flight.failures:
            pause = max(pause, backoff(flight.failures, run.tools.randomness))
        run.flights.poll_at(flight, now + min(pause, max(flight.since + run.settings.wait - now, 0.0)))
