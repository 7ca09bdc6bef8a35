"""Open attempts as the loop holds them in memory, and when each is due."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(slots=True)
class Flight:
    """One open attempt. `since` starts its wait, `due` is its next poll, `tries` counts downloads in vain.

    `started` is since when the service may be working on it, None while it waits behind others; `seen` is when it was
    last known to be unfinished, None where this run did not see that yet; `is_begun` once the service was seen to work
    on it.

    `planned` is what is submitted again where the attempt turns out never to have been accepted; it is None for an
    orphaned job.
    """

    attempt: Attempt
    phase: Phase
    since: float
    planned: Planned | None = None
    due: float = 0.0
    started: float | None = None
    seen: float | None = None
    is_begun: bool = False
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


class Flights:
    """All flights of a run, by attempt number and by phase, with a queue of those that are due for a poll."""

    def __init__(self) -> None:
        self._all: dict[int, Flight] = {}
        self._by_phase: dict[Phase, dict[int, Flight]] = {phase: {} for phase in Phase}
        self._statuses: Counter[str] = Counter()
        # The word under which each is counted, but those that are left for the next run.
        self._words: dict[int, str] = {}
        self._due: list[tuple[float, int]] = []

    def add(self, flight: Flight) -> None:
        self._all[flight.attempt.number] = flight
        self._enter(flight)

    def remove(self, flight: Flight) -> None:
        del self._all[flight.attempt.number]
        self._exit(flight)

    def move(self, flight: Flight, phase: Phase) -> None:
        """Every change of a phase comes here, so that nothing has to be counted anew."""
        self._exit(flight)
        flight.phase = phase
        self._enter(flight)

    def _enter(self, flight: Flight) -> None:
        number = flight.attempt.number
        self._by_phase[flight.phase][number] = flight
        if flight.phase is not Phase.LEFT:
            word = flight.status
            self._words[number] = word
            self._statuses[word] += 1

    def _exit(self, flight: Flight) -> None:
        number = flight.attempt.number
        del self._by_phase[flight.phase][number]
        word = self._words.pop(number, None)
        if word is not None:
            self._statuses[word] -= 1

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

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
        """How many there are of each status, but those that are left for the next run."""
        return +self._statuses
