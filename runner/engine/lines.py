"""The service's queue as far as it is ours: which of our requests it works on, and which wait behind them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from runner.engine.flights import Flight

# What the service says of a request that it has not begun with.
_QUEUED = frozenset(("created", "queued"))


class Line:
    """Our unfinished requests to one model, in the order in which they were accepted.

    A service with so many slots works on the first of them, and begins with the next one when one ends. How many slots
    there are is not told, and so all are presumed to be worked on until the service calls one queued: those before it
    have the slots, and it and all behind it wait, each for an end. The first that waits is asked for all the same:
    where it was begun without an end, others move the line, and all are presumed to be worked on again.

    `flight.started` is since when it may be worked on; None while it waits behind others. Each method returns the
    flights that have another one than before, but for those that wait again.
    """

    def __init__(self) -> None:
        # When an end last made room for the next one: then the order holds, as far as can be seen.
        self.moved_at = float("-inf")
        self._slots: int | None = None
        self._working: OrderedDict[int, Flight] = OrderedDict()
        # The first of them is next, and it alone has `started`.
        self._waiting: OrderedDict[int, Flight] = OrderedDict()
        # Some services call queued all that is unfinished: so it seems where one has ended and no other word was heard.
        self._is_mute: bool | None = None
        # When the latest was sent of those that were begun.
        self._latest = float("-inf")

    def is_working(self, flight: Flight) -> bool:
        return flight.attempt.number in self._working

    def join(self, flight: Flight, at: float) -> list[Flight]:
        """It was accepted."""
        self._waiting[flight.attempt.number] = flight
        return list(self._promote(at))

    def told(self, flight: Flight, status: str, now: float) -> list[Flight]:
        """The service says this of it, and it is not final."""
        if status not in _QUEUED:
            self._is_mute = False
            return self._begun(flight, now)
        return [] if self._is_mute else self._queued(flight, now)

    def ended(self, flight: Flight, now: float) -> list[Flight]:
        """The service is done with it."""
        if self._is_mute is None:
            self._is_mute = True
        return [*self._begun(flight, now), *self.leave(flight, now)]

    def leave(self, flight: Flight, now: float) -> list[Flight]:
        """It is not in the line any more."""
        if self._working.pop(flight.attempt.number, None) is not None and self._waiting:
            self.moved_at = now
        self._waiting.pop(flight.attempt.number, None)
        return list(self._promote(now))

    def _begun(self, flight: Flight, now: float) -> list[Flight]:
        self._latest = max(self._latest, flight.attempt.intended_at)
        number = flight.attempt.number
        if number not in self._waiting:
            return []
        first = next(iter(self._waiting.values()))
        if first is flight and self._slots and len(self._working) <= self._slots:
            # One of those before it has ended, and that is still to be seen.
            self._working[number] = self._waiting.pop(number)
            return list(self._promote(now))
        if first is not flight:
            self._set_apart(first)
        self._slots = None
        return list(self._promote(now if first.started is None else first.started))

    def _queued(self, flight: Flight, now: float) -> list[Flight]:
        accepted_at = flight.attempt.accepted_at
        if accepted_at is not None and accepted_at < self._latest:
            # One that was sent after this one was accepted has begun before it.
            self._set_apart(flight)
        elif flight.attempt.number in self._working:
            self._cut(flight, now)
        elif flight.started is None:
            return []
        flight.started = now
        return [flight, *self._promote(now)]

    def _set_apart(self, flight: Flight) -> None:
        """Others have passed it: what is said of it tells nothing of them any more."""
        self._waiting.pop(flight.attempt.number, None)
        self._working.pop(flight.attempt.number, None)

    def _cut(self, flight: Flight, now: float) -> None:
        """It waits, as do all behind it, and these are unfinished for certain."""
        for first in self._waiting.values():
            first.started = None
            break
        while flight.attempt.number in self._working:
            number, each = self._working.popitem()
            each.started, each.seen = None, now
            self._waiting[number] = each
            self._waiting.move_to_end(number, last=False)
        self._slots = len(self._working)

    def _promote(self, at: float) -> Iterator[Flight]:
        """Those for which there is a slot, and the one that is next."""
        while self._waiting and (self._slots is None or len(self._working) < self._slots):
            number, flight = self._waiting.popitem(last=False)
            self._working[number] = flight
            flight.started = at
            yield flight
        for first in self._waiting.values():
            if first.started is None:
                first.started = at
                yield first
            break
