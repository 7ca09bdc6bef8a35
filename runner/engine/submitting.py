"""Submitting: when a POST may leave, and what its answer means for the job."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from runner.api.answer_classes import GENERAL, AnswerClass
from runner.api.answers import Listing, Remote, Submission
from runner.engine.flights import Flight, Phase
from runner.engine.pacing import backoff
from runner.engine.polling import Polling
from runner.engine.reconcile import is_time
from runner.engine.run import Run, result_of
from runner.engine.uploading import Uploading
from runner.errors import DiskError, SecretError, ServiceError
from runner.model import Planned, Status

# So many seconds a page of the list is waited for before the first submission to a model.
_PAGE_PATIENCE = 10.0


@dataclass(slots=True)
class _Page:
    """A page of a model's list that is asked for before the first submission to it, which waits for it."""

    planned: Planned
    deadline: float


class Submitting:
    """Sends the jobs of the queue. The first of each model goes alone."""

    def __init__(self, run: Run, polling: Polling) -> None:
        self._run = run
        self._polling = polling
        self._uploading = Uploading(run)
        # The first submission to a model goes alone: a refused key, an unknown model, an empty account cost one call.
        self._canary: Flight | None = None
        self._passed: set[str] = set()
        # Before it, a page of the list tells what time the service has.
        self._page: _Page | None = None
        self._paged: set[str] = set()
        # On disk, and sent next.
        self._intended: list[Flight] = []

    @property
    def due(self) -> float:
        """When the next submission may leave, or the next upload may be tried; infinity while there is none."""
        return min(self._post_due, self._uploading.due)

    @property
    def _post_due(self) -> float:
        """When the next submission may leave; infinity while there is none, or something else must end first."""
        run = self._run
        if self._page is not None:
            return self._page.deadline
        # Each of those that were lost in a storm may have been billed: find out before risking more.
        is_probed = run.posts.is_stormy and run.flights.count(Phase.UNKNOWN) > 0
        has_to_wait = self._canary is not None or is_probed or self.is_blocked or self._uploading.is_full
        if has_to_wait or not run.queue.has_ready:
            return math.inf
        return run.posts.due(run.calls + len(self._intended))

    @property
    def is_blocked(self) -> bool:
        """Whether as many requests as may be are unfinished at the service. If all of them are left for the next run,
        so is what is still pending."""
        return self._run.flights.at_service() >= int(self._run.depth.size)

    @property
    def has_work(self) -> bool:
        is_waiting = self._page is not None or self._uploading.has_work
        return is_waiting or (len(self._run.queue) > 0 and not self.is_blocked)

    def intend(self) -> None:
        """Write the intents of what is submitted next. The transaction around it commits before any POST."""
        run, now = self._run, self._run.now()
        self._give_up(now)
        if self._page is not None and self._page.deadline <= now:
            self._end_page()
        while not run.is_stopping and self._post_due <= now and (planned := run.queue.take()) is not None:
            addresses = self._uploading.addresses_of(planned.job)
            if addresses is None:
                self._uploading.hold(planned)
            elif self._needs_page(planned.job.model):
                self._ask_page(planned, now)
            else:
                self._intend(planned, now, addresses)
        self._uploading.start()

    def _intend(self, planned: Planned, now: float, addresses: dict[str, str]) -> None:
        run, model = self._run, planned.job.model
        attempt = run.store.intend(
            planned.job,
            run.wall(),
            planned.price,
            run.plan.manifest.budget.currency,
            caller=run.caller,
            window_start=run.window_start(model),
            addresses=addresses,
        )
        flight = Flight(attempt, Phase.POSTING, now, planned, newest=run.last_created(model))
        run.flights.add(flight)
        self._intended.append(flight)
        if model not in self._passed:
            self._canary = flight

    def _needs_page(self, model: str) -> bool:
        """Whether no time of the service is known that is earlier than what is submitted now."""
        return model not in self._paged and self._run.last_created(model) is None

    def _ask_page(self, planned: Planned, now: float) -> None:
        run, model = self._run, planned.job.model
        self._paged.add(model)
        self._page = _Page(planned, now + _PAGE_PATIENCE)
        # The call must not outlive the wait for long: it holds a thread.
        run.start(partial(self._seen, model), partial(run.tools.client.page, model, patience=_PAGE_PATIENCE))

    def _seen(self, model: str, future: Future[Listing], started: float) -> None:
        """Take in a page: what is on it was there before anything that is submitted from now on."""
        run, page = self._run, result_of(future, lambda words: Listing(AnswerClass.UNKNOWN, message=words))
        run.hear(page)
        if page.kind is AnswerClass.DENIED:
            run.deny(page.message)
        if page.kind is AnswerClass.ACCEPTED and all(run.check_organisation(each) for each in page.requests):
            ids = [each.request_id for each in page.requests]
            times = [each.created_at for each in page.requests if each.created_at is not None]
            is_late = self._page is None or self._page.planned.job.model != model
            if not is_late:
                claimed = run.store.claimed(ids)
                run.store.see(each for each in ids if each not in claimed)
            if not is_late and times and all(map(is_time, times)):
                run.page_told(model, min(times))
        if self._page is not None and self._page.planned.job.model == model:
            self._end_page()

    def _end_page(self) -> None:
        page, self._page = self._page, None
        if page is not None:
            self._run.queue.put_back(page.planned)

    def post(self) -> None:
        """Send the POSTs of intents that are on disk, unless the run was stopped while they were written."""
        run, flights = self._run, self._intended
        self._intended = []
        if flights and not run.is_stopping:
            run.secure(max(flight.attempt.number for flight in flights))
        if run.is_stopping and flights:
            with run.store.transaction():
                for flight in flights:
                    self._withdraw(flight, "interrupted" if run.error is None else run.error.message)
            return
        for flight in flights:
            body = self._uploading.body(flight.job, flight.attempt.addresses)
            flight.posted_at = run.now()
            run.start(partial(self._posted, flight), partial(run.tools.client.submit, body, run.store.permit))

    def _give_up(self, now: float) -> None:
        """Leave what is pending if the service has taken nothing for as long as this run may wait."""
        run, since = self._run, self._run.posts.silent_since
        if run.is_stopping or since is None or now - since <= run.settings.wait:
            return
        if len(run.queue) and self._canary is None:
            hint = "nothing was sent of what is still pending; run the same command again later"
            run.queue.close()
            run.fail_at_end(
                ServiceError(f"the service took no submission for {run.settings.wait:g} s: {run.note}", hint)
            )

    def _posted(self, flight: Flight, future: Future[Submission], started: float) -> None:
        answer = result_of(future, lambda words: Submission(AnswerClass.UNKNOWN, message=words))
        self._run.hear(answer)
        if flight is self._canary:
            self._canary = None
        match answer.kind:
            case AnswerClass.ACCEPTED if answer.remote is not None:
                self._accepted(flight, answer, answer.remote)
            case AnswerClass.REJECTED | AnswerClass.REFUSED:
                self._refused(flight, answer)
            case AnswerClass.UNSENT | AnswerClass.BUSY:
                self._not_accepted(flight, answer, started)
            case AnswerClass.DENIED:
                self._withdraw(flight, answer.message)
                self._run.deny(answer.message)
            case AnswerClass.UNPAID:
                self._run.stop_buying(answer.message)
                self._withdraw(flight, answer.message)
            case AnswerClass.KEY_INSIDE:
                self._withdraw(flight, answer.message)
                self._run.fail(SecretError(answer.message, "nothing of it was sent: take the key out of the manifest"))
            case AnswerClass.CHANGED:
                self._withdraw(flight, answer.message)
                self._run.fail(DiskError(answer.message, "nothing was bought with the changed picture"))
            case _:
                self._lost(flight, answer)

    def _accepted(self, flight: Flight, answer: Submission, remote: Remote) -> None:
        run = self._run
        if run.store.claimed([remote.request_id]):
            # One id for two submissions: which of them it is can never be told.
            self._lost(flight, replace(answer, message="the service answered with the id of another request"))
            return
        self._passed.add(flight.attempt.model)
        run.posts.answered()
        run.depth.accepted()
        run.note = ""
        run.accepted.append((flight.posted_at or 0.0, run.now(), remote.request_id))
        self._count(flight)
        run.attach(flight, remote)
        if remote.is_final:
            run.learn(flight.attempt.model, "sync")
            self._polling.told(flight, remote)

    def _count(self, flight: Flight) -> None:
        self._run.submitted += 1
        self._run.spent += flight.price

    def _lost(self, flight: Flight, answer: Submission) -> None:
        run, now = self._run, self._run.now()
        run.posts.failed(now)
        self._count(flight)
        run.note = f"a submission's answer was lost ({answer.message}); looking for it"
        run.store.lose(flight.attempt, run.wall(), answer.message)
        run.tell(flight.attempt.key, run.note)
        flight.attempt = replace(flight.attempt, lost_at=run.wall())
        flight.since = now
        run.flights.move(flight, Phase.UNKNOWN)

    def _refused(self, flight: Flight, answer: Submission) -> None:
        run, model = self._run, flight.attempt.model
        run.posts.answered()
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
        # A sync model refuses with a record that stays in its list.
        if answer.remote is not None and not run.store.claimed([answer.remote.request_id]):
            run.store.claim(flight.attempt, answer.remote.request_id)
        run.end(flight, Status.REJECTED if rejected else Status.FAILED, f"{answer.http_status}: {answer.message}")

    def _withdraw(self, flight: Flight, reason: str) -> None:
        self._run.store.withdraw(flight.attempt, reason)
        self._run.again(flight)

    def _not_accepted(self, flight: Flight, answer: Submission, started: float) -> None:
        run, now = self._run, self._run.now()
        self._withdraw(flight, answer.message)
        run.posts.failed(now)
        if answer.kind is AnswerClass.BUSY:
            run.depth.refused(now, started)
        wished, silent_since = answer.retry_after, run.posts.silent_since or now
        pause = backoff(run.posts.failures, run.tools.randomness) if wished is None else wished
        # When the wait is over, the service is asked once more, whatever pause it wants.
        pause = min(pause, max(silent_since + run.settings.wait - now, 0.0))
        run.posts.pause(now, pause)
        asked = f"; it asks for {wished:.0f} s" if wished is not None and wished > pause else ""
        run.note = f"{answer.message}{asked}; trying again in {pause:.0f} s"
        run.tell(flight.attempt.key, f"not accepted: {run.note}")
