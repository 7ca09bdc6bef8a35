"""Polling: asks the service for the requests in flight, and decides what each answer means."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Answer, Remote
from runner.engine.flights import Flight, Phase
from runner.engine.pacing import Window, backoff
from runner.engine.run import Run, result_of
from runner.model import Status

_FINAL = {"failed": Status.FAILED, "cancelled": Status.CANCELLED}
# A missing request is not given up before this many failures: a server of the service may not know yet what another
# one has accepted.
_MISSING_POLLS = 3
# A success without a link to a video is asked for so often in a run.
_LINKLESS_POLLS = 8
_NO_LINK = "finished, but the service gives no link to the video"
# The least seconds to the next poll after an unusable answer.
_LEAST_PAUSE = 1.0
# The most polls a second, which also limits the jobs a second; and for how many seconds polls may be sent at once.
# If the service wants fewer (429), the rate is halved.
_MOST_POLLS, _BURST = 250, 0.25


class Polling:
    """Sends the polls that are due. Finished requests become ready to be downloaded."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rate = Window(_MOST_POLLS)
        self._free_at = float("-inf")

    @property
    def due(self) -> float:
        """When the next poll may be sent; infinity if there is none, or another call must end first."""
        run = self._run
        return max(run.flights.next_due(), run.asks.due(run.calls), self._free_at)

    def poll(self) -> None:
        """Start the polls that are due."""
        run, now = self._run, self._run.now()
        while not run.is_stopping and self.due <= now:
            flight = run.flights.pop_due()
            self._free_at = max(self._free_at, now - _BURST) + 1.0 / self._rate.size
            run.flights.move(flight, Phase.ASKING)
            run.start(partial(self._asked, flight), partial(run.tools.client.get, flight.request_id))

    def leave_unasked(self) -> None:
        """Leave the flights whose wait is over while the service wants a pause, or answers nothing: nothing else would
        end them before it is over."""
        run, now = self._run, self._run.now()
        while run.asks.is_shut(run.calls, now) and run.flights.next_due() <= now:
            flight = run.flights.pop_due()
            if not self._leave_if_over(flight):
                later = max(run.asks.opens_at, now + _LEAST_PAUSE)
                run.flights.poll_at(flight, min(later, flight.since + run.settings.wait))

    def _asked(self, flight: Flight, future: Future[Answer], started: float) -> None:
        run, answer = self._run, result_of(future, lambda words: Answer(AnswerClass.UNKNOWN, message=words))
        run.hear(answer)
        match answer.kind:
            case AnswerClass.ACCEPTED if answer.remote is not None:
                run.asks.answered()
                self._rate.accepted()
                if run.check_organisation(answer.remote):
                    if not flight.is_learned:
                        run.learn_from(flight.attempt, answer.remote)
                        flight.is_learned = True
                    self.told(flight, answer.remote)
            case AnswerClass.MISSING:
                run.asks.answered()
                self._missing(flight)
            case AnswerClass.DENIED:
                run.deny(answer.message)
                self._again(flight)
            case _:
                if answer.kind is AnswerClass.BUSY:
                    self._rate.refused(run.now(), started)
                self._unusable(flight, answer)

    def told(self, flight: Flight, remote: Remote) -> None:
        """Take in what the service says of a request."""
        run, now = self._run, self._run.now()
        status = remote.status or ""
        flight.is_untouched = remote.updated_at is not None and remote.updated_at == remote.created_at
        if remote.is_final:
            run.schedule.ended(flight, now)
        if status == "failed" and flight.attempt.lost_at is None and _is_rate_limit(remote.error):
            run.push_back(flight, remote.error)
            return
        if status in _FINAL:
            run.end(flight, _FINAL[status], remote.error or f"the service says {status}")
            return
        if flight.attempt.remote_status != status or flight.failures:
            run.store.observe(flight.attempt, status)
            run.tell(flight.attempt.key, status)
            flight.attempt = replace(flight.attempt, remote_status=status)
        if status == "success" and remote.video_url is None:
            self._without_link(flight)
        elif status == "success":
            flight.failures, flight.remote = 0, remote
            run.flights.move(flight, Phase.READY)
        elif not self._leave_if_over(flight):
            flight.failures = 0
            run.schedule.unfinished(flight, status, now)

    def _without_link(self, flight: Flight) -> None:
        """A success without a video was paid for: it is asked for some more times, and by every later run."""
        flight.failures += 1
        if flight.failures >= _LINKLESS_POLLS:
            self._run.leave(flight, _NO_LINK)
            return
        self._run.store.explain(flight.attempt, _NO_LINK)
        self._again(flight)

    def _missing(self, flight: Flight) -> None:
        """404 for a request that was accepted. It was paid for: it becomes unknown, never resubmitted unasked."""
        run = self._run
        flight.failures += 1
        reason = f"the service does not know request {flight.request_id} (404)"
        run.store.doubt(flight.attempt, reason)
        run.tell(flight.attempt.key, reason)
        if flight.resubmit and flight.failures >= _MISSING_POLLS:
            run.store.conclude(flight.attempt, Status.UNKNOWN, run.wall(), "given up with --resubmit-unknown")
            run.again(flight)
        else:
            self._again(flight)

    def _unusable(self, flight: Flight, answer: Answer) -> None:
        run = self._run
        flight.failures += 1
        run.asks.failed(run.now(), answer.retry_after)
        run.note = f"the service gives no usable answer: {answer.message}"
        run.store.explain(flight.attempt, f"no usable answer: {answer.message}")
        run.tell(flight.attempt.key, f"{run.note}; asked again")
        self._again(flight)

    def _again(self, flight: Flight) -> None:
        """Poll again soon after an unusable answer, unless the job's wait is over."""
        run = self._run
        if not self._leave_if_over(flight):
            pause = max(_LEAST_PAUSE, backoff(flight.failures, run.tools.randomness))
            run.flights.poll_at(flight, min(run.now() + pause, flight.since + run.settings.wait))

    def _leave_if_over(self, flight: Flight) -> bool:
        """Whether this run has waited for the job for as long as it may. If so, the job is left for the next run."""
        run = self._run
        is_over = run.now() - flight.since >= run.settings.wait
        if is_over:
            run.leave(flight, self._why_left(flight))
        return is_over

    def _why_left(self, flight: Flight) -> str:
        status, model = flight.attempt.remote_status or "in flight", flight.attempt.model
        if status == "success":
            return _NO_LINK
        reason = f"still {status} after {self._run.settings.wait:g} s"
        if status == "queued" and flight.is_untouched:
            return f"{reason}, and the service never began with it: {model} may not be served; try another model"
        return reason


def _is_rate_limit(words: str) -> bool:
    """Whether a failed record says that there were too many requests: `rate limit exceeded(RPM)`."""
    return "rate limit" in words.lower()
