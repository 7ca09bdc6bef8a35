"""When each flight is asked for: by its place in the service's line, and by how long its kind lasts."""

from __future__ import annotations

from collections.abc import Iterable

from runner.engine.flights import Flight, Flights, Phase
from runner.engine.lifetimes import Lifetimes
from runner.engine.lines import Line
from runner.engine.pacing import Window, next_poll
from runner.engine.queue import Queue
from runner.state.store import Store

# The last job of a run delays all of them: its lag counts as if so large a share of the jobs were late with it.
_WHOLE = 0.02
# A poll is not put off for so small a part of the time since the last one.
_NEARLY = 0.02

# A service need not keep the order that we presume: one that waits behind others is asked for all the same when it
# has waited so many times as long as it was last known to wait, or as such a request takes (seconds, where unknown).
_PATIENCE, _TYPICAL = 4.0, 30.0
# How long one waits where others move the line is not learned.
_UNKNOWN = Lifetimes()


class Schedule:
    """Plans the polls of a run's flights, and learns from what they show. What earlier runs saw is in the state."""

    def __init__(self, flights: Flights, queue: Queue, store: Store, depth: Window, wait: float) -> None:
        """`depth` is told how long jobs wait; so many seconds of `wait` after `flight.since` one is due in any case."""
        self._flights = flights
        self._queue = queue
        self._store = store
        self._depth = depth
        self._wait = wait
        self._lines: dict[str, Line] = {}
        self._lifetimes: dict[tuple[str, float | None], Lifetimes] = {}
        self._asked: dict[int, tuple[float, float]] = {}
        self._ended = 0

    def join(self, flight: Flight, now: float) -> None:
        """Take up a request that the service accepted; one that was not `seen` since is asked for at once."""
        accepted_at = flight.attempt.accepted_at
        self._line(flight).join(flight, now if accepted_at is None else accepted_at)
        self._plan(flight, now)

    def ask(self, flight: Flight, now: float) -> None:
        """It is asked for."""
        if (ages := _ages(flight, now)) is not None:
            self._asked[flight.attempt.number] = ages
            self.lifetimes(flight).ask(*ages)

    def hear(self, flight: Flight) -> None:
        """The answer is there, whatever it is."""
        if (ages := self._asked.pop(flight.attempt.number, None)) is not None:
            self.lifetimes(flight).hear(*ages)

    def unfinished(self, flight: Flight, status: str, now: float) -> None:
        """The service says this of it; it is asked for again."""
        line = self._line(flight)
        moved = line.told(flight, status, now)
        if (ages := _ages(flight, now)) is not None:
            self.lifetimes(flight).went_on(*ages)
        if line.is_working(flight):
            self._measure_wait(flight, now)
        flight.seen = now
        self._plan(flight, now)
        self._plan_waiting(moved, now)

    def ended(self, flight: Flight, now: float) -> None:
        """The service is done with it."""
        moved = self._line(flight).ended(flight, now)
        if flight.started is None:
            return  # That was known before.
        if (ages := _ages(flight, now)) is not None:
            self._measure_wait(flight, now)
            self.lifetimes(flight).ended(*ages)
            self._store.learn(flight.attempt, *ages)
        self._ended += 1
        flight.started = flight.seen = None
        self._plan_waiting(moved, now)

    def leave(self, flight: Flight, now: float) -> None:
        """It is not asked for any more in this run."""
        self._plan_waiting(self._line(flight).leave(flight, now), now)

    def put_off(self, flight: Flight, now: float) -> bool:
        """Whether a poll that is due is put off, as what was learned since it was planned makes an end less likely."""
        if flight.failures or flight.tries or flight.seen is None:
            return False
        due = self._due(flight)
        if due <= now + _NEARLY * (now - flight.seen):
            return False
        self._flights.poll_at(flight, due)
        return True

    def lifetimes(self, flight: Flight) -> Lifetimes:
        """What is known of the flight's kind."""
        kind = flight.attempt.model, flight.attempt.seconds
        if kind not in self._lifetimes:
            self._lifetimes[kind] = times = Lifetimes()
            for since, until in self._store.learned(*kind):
                times.went_on(0.0, since)
                times.ended(since, until)
        return self._lifetimes[kind]

    def _line(self, flight: Flight) -> Line:
        return self._lines.setdefault(flight.attempt.model, Line())

    def _plan(self, flight: Flight, now: float) -> None:
        self._flights.poll_at(flight, max(self._due(flight), now))

    def _plan_waiting(self, flights: Iterable[Flight], now: float) -> None:
        """Plan those anew that are not asked for at this moment: for these, the answer will."""
        for flight in flights:
            if flight.phase is Phase.WAITING:
                self._plan(flight, now)

    def _due(self, flight: Flight) -> float:
        last = flight.since + self._wait
        accepted_at = flight.attempt.accepted_at or flight.since
        if flight.seen is None:
            return flight.since
        times, dearness = self.lifetimes(flight), self._dearness()
        line = self._line(flight)
        if flight.started is None:
            known = max(flight.seen, line.moved_at) - accepted_at
            return min(accepted_at + _PATIENCE * max(known, times.mean or _TYPICAL), last)
        due = flight.started + next_poll(times, max(flight.seen - flight.started, 0.0), dearness)
        if not line.is_working(flight):
            due = max(due, accepted_at + next_poll(_UNKNOWN, flight.started - accepted_at, dearness))
        return min(due, last)

    def _measure_wait(self, flight: Flight, now: float) -> None:
        """Tell for how long a job has waited, once it is begun."""
        accepted_at, work = flight.attempt.accepted_at, self.lifetimes(flight).mean
        if not flight.is_begun and flight.started is not None and accepted_at is not None and work is not None:
            self._depth.waited(now, accepted_at, flight.started - accepted_at, work)
        flight.is_begun = True

    def _dearness(self) -> float:
        """How many times as much a second of lag counts: the fewer are left, the likelier it delays the whole run."""
        left = max(len(self._flights) + len(self._queue), 1)
        return 1.0 + _WHOLE * (self._ended + left) / left


def _ages(flight: Flight, now: float) -> tuple[float, float] | None:
    """How old it was, from its start, when it was last known to be unfinished, and now; None where that is unknown."""
    if flight.started is None or flight.seen is None:
        return None
    return max(flight.seen - flight.started, 0.0), max(now - flight.started, 0.0)
