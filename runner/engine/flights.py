"""Open attempts as the loop holds them in memory, and when each is due."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from runner.api.answers import Remote
from runner.model import Attempt, Job, Planned


class Phase(Enum):
    """What a flight is about at this moment."""

    POSTING = "submitting"
    LOST = "looked for"
    WAITING = "waiting"  # for its next poll
    ASKING = "asking"
    READY = "finished"  # to be fetched
    FETCHING = "downloading"
    LEFT = "left for the next run"


_FINISHED = (Phase.READY, Phase.FETCHING)


@dataclass(slots=True)
class Flight:
    """One open attempt. `since` starts its wait, `due` is its next poll, `tries` counts downloads in vain.

    `planned` is what is submitted again where the attempt turns out never to have been accepted; it is None for an
    orphaned job.
    """

    attempt: Attempt
    phase: Phase
    since: float
    planned: Planned | None = None
    due: float = 0.0
    tries: int = 0
    failures: int = 0
    remote: Remote | None = None
    # Asked for with --resubmit-unknown: what cannot be found is bought again.
    resubmit: bool = False

    @property
    def job(self) -> Job:
        """The job as planned; only for flights that this run submits."""
        assert self.planned is not None, "only jobs of the plan are submitted"
        return self.planned.job

    @property
    def request_id(self) -> str:
        assert self.attempt.request_id is not None, "only what has a request id is asked for"
        return self.attempt.request_id

    @property
    def status(self) -> str:
        """For people: the service's word while it works, ours otherwise."""
        if self.phase in (Phase.WAITING, Phase.ASKING):
            return self.attempt.remote_status or "accepted"
        return str(self.phase.value)


@dataclass(slots=True)
class Flights:
    """All flights of a run, by attempt number, with a queue of those that are due for a poll."""

    _all: dict[int, Flight] = field(default_factory=dict)
    _due: list[tuple[float, int]] = field(default_factory=list)

    def add(self, flight: Flight) -> None:
        self._all[flight.attempt.number] = flight

    def remove(self, flight: Flight) -> None:
        del self._all[flight.attempt.number]

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def in_phase(self, *phases: Phase) -> list[Flight]:
        return [flight for flight in self if flight.phase in phases]

    def at_service(self) -> int:
        """How many are unfinished at the service, or may be."""
        return sum(flight.phase not in _FINISHED for flight in self)

    def is_busy(self) -> bool:
        return any(flight.phase is not Phase.LEFT for flight in self)

    def poll_at(self, flight: Flight, due: float) -> None:
        flight.phase = Phase.WAITING
        flight.due = due
        heapq.heappush(self._due, (due, flight.attempt.number))

    def next_due(self) -> float | None:
        """When the next poll is due; entries that were superseded are dropped on the way."""
        while self._due:
            due, number = self._due[0]
            flight = self._all.get(number)
            if flight is not None and flight.phase is Phase.WAITING and flight.due == due:
                return due
            heapq.heappop(self._due)
        return None

    def pop_due(self) -> Flight:
        return self._all[heapq.heappop(self._due)[1]]

    def statuses(self) -> Counter[str]:
        return Counter(flight.status for flight in self if flight.phase is not Phase.LEFT)
