"""A queue with a number of slots, and the ledger of what became of each request in it."""

from __future__ import annotations

import heapq
import math
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """One request. Times are seconds of the monotonic clock of this machine; NaN is what did not happen yet.

    `asked` is when its video was first asked for, `delivered` when all of it had been handed to the network.
    """

    id: str
    document: bytes
    service: float
    submitted: float
    started: float = math.nan
    completed: float = math.nan
    asked: float = math.nan
    delivered: float = math.nan
    polls: int = 0
    # As the service tells it, in Unix seconds.
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def status(self) -> str:
        if self.completed == self.completed:
            return "success"
        return "processing" if self.started == self.started else "queued"


def service_times(mean: float, sigma: float, seed: int) -> Iterator[float]:
    """Log-normal times in seconds with this mean and this spread of their logarithm; zeros for a mean of zero."""
    drawn = random.Random(seed)
    while True:
        yield drawn.lognormvariate(math.log(mean) - sigma * sigma / 2, sigma) if mean else 0.0


def ideal_makespan(times: list[float], slots: int) -> float:
    """How long so many slots take for requests with these service times, in this order, all of them there at once."""
    free = [0.0] * slots
    for each in times:
        heapq.heapreplace(free, free[0] + each)
    return max(free)


@dataclass(slots=True)
class Slots:
    """Requests wait in the order in which they came; as many as there are slots are worked on.

    `later` calls a function after so many seconds, `now` tells the time.
    """

    slots: int
    times: Iterator[float]
    now: Callable[[], float]
    later: Callable[[float, Callable[[], None]], object]
    requests: dict[str, Request] = field(default_factory=dict)
    most_unfinished: int = 0
    _waiting: deque[Request] = field(default_factory=deque)
    _working: int = 0

    def submit(self, request_id: str, document: bytes) -> Request:
        request = Request(request_id, document, next(self.times), self.now())
        self.requests[request_id] = request
        self._waiting.append(request)
        self._start()
        self.most_unfinished = max(self.most_unfinished, self._working + len(self._waiting))
        return request

    def _start(self) -> None:
        while self._waiting and self._working < self.slots:
            request = self._waiting.popleft()
            request.started = self.now()
            self._working += 1
            if request.service:
                self.later(request.service, lambda request=request: self._complete(request))  # type: ignore[misc]
            else:
                self._complete(request)

    def _complete(self, request: Request) -> None:
        request.completed = self.now()
        self._working -= 1
        self._start()


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a client made of its batch.

    `makespan` runs from the first submission to the last delivery, `ideal` is the least it could be, in seconds. `lag`
    is the mean time from a completion to the start of its download. `repeated` are submissions equal to another one.
    `received` are the bytes of all bodies.
    """

    submitted: int
    repeated: int
    delivered: int
    makespan: float
    ideal: float
    polls: float
    lag: float
    most_unfinished: int
    most_uploads: int
    received: int
    first_call: float | None


def ledger(queue: Slots, most_uploads: int, received: int, first_call: float | None) -> Ledger:
    requests = list(queue.requests.values())
    done = [each for each in requests if each.delivered == each.delivered]
    copies = Counter(each.document for each in requests)
    count = max(len(requests), 1)
    first = min((each.submitted for each in requests), default=0.0)
    return Ledger(
        submitted=len(requests),
        repeated=len(requests) - len(copies),
        delivered=len(done),
        makespan=max((each.delivered for each in done), default=first) - first,
        ideal=ideal_makespan([each.service for each in requests], queue.slots),
        polls=sum(each.polls for each in requests) / count,
        lag=sum(each.asked - each.completed for each in done) / max(len(done), 1),
        most_unfinished=queue.most_unfinished,
        most_uploads=most_uploads,
        received=received,
        first_call=first_call,
    )
