"""When each flight is asked for: by its place in the service's line, and by how long its kind takes."""

from __future__ import annotations

import math
from bisect import insort
from collections import defaultdict, deque
from collections.abc import Iterable

from runner.engine.flights import Flight, Flights, Phase
from runner.state.store import Store

# What the service says of a request that it has not begun with.
_QUEUED = frozenset(("created", "queued"))
# While no end of a kind is known: the first poll, in seconds, and the share of its age after which one is asked for
# again. The more are in flight, the larger is this: any of them tells how long they take.
_FIRST, _SHARE = 1.0, 0.15
# Later there are so many polls in the mean time of a kind, but none sooner than these seconds after the one before; the
# first one comes shortly before the age at which one in eight had ended. So many ends are kept in mind: the fewer, the
# sooner a service that changes its pace is followed.
_POLLS, _LEAST, _EARLY, _KEPT = 10.0, 0.3, 8, 60
# One that waits behind others is asked for all the same once it has waited for so many times as long as before, and
# after so many seconds at least where it is not known how long the slowest takes.
_PATIENCE, _SLOWEST = 3.0, 120.0


class Schedule:
    """Plans the polls of a run's flights, and learns from what they show. What earlier runs saw is in the state.

    A service with so many slots works on the first requests to a model, in the order in which they came, and begins the
    next one when one ends. How many slots there are is not told, and so each is taken to be worked on, since
    `flight.started`, until the service calls it queued. Then it waits in line, with all that come after it, and every
    end begins the first of them. Only the first is asked for meanwhile, as requests of others may move the line as
    well; the rest seldom, in case the service keeps no such order.
    """

    def __init__(self, flights: Flights, store: Store, wait: float) -> None:
        """So many seconds of `wait` after `flight.since` a poll is due in any case."""
        self._flights = flights
        self._store = store
        self._wait = wait
        # By model, in the order in which they were sent.
        self._waiting: defaultdict[str, list[Flight]] = defaultdict(list)
        # Whether a model's requests are called queued until they end: so it seems where one has ended, and no other
        # word was heard.
        self._is_mute: dict[str, bool] = {}
        self._known: dict[tuple[str, float | None], deque[float]] = {}

    def join(self, flight: Flight, now: float) -> None:
        """Take up a request that has its id. One that was not sent just now may be done, and is asked for at once."""
        waiting = self._waiting[flight.attempt.model]
        if flight.phase is Phase.LOST:
            flight.started = flight.attempt.intended_at
            self._flights.poll_at(flight, now)
            return
        if waiting:
            waiting.append(flight)
        else:
            flight.started = now
        self._plan(flight, now)

    def unfinished(self, flight: Flight, status: str, now: float) -> None:
        """The service says this of it; it is asked for again."""
        model, waiting = flight.attempt.model, self._waiting[flight.attempt.model]
        if status not in _QUEUED:
            self._is_mute[model] = False
            flight.started = now if flight.started is None else flight.started
            if flight in waiting:
                waiting.remove(flight)
                self._ask(waiting[:1], now)
        elif self._is_mute.get(model):
            flight.started = flight.since if flight.started is None else flight.started
        elif flight not in waiting:
            flight.started = None
            insort(waiting, flight, key=lambda each: each.attempt.number)
        self._plan(flight, now)

    def ended(self, flight: Flight, now: float) -> None:
        """The service is done with it."""
        model = flight.attempt.model
        if self._is_mute.setdefault(model, True):
            self._ask(self._waiting.pop(model, ()), now)
        # Nothing is learned of one that was begun unseen.
        if flight.started is not None and flight.started >= flight.since:
            age = now - flight.started
            self._ages(flight).append(age)
            self._store.learn(flight.attempt, age)
        self.leave(flight, now)

    def leave(self, flight: Flight, now: float) -> None:
        """It is in the line no longer, and the first that waits takes its place."""
        waiting = self._waiting[flight.attempt.model]
        if flight in waiting:
            waiting.remove(flight)
        elif flight.started is None:
            return  # It left before.
        flight.started = None
        if waiting:
            first = waiting.pop(0)
            first.started = now
            if first.phase is Phase.WAITING:
                self._plan(first, now)

    def _ask(self, flights: Iterable[Flight], now: float) -> None:
        """Ask for these at once, but for those that are asked for already."""
        for flight in flights:
            if flight.phase is Phase.WAITING:
                self._flights.poll_at(flight, now)

    def _plan(self, flight: Flight, now: float) -> None:
        last = max(flight.since + self._wait, now)
        self._flights.poll_at(flight, min(now + self._pause(flight, now), last))

    def _pause(self, flight: Flight, now: float) -> float:
        ages, started = sorted(self._ages(flight)), flight.started
        age = now - (flight.since if started is None else started)
        if started is None and flight is not self._waiting[flight.attempt.model][0]:
            return max(_PATIENCE * age, max(ages, default=_SLOWEST))
        if not ages:
            return max(min(_SHARE * math.sqrt(len(self._flights)), 1.0) * age, _FIRST)
        pause = max(max(sum(ages) / len(ages), age / 2.0) / _POLLS, _LEAST)
        if started is None or len(ages) < _EARLY:
            return pause
        return max(ages[len(ages) // _EARLY - 1] - pause - age, pause)

    def _ages(self, flight: Flight) -> deque[float]:
        """How long the latest of its kind took, as far as their ends were seen."""
        kind = flight.attempt.model, flight.attempt.seconds
        if kind not in self._known:
            self._known[kind] = deque(self._store.learned(*kind), _KEPT)
        return self._known[kind]
