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
    """What is being done about a flight."""

    POSTING = "submitting"
    UNKNOWN = "looked for"
    WAITING = "waiting"  # for its next poll
    ASKING = "asking"
    READY = "finished"  # to be fetched
    FETCHING = "downloading"
    LEFT = "left for the next run"


@dataclass(slots=True, eq=False)
class Flight:
    """One open attempt. `run.wait` counts from `since`, `due` is the time of its next poll.

    `tries` counts failed downloads, `failures` unusable answers in a row. `started` is the time since when the service
    may be working on it; None while it waits behind others, and after it has ended.

    `planned` is submitted again if the attempt was never accepted. It is None for an orphaned job.
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
    # --resubmit-unknown was given: if the request cannot be found, it is submitted, and paid for, again.
    resubmit: bool = False
    # When its POST began, by the clock of this boot.
    posted_at: float | None = None
    # The service's time of the last request that was accepted before its POST.
    newest: float | None = None
    # The first whole list that left it unknown was asked for then; it is settled after a second one.
    unknown_since: float | None = None
    is_settled: bool = False
    # Its record was compared with what was sent; and the service did not touch it since it was made.
    is_learned: bool = False
    is_untouched: bool = False

    @property
    def job(self) -> Job:
        """The planned job. Only for flights that this run submits."""
        assert self.planned is not None, "only jobs of the plan are submitted"
        return self.planned.job

    @property
    def price(self) -> Decimal:
        """What it adds to the money spent, also while it is unknown; 0 if the price is not known."""
        return (self.planned.price if self.planned else None) or Decimal(0)

    @property
    def request_id(self) -> str:
        assert self.attempt.request_id is not None, "only what has a request id is asked for"
        return self.attempt.request_id

    @property
    def status(self) -> str:
        """For people: the service's status while it has the request, otherwise our phase."""
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
        """The only way to change a phase."""
        self.remove(flight)
        flight.phase = phase
        self.add(flight)

    def __len__(self) -> int:
        return self.count(*Phase)

    def in_phase(self, phase: Phase) -> list[Flight]:
        """In the order in which they entered it."""
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
        """When the next poll is due; infinity if there is none. Drops outdated entries on the way."""
        waiting = self._by_phase[Phase.WAITING]
        while self._due:
            due, number = self._due[0]
            if number in waiting and waiting[number].due == due:
                return due
            heapq.heappop(self._due)
        return math.inf

    def pop_due(self) -> Flight:
        """The flight that is due next. Call `next_due` first: there must be one, and outdated entries must be gone."""
        return self._by_phase[Phase.WAITING][heapq.heappop(self._due)[1]]

    def statuses(self) -> Counter[str]:
        """How many flights have each status, without those that are left for the next run."""
        phases = (each for each in Phase if each is not Phase.LEFT)
        return Counter(flight.status for phase in phases for flight in self._by_phase[phase].values())
