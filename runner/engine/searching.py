"""Searching: looks for submissions whose answer was lost in the service's list; one list serves all of a model."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Listing
from runner.engine.flights import Flight, Phase
from runner.engine.reconcile import Conclusion, Evidence, Finding, findings
from runner.engine.run import Run, result_of
from runner.model import Status

_FIRST_LOOK, _LONGEST_PAUSE = 0.5, 15.0
# A list that took long is not asked for again for twice that time, and at most so many seconds.
_LONGEST_REST = 60.0


@dataclass(slots=True)
class _Look:
    """When the list of a model is asked for next; infinity while it is."""

    due: float
    tries: int = 0


class Searching:
    """Asks for the list of each model that has a lost submission, until none of them is lost any more."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._looks: dict[str, _Look] = {}

    @property
    def due(self) -> float:
        """When the next list may be asked for; infinity while there is none, or something else must end first."""
        soonest = min((look.due for look in self._looks.values()), default=math.inf)
        return max(soonest, self._run.asks.due(self._run.calls))

    def look(self) -> None:
        """Start the lists that are due."""
        run, now = self._run, self._run.now()
        for flight in run.flights.in_phase(Phase.UNKNOWN):
            self._looks.setdefault(flight.attempt.model, _Look(now + _FIRST_LOOK))
        for model, look in self._looks.items():
            if not run.is_stopping and max(look.due, run.asks.due(run.calls)) <= now:
                look.due = math.inf
                run.start(partial(self._listed, model), partial(run.tools.client.list, model))

    def leave_unasked(self) -> None:
        """Leave what was looked for long enough while the service wants a pause, or answers nothing."""
        run = self._run
        if run.asks.is_shut(run.calls, run.now()):
            for flight in run.flights.in_phase(Phase.UNKNOWN):
                if self._is_over(flight, final=False):
                    self._stay(flight, f"its answer was lost, and the list cannot be read: {run.note}", final=False)

    def _lost(self, model: str) -> list[Flight]:
        return [each for each in self._run.flights.in_phase(Phase.UNKNOWN) if each.attempt.model == model]

    def _listed(self, model: str, future: Future[Listing], started: float) -> None:
        run, listing = self._run, result_of(future, lambda words: Listing(AnswerClass.UNKNOWN, message=words))
        run.hear(listing)
        self._looks[model].tries += 1
        if listing.kind is AnswerClass.DENIED:
            run.deny(listing.message)
        elif listing.kind is AnswerClass.ACCEPTED:
            run.asks.answered()
            if all(run.check_organisation(each) for each in listing.requests):
                self._conclude(model, listing, started)
        else:
            run.asks.failed(run.now(), listing.retry_after)
            run.note = f"the service's list cannot be read: {listing.message}"
            for flight in self._lost(model):
                self._stay(flight, f"its answer was lost, and the list cannot be read: {listing.message}", final=False)
        self._plan_next(model, started)

    def _conclude(self, model: str, listing: Listing, started: float) -> None:
        run = self._run
        flights = {flight.attempt.number: flight for flight in self._lost(model)}
        # A POST that was not over when the list was asked for still runs, as far as the list can tell.
        late = {number for number, flight in flights.items() if flight.since > started}
        evidence = self._evidence(model, listing, started, late)
        for finding in findings(evidence):
            if finding.attempt.number in flights:
                self._apply(flights[finding.attempt.number], finding, started)
        run.store.see(each.request_id for each in evidence.unclaimed)

    def _evidence(self, model: str, listing: Listing, started: float, late: Collection[int]) -> Evidence:
        run = self._run
        ids = [each.request_id for each in listing.requests]
        # All of the state: the list may show those that are left for later, or not selected, too.
        unanswered = [
            replace(each, lost_at=None) if each.number in late else each
            for each in run.store.open_attempts()
            if each.model == model and each.request_id is None
        ]
        starts = [each.window_start for each in unanswered]
        since = None if None in starts else min(filter(None, starts), default=None)
        accepted = run.store.accepted_since(model, since)
        self._check_times(model, listing, accepted)
        if since is not None and run.facts(model).is_untimed:
            accepted = run.store.accepted_since(model, None)
        # What was accepted after the list was asked for need not be in it.
        newer = {request_id for _, answered_at, request_id in run.accepted if answered_at >= started}
        return Evidence(
            listing,
            unanswered,
            {each: told for each, told in accepted.items() if each not in newer},
            {each.number: self._later(each.number) for each in unanswered},
            frozenset(run.store.claimed(ids)),
            run.store.seen(ids),
            run.schema(model),
            run.facts(model),
            started,
            run.tools.clock.boot,
            run.settle_of(model),
            frozenset(each.number for each in unanswered if not run.is_ours(each)),
        )

    def _check_times(self, model: str, listing: Listing, accepted: Mapping[str, float | None]) -> None:
        """Stop trusting the service's times if the list tells another one of a request than its answer did."""
        for each in listing.requests:
            told = accepted.get(each.request_id)
            if told is not None and each.created_at != told:
                self._run.distrust(model, "the list tells another time of a request than its answer did")

    def _later(self, number: int) -> frozenset[str]:
        """Requests whose POST began after that of a lost attempt was over, among the last ones."""
        run = self._run
        lost = next((each for each in run.flights.in_phase(Phase.UNKNOWN) if each.attempt.number == number), None)
        since = math.inf if lost is None else lost.since
        return frozenset(request_id for posted_at, _, request_id in run.accepted if posted_at >= since)

    def _apply(self, flight: Flight, finding: Finding, started: float) -> None:
        run = self._run
        match finding.conclusion:
            case Conclusion.FOUND if finding.remote is not None:
                run.note = ""
                run.attach(flight, finding.remote)
            case Conclusion.ABSENT:
                run.note = ""
                run.spent -= flight.price
                run.store.withdraw(flight.attempt, "surely not accepted; submitted again")
                run.tell(flight.attempt.key, "surely not accepted; submitted again")
                run.again(flight)
            case Conclusion.FAILED if finding.remote is not None:
                if not run.store.claimed([finding.remote.request_id]):
                    run.store.claim(flight.attempt, finding.remote.request_id)
                run.end(flight, Status.FAILED, finding.remote.error or "the service says failed")
            case Conclusion.MISSED:
                self._missed(flight, finding, started)
            case _:
                self._unclear(flight, finding, started)

    def _missed(self, flight: Flight, finding: Finding, started: float) -> None:
        """Remember the first whole list without the request. The second is compared with it."""
        run, boot = self._run, self._run.tools.clock.boot
        attempt, failed = flight.attempt, tuple(each.request_id for each in finding.records)
        if attempt.looked_at is None or attempt.looked_boot != boot or attempt.looked_failed != failed:
            run.store.look(attempt, boot, started, failed)
            flight.attempt = replace(attempt, looked_boot=boot, looked_at=started, looked_failed=failed)
        self._stay(flight, finding.reason, final=False)

    def _unclear(self, flight: Flight, finding: Finding, started: float) -> None:
        run = self._run
        # What an earlier list showed is no longer so.
        if flight.attempt.looked_at is not None and finding.records:
            run.store.look(flight.attempt, "", None, ())
            flight.attempt = replace(flight.attempt, looked_boot=None, looked_at=None, looked_failed=())
        if finding.is_whole:
            flight.unknown_since = started if flight.unknown_since is None else flight.unknown_since
            if started - flight.unknown_since >= run.settle_of(flight.attempt.model):
                # All that can be asked was asked: equal requests need not wait for it any longer.
                flight.is_settled = True
                run.queue.release(flight.attempt.fingerprint)
        self._stay(flight, finding.reason, final=True)

    def _stay(self, flight: Flight, reason: str, *, final: bool) -> None:
        """The attempt stays unknown. `final`: more of the same lists will not tell, so it is not looked for as long."""
        run = self._run
        run.store.explain(flight.attempt, reason)
        if not self._is_over(flight, final=final):
            return
        if flight.resubmit:
            run.store.conclude(flight.attempt, Status.UNKNOWN, run.wall(), "given up with --resubmit-unknown")
            run.again(flight)
        else:
            run.leave(flight, reason)

    def _is_over(self, flight: Flight, *, final: bool) -> bool:
        twice = 2 * self._run.settle_of(flight.attempt.model)
        patience = twice if final else max(self._run.settings.wait, twice)
        return self._run.now() - flight.since >= patience

    def _plan_next(self, model: str, started: float) -> None:
        """Soon at first, as most lost requests show at once; in time for what settles; lightly if lists are long."""
        lost = self._lost(model)
        if not lost:
            del self._looks[model]
            return
        now, look, settle = self._run.now(), self._looks[model], self._run.settle_of(model)
        pause = min(_FIRST_LOOK * 2.0**look.tries, _LONGEST_PAUSE)
        settled = [each.attempt.looked_at + settle for each in lost if each.attempt.looked_at is not None]
        settled += [each.unknown_since + settle for each in lost if each.unknown_since is not None]
        look.due = max(
            min([now + pause, *(time for time in settled if time > now)]),
            now + min(2.0 * (now - started), _LONGEST_REST),
        )
