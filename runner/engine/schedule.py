"""When each flight is polled: by its place in the service's queue, and by how long requests of its kind take."""

from __future__ import annotations

import math
from bisect import insort
from collections import defaultdict, deque
from collections.abc import Iterable

from runner.engine.flights import Flight, Flights, Phase
from runner.state.store import Store

# The statuses of a request that the service has not started.
_QUEUED = frozenset(("created", "queued"))
# Used until a request of the same kind has ended: the seconds to the first poll, and the pause to the next poll as a
# share of the request's age. The share grows with the number of flights: any one of them shows how long they take.
_FIRST, _SHARE = 1.0, 0.15
# Used after that: the number of polls in the mean duration of a kind, and the least seconds between two polls. The
# first poll comes shortly before the age at which one in `_EARLY` requests had ended. The last `_KEPT` durations are
# kept: the fewer these are, the sooner the schedule follows a service that changes its pace.
_POLLS, _LEAST, _EARLY, _KEPT = 10.0, 0.3, 8, 60
# A request that waits behind others is polled seldom. The pause is `_PATIENCE` times its age, but at least the longest
# known duration of its kind, or `_SLOWEST` seconds if none is known.
_PATIENCE, _SLOWEST = 3.0, 120.0
# When a request of an earlier run was begun is not known; it is older than this run, in seconds.
_UNSEEN = 1.0


class Schedule:
    """Plans the polls of a run's flights, and learns from the answers. The state has what earlier runs learned.

    The service works on a limited number of requests to a model at once, in the order in which they came, and starts
    the next one when one ends. The limit is not known. So each request is assumed to be worked on, since
    `flight.started`, until the service calls it queued. From then on it waits, and so do all that come after it. When a
    request ends, the first that waits is assumed to start. Meanwhile only that first one is polled often, because the
    end of another customer's request may start it, too. The others are polled seldom, in case the service keeps no
    such order.
    """

    def __init__(self, flights: Flights, store: Store, wait: float) -> None:
        """A poll is due `wait` seconds after `flight.since` at the latest."""
        self._flights = flights
        self._store = store
        self._wait = wait
        # The flights in the service's queue, by model, in the order of submission.
        self._waiting: defaultdict[str, list[Flight]] = defaultdict(list)
        # Whether the service calls a model's requests queued until they end. This is assumed if one has ended and no
        # other status was seen.
        self._is_mute: dict[str, bool] = {}
        # By kind: the model and the length of the video.
        self._durations_by_kind: dict[tuple[str, float | None], deque[float]] = {}

    def join(self, flight: Flight, now: float) -> None:
        """Take up a request that has its id. If it was not sent just now, it may have ended, and is polled at once."""
        waiting = self._waiting[flight.attempt.model]
        if flight.phase is Phase.UNKNOWN:
            flight.started = now - _UNSEEN
            self._flights.poll_at(flight, now)
            return
        if waiting:
            waiting.append(flight)
        else:
            flight.started = now
        self._plan(flight, now)

    def unfinished(self, flight: Flight, status: str, now: float) -> None:
        """The service reports this status, so the request is polled again."""
        model, waiting = flight.attempt.model, self._waiting[flight.attempt.model]
        if status not in _QUEUED:
            self._is_mute[model] = False
            flight.started = now if flight.started is None else flight.started
            if flight in waiting:
                waiting.remove(flight)
                self._poll_now(waiting[:1], now)
        elif self._is_mute.get(model):
            flight.started = flight.since if flight.started is None else flight.started
        elif flight not in waiting:
            flight.started = None
            insort(waiting, flight, key=lambda each: each.attempt.number)
        self._plan(flight, now)

    def ended(self, flight: Flight, now: float) -> None:
        """The request has ended at the service."""
        model = flight.attempt.model
        if self._is_mute.setdefault(model, True):
            self._poll_now(self._waiting.pop(model, ()), now)
        # If this run did not see the start, it does not know the duration.
        if flight.started is not None and flight.started >= flight.since:
            age = now - flight.started
            self._durations(flight).append(age)
            self._store.learn(flight.attempt, age)
        self.leave(flight, now)

    def leave(self, flight: Flight, now: float) -> None:
        """Take it out of the service's queue. The first that waits takes its place."""
        waiting = self._waiting[flight.attempt.model]
        if flight in waiting:
            waiting.remove(flight)
        elif flight.started is None:
            return  # It has left already.
        flight.started = None
        if waiting:
            first = waiting.pop(0)
            first.started = now
            if first.phase is Phase.WAITING:
                self._plan(first, now)

    def _poll_now(self, flights: Iterable[Flight], now: float) -> None:
        """Poll at once those of these flights that wait for their next poll."""
        for flight in flights:
            if flight.phase is Phase.WAITING:
                self._flights.poll_at(flight, now)

    def _plan(self, flight: Flight, now: float) -> None:
        last = max(flight.since + self._wait, now)
        self._flights.poll_at(flight, min(now + self._pause(flight, now), last))

    def _pause(self, flight: Flight, now: float) -> float:
        ages, started = sorted(self._durations(flight)), flight.started
        age = now - (flight.since if started is None else started)
        if started is None and flight is not self._waiting[flight.attempt.model][0]:
            return max(_PATIENCE * age, max(ages, default=_SLOWEST))
        if not ages:
            return max(min(_SHARE * math.sqrt(len(self._flights)), 1.0) * age, _FIRST)
        pause = max(max(sum(ages) / len(ages), age / 2.0) / _POLLS, _LEAST)
        if started is None or len(ages) < _EARLY:
            return pause
        return max(ages[len(ages) // _EARLY - 1] - pause - age, pause)

    def _durations(self, flight: Flight) -> deque[float]:
        """How long the last requests of its kind took, as far as this was seen."""
        kind = flight.attempt.model, flight.attempt.seconds
        if kind not in self._durations_by_kind:
            self._durations_by_kind[kind] = deque(self._store.learned(*kind), _KEPT)
        return self._durations_by_kind[kind]
