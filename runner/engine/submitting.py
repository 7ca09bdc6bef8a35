"""Submitting: when a POST may be sent, and what its answer means for the job."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import replace
from decimal import Decimal
from functools import partial

from runner.api.answer_classes import GENERAL, AnswerClass
from runner.api.answers import Submission
from runner.api.body import Body
from runner.engine.flights import Flight, Phase
from runner.engine.pacing import Gate, backoff
from runner.engine.run import MOST_POSTS, Run, result_of
from runner.errors import DiskError, ServiceError
from runner.model import Image, Status


class Submitting:
    """Submits the jobs of the queue. The first one of each model is a canary."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._images: dict[str, Image] = {image.id: image for image in run.plan.manifest.images}
        self._gate = Gate(run.tools.randomness, MOST_POSTS)
        # The first submission to a model is sent alone: a refused key, unknown model or empty account costs one call.
        self._canary: Flight | None = None
        self._passed: set[str] = set()
        # Flights whose intent is on disk and whose POST is sent next.
        self._intended: list[Flight] = []

    @property
    def due(self) -> float:
        """When the next submission may be sent; infinity if there is none, or another call must end first."""
        run = self._run
        # A submission that was lost in a storm may have been billed: find out before more are sent.
        must_search = self._gate.is_stormy and run.flights.count(Phase.LOST) > 0
        if self._canary is not None or must_search or self.is_blocked or not run.queue.has_ready:
            return math.inf
        return self._gate.due(run.calls + len(self._intended))

    @property
    def is_blocked(self) -> bool:
        """Whether the limit of requests unfinished at the service is reached. If all of these are left for the next
        run, the pending jobs are left for it, too."""
        return self._run.flights.at_service() >= int(self._run.depth.size)

    def intend(self) -> None:
        """Write the intents of the next submissions. The caller's transaction is committed before any POST."""
        run, now = self._run, self._run.now()
        self._give_up(now)
        while not run.is_stopping and self.due <= now and (planned := run.queue.take()) is not None:
            currency = run.plan.manifest.budget.currency
            attempt = run.store.intend(planned.job, now, run.skew, planned.price, currency)
            flight = Flight(attempt, Phase.POSTING, now, planned)
            run.flights.add(flight)
            self._intended.append(flight)
            if attempt.model not in self._passed:
                self._canary = flight

    def post(self) -> None:
        """Send the POSTs of intents that are on disk, unless the run was interrupted while they were written."""
        run, flights = self._run, self._intended
        self._intended = []
        if run.is_stopping and flights:
            with run.store.transaction():
                for flight in flights:
                    self._withdraw(flight, "interrupted")
            return
        for flight in flights:
            job = flight.job
            body = Body(job.model, job.payload, self._images[job.image])
            run.start(partial(self._posted, flight), partial(run.tools.client.submit, body))

    def _give_up(self, now: float) -> None:
        """Leave the pending jobs if the service has accepted nothing for as long as this run may wait."""
        run, since = self._run, self._gate.silent_since
        if run.is_stopping or since is None or now - since <= run.settings.wait:
            return
        if len(run.queue) and self._canary is None:
            hint = "nothing was sent of what is still pending; run the same command again later"
            run.queue.clear()
            run.fail_at_end(
                ServiceError(f"the service took no submission for {run.settings.wait:g} s: {run.note}", hint)
            )

    def _posted(self, flight: Flight, future: Future[Submission], started: float) -> None:
        answer = result_of(future, lambda words: Submission(AnswerClass.UNKNOWN, message=words))
        self._run.heard(answer.skew_from)
        if flight is self._canary:
            self._canary = None
        match answer.kind:
            case AnswerClass.ACCEPTED:
                self._accepted(flight, answer)
            case AnswerClass.REJECTED | AnswerClass.REFUSED:
                self._refused(flight, answer)
            case AnswerClass.UNSENT | AnswerClass.BUSY:
                self._not_accepted(flight, answer, started)
            case AnswerClass.DENIED:
                self._withdraw(flight, answer.message)
                self._run.deny(answer.message)
            case AnswerClass.CHANGED:
                self._withdraw(flight, answer.message)
                self._run.fail(DiskError(answer.message, "nothing was bought with the changed picture"))
            case _:
                self._lost(flight, answer)

    def _accepted(self, flight: Flight, answer: Submission) -> None:
        run = self._run
        request_id = answer.request_id or ""
        if run.store.claimed([request_id]):
            # One id for two submissions: nobody can know which of them it belongs to.
            self._lost(flight, replace(answer, message="the service answered with the id of another request"))
            return
        self._passed.add(flight.attempt.model)
        self._gate.answered()
        run.depth.accepted()
        run.note = ""
        self._count_as_spent(flight)
        run.attach(flight, request_id, answer.status)

    def _count_as_spent(self, flight: Flight) -> None:
        self._run.submitted += 1
        self._run.spent += flight.price

    def _lost(self, flight: Flight, answer: Submission) -> None:
        run, now = self._run, self._run.now()
        self._gate.failed(now)
        self._count_as_spent(flight)
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
        rejected = answer.kind is AnswerClass.REJECTED
        run.submitted += 1
        run.spent += Decimal(0) if rejected else flight.price
        run.end(flight, Status.REJECTED if rejected else Status.FAILED, f"{answer.http_status}: {answer.message}")

    def _withdraw(self, flight: Flight, reason: str) -> None:
        self._run.store.withdraw(flight.attempt, reason)
        self._run.again(flight)

    def _not_accepted(self, flight: Flight, answer: Submission, started: float) -> None:
        run, now = self._run, self._run.now()
        self._withdraw(flight, answer.message)
        self._gate.failed(now)
        if answer.kind is AnswerClass.BUSY:
            run.depth.refused(now, started)
        retry_after = answer.retry_after
        pause = backoff(self._gate.failures, run.tools.randomness) if retry_after is None else retry_after
        self._gate.pause(now, pause)
        run.note = f"{answer.message}; trying again in {pause:.0f} s"
