"""Searching: looks in the service's list for submissions whose answer was lost. One list serves all of a model."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Listing
from runner.engine.flights import Flight, Phase
from runner.engine.reconcile import NEARBY, Conclusion, Evidence, Finding, findings
from runner.engine.run import Run, result_of
from runner.model import Status

_FIRST_LOOK, _LONGEST_PAUSE = 0.5, 15.0


@dataclass(slots=True)
class _Look:
    """When the list of a model is requested next; infinity while that call runs."""

    due: float
    tries: int = 0


class Searching:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._looks: dict[str, _Look] = {}

    @property
    def due(self) -> float:
        """When the next list may be requested; infinity if none is needed, or another call must end first."""
        soonest = min((look.due for look in self._looks.values()), default=math.inf)
        return max(soonest, self._run.asks.due(self._run.calls))

    def look(self) -> None:
        """Request the lists that are due."""
        run, now = self._run, self._run.now()
        for flight in run.flights.in_phase(Phase.LOST):
            self._looks.setdefault(flight.attempt.model, _Look(now + _FIRST_LOOK))
        for model, look in self._looks.items():
            if not run.is_stopping and max(look.due, run.asks.due(run.calls)) <= now:
                look.due = math.inf
                run.start(partial(self._listed, model), partial(run.tools.client.list, model))

    def _lost_flights(self, model: str) -> list[Flight]:
        return [each for each in self._run.flights.in_phase(Phase.LOST) if each.attempt.model == model]

    def _listed(self, model: str, future: Future[Listing], started: float) -> None:
        run, listing = self._run, result_of(future, lambda words: Listing(AnswerClass.UNKNOWN, message=words))
        self._looks[model].tries += 1
        run.heard(listing.skew_from)
        if listing.kind is AnswerClass.DENIED:
            run.deny(listing.message)
        elif listing.kind is AnswerClass.ACCEPTED:
            run.asks.answered()
            if all(run.check_organisation(each) for each in listing.requests):
                self._conclude(model, listing, started)
        else:
            run.asks.failed(run.now(), listing.retry_after)
            run.note = f"the service's list cannot be read: {listing.message}"
            for flight in self._lost_flights(model):
                self._stay(flight, f"its answer was lost, and the list cannot be read: {listing.message}", final=False)
        self._plan_next(model, started)

    def _conclude(self, model: str, listing: Listing, started: float) -> None:
        run = self._run
        lost = {flight.attempt.number: flight for flight in self._lost_flights(model)}
        # All attempts of the state: the list may also show those that are left for later or not selected.
        unanswered = [each for each in run.store.open_attempts() if each.model == model and each.request_id is None]
        evidence = Evidence(
            listing,
            unanswered,
            frozenset(run.store.claimed([each.request_id for each in listing.requests])),
            {
                number: frozenset(
                    run.store.accepted_between(
                        model,
                        flight.attempt.intended_at - NEARBY,
                        min((flight.attempt.lost_at or started) + NEARBY, started),
                    )
                )
                for number, flight in lost.items()
            },
            run.plan.manifest.schemas.get(model),
            started,
            run.settings.settle,
            run.skew,
            run.is_ours,
        )
        for finding in findings(evidence):
            if finding.attempt.number in lost:
                self._apply(lost[finding.attempt.number], finding)

    def _apply(self, flight: Flight, finding: Finding) -> None:
        run = self._run
        match finding.conclusion:
            case Conclusion.FOUND if finding.remote is not None:
                run.note = ""
                run.attach(flight, finding.remote.request_id, finding.remote.status)
            case Conclusion.ABSENT:
                run.note = ""
                run.spent -= flight.price
                run.store.withdraw(flight.attempt, "surely not accepted; submitted again")
                run.again(flight)
            case Conclusion.MISSED:
                if flight.attempt.absent_at is None:
                    run.store.missed(flight.attempt, run.now())
                    flight.attempt = replace(flight.attempt, absent_at=run.now())
                self._stay(flight, finding.reason, final=False)
            case _:
                self._stay(flight, finding.reason, final=True)

    def _stay(self, flight: Flight, reason: str, *, final: bool) -> None:
        """The attempt stays unknown. `final`: another list would not help, so the search ends sooner."""
        run = self._run
        run.store.explain(flight.attempt, reason)
        patience = 2 * run.settings.settle if final else max(run.settings.wait, 2 * run.settings.settle)
        if run.now() - flight.since < patience:
            return
        if flight.resubmit:
            run.store.conclude(flight.attempt, Status.UNKNOWN, run.now(), "given up with --resubmit-unknown")
            run.again(flight)
        else:
            run.leave(flight, reason)

    def _plan_next(self, model: str, started: float) -> None:
        """Plan the next list: soon at first, as most lost requests are listed at once; in time for the end of a
        settling wait; seldom if lists take long."""
        lost = self._lost_flights(model)
        if not lost:
            del self._looks[model]
            return
        now, look = self._run.now(), self._looks[model]
        pause = min(_FIRST_LOOK * 2.0**look.tries, _LONGEST_PAUSE)
        settled = [
            each.attempt.absent_at + self._run.settings.settle for each in lost if each.attempt.absent_at is not None
        ]
        look.due = max(min([now + pause, *(time for time in settled if time > now)]), now + 2.0 * (now - started))
