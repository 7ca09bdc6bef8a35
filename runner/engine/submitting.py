"""Submitting: when a POST may leave, and what its answer means for the job."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from decimal import Decimal
from functools import partial

from runner.api.answers import Submission
from runner.api.body import Body
from runner.api.classes import GENERAL, Verdict
from runner.engine.flights import Flight, Phase
from runner.engine.pacing import Gate, backoff
from runner.engine.run import MOST_POSTS, Run, result_of
from runner.errors import DiskError, ServiceError
from runner.model import Image, Status


class Submitting:
    """Sends what the queue holds, one canary first."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._images: dict[str, Image] = {image.id: image for image in run.plan.manifest.images}
        self._gate = Gate(run.tools.randomness)
        # The first submission to a model goes alone: a refused key, an unknown model, an empty account cost one call.
        self._canary: Flight | None = None
        self._passed: set[str] = set()

    @property
    def due(self) -> float | None:
        """When the next submission may leave; None while there is none, or something else must end first."""
        run, is_probed = self._run, self._gate.is_stormy and self._run.flights.count(Phase.LOST) > 0
        is_waiting = self._canary is not None or is_probed or run.is_full(self._gate, MOST_POSTS) or self.is_blocked
        return None if is_waiting or not run.queue.has_ready else self._gate.opens_at

    @property
    def is_blocked(self) -> bool:
        """As many as may be are unfinished at the service. Where all of them are left for the next run, so is what is
        still pending."""
        return self._run.flights.at_service() >= int(self._run.depth.size)

    def intend(self) -> list[Flight]:
        """Write the intents of what is submitted next. The transaction around it commits before any POST."""
        flights: list[Flight] = []
        run = self._run
        while self._may_submit(len(flights)):
            planned = run.queue.take()
            if planned is None:
                break
            now = run.now()
            currency = run.plan.manifest.budget.currency
            attempt = run.store.intend(planned.job, now, run.skew, planned.price, currency)
            flight = Flight(attempt, Phase.POSTING, now, planned)
            run.flights.add(flight)
            flights.append(flight)
            if attempt.model not in self._passed:
                self._canary = flight
        return flights

    def post(self, flights: list[Flight]) -> None:
        """Send the POSTs of intents that are on disk, unless the run was interrupted while they were written."""
        if self._run.is_stopping and flights:
            with self._run.store.transaction():
                for flight in flights:
                    self._withdraw(flight, "interrupted")
            return
        for flight in flights:
            job = flight.job
            body = Body(job.model, job.payload, self._images[job.image])
            self._run.start(partial(self._posted, flight), partial(self._run.tools.client.submit, body))

    def _may_submit(self, starting: int) -> bool:
        run, now = self._run, self._run.now()
        if run.is_stopping or self._canary is not None or not len(run.queue):
            return False
        if self._gate.silent_since is not None and now - self._gate.silent_since > run.settings.wait:
            hint = "nothing was sent of what is still pending; run the same command again later"
            run.queue.clear()
            run.fail_at_end(
                ServiceError(f"the service took no submission for {run.settings.wait:g} s: {run.note}", hint)
            )
            return False
        if self._gate.is_stormy and run.flights.count(Phase.LOST):
            # Each of these may have been billed: find out before risking more.
            return False
        calls = run.calls + starting
        return calls < MOST_POSTS and not self.is_blocked and self._gate.may_call(now, calls)

    def _posted(self, flight: Flight, future: Future[Submission], started: float) -> None:
        answer = result_of(future, lambda words: Submission(Verdict.UNKNOWN, message=words))
        self._run.heard(answer.skew_from)
        if flight is self._canary:
            self._canary = None
        match answer.verdict:
            case Verdict.ACCEPTED:
                self._accepted(flight, answer)
            case Verdict.REJECTED | Verdict.REFUSED:
                self._refused(flight, answer)
            case Verdict.UNSENT | Verdict.BUSY:
                self._not_accepted(flight, answer, started)
            case Verdict.DENIED:
                self._withdraw(flight, answer.message)
                self._run.deny(answer.message)
            case Verdict.CHANGED:
                self._withdraw(flight, answer.message)
                self._run.fail(DiskError(answer.message, "nothing was bought with the changed picture"))
            case _:
                self._lost(flight, answer)

    def _accepted(self, flight: Flight, answer: Submission) -> None:
        run = self._run
        request_id = answer.request_id or ""
        if run.store.claimed([request_id]):
            # One id for two submissions: which of them it is can never be told.
            self._lost(flight, replace(answer, message="the service answered with the id of another request"))
            return
        self._passed.add(flight.attempt.model)
        self._gate.answered()
        run.depth.accepted()
        run.note = ""
        self._count(flight)
        run.attach(flight, request_id, answer.status)

    def _count(self, flight: Flight) -> None:
        self._run.submitted += 1
        self._run.spent += self._price(flight)

    def _price(self, flight: Flight) -> Decimal:
        return (flight.planned.price if flight.planned else None) or Decimal(0)

    def _lost(self, flight: Flight, answer: Submission) -> None:
        run, now = self._run, self._run.now()
        self._gate.failed(now)
        self._count(flight)
        run.note = f"a submission's answer was lost ({answer.message}); looking for it"
        run.store.lose(flight.attempt, now, run.skew, answer.message)
        flight.attempt = replace(flight.attempt, lost_at=now, skew=flight.attempt.skew or run.skew)
        flight.since = now
        run.flights.move(flight, Phase.LOST)

    def _refused(self, flight: Flight, answer: Submission) -> None:
        run, model = self._run, flight.attempt.model
        self._gate.answered()
        if answer.http_status not in GENERAL:
            self._passed.add(model)
        elif model in self._passed:
            self._passed.discard(model)
        else:
            run.queue.withhold(model)
            run.note = f"{model}: {answer.message}"
            hint = "mend that, then run the same command with --retry-failed; the other jobs were not sent"
            run.fail_at_end(ServiceError(f"the service refuses every submission to {model}: {answer.message}", hint))
        rejected = answer.verdict is Verdict.REJECTED
        run.submitted += 1
        run.spent += Decimal(0) if rejected else self._price(flight)
        run.end(flight, Status.REJECTED if rejected else Status.FAILED, f"{answer.http_status}: {answer.message}")

    def _withdraw(self, flight: Flight, reason: str) -> None:
        self._run.store.withdraw(flight.attempt, reason)
        self._run.again(flight)

    def _not_accepted(self, flight: Flight, answer: Submission, started: float) -> None:
        run, now = self._run, self._run.now()
        self._withdraw(flight, answer.message)
        self._gate.failed(now)
        if answer.verdict is Verdict.BUSY:
            run.depth.refused(now, started)
        wished = answer.retry_after
        pause = backoff(self._gate.failures, run.tools.randomness) if wished is None else wished
        self._gate.pause(now, pause)
        run.note = f"{answer.message}; trying again in {pause:.0f} s"
