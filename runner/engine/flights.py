"""Open attempts as the loop holds them in memory, and when each is due."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
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


@dataclass(slots=True, eq=False)
class Flight:
    """One open attempt. `since` starts its wait, `due` is its next poll, `tries` counts downloads in vain.

    `started` is since when the service may be working on it, None while it waits behind others, and once it has ended.

    `planned` is what is submitted again where the attempt turns out never to have been accepted; it is None for an
    orphaned job.
    """

    attempt: Attempt
    phase: Phase
    since: float
    planned: Planned | None = None
    due: float = 0.0
    started: float | None = None
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
    def price(self) -> Decimal:
        """What it counts as spent, also while it is unknown; 0 where the price is not known."""
        return (self.planned.price if self.planned else None) or Decimal(0)

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


class Flights:
    """All flights of a run, by phase and attempt number, with a queue of those that are due for a poll."""

    def __init__(self) -> None:
        self._by_phase: dict[Phase, dict[int, Flight]] = {phase: {} for phase in Phase}
        self._due: list[tuple[float, int]] = []

    def add(self, flight: Flight) -> None:
        self._by_phase[flight.phase][flight.attempt.number] = flight

    def remove(self, flight: Flight) -> None:
        del self._by_phase[flight.phase][flight.attempt.number]

    def move(self, flight: Flight, phase: Phase) -> None:
        """Every change of a phase comes here."""
        self.remove(flight)
        flight.phase = phase
        self.add(flight)

    def __len__(self) -> int:
        return self.count(*Phase)

    def in_phase(self, phase: Phase) -> list[Flight]:
        """In the order in which they came into it."""
        return list(self._by_phase[phase].values())

    def count(self, *phases: Phase) -> int:
        return sum(len(self._by_phase[phase]) for phase in phases)

    def at_service(self) -> int:
        """How many are unfinished at the service, or may be."""
        return len(self) - self.count(Phase.READY, Phase.FETCHING)

    def is_busy(self) -> bool:
        return len(self) > self.count(Phase.LEFT)

    def poll_at(self, flight: Flight, due: float) -> None:
        self.move(flight, Phase.WAITING)
        flight.due = due
        heapq.heappush(self._due, (due, flight.attempt.number))

    def next_due(self) -> float:
        """When the next poll is due, infinity where none is; entries that were superseded are dropped on the way."""
        waiting = self._by_phase[Phase.WAITING]
        while self._due:
            due, number = self._due[0]
            if number in waiting and waiting[number].due == due:
                return due
            heapq.heappop(self._due)
        return math.inf

    def pop_due(self) -> Flight:
        """The one that is due next, of which there is one."""
        return self._by_phase[Phase.WAITING][heapq.heappop(self._due)[1]]

    def statuses(self) -> Counter[str]:
        """How many there are of each status, but those that are left for the next run."""
        phases = (each for each in Phase if each is not Phase.LEFT)
        return Counter(flight.status for phase in phases for flight in self._by_phase[phase].values())
