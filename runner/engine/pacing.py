"""How fast to go: how many requests at once, when to ask, when to pause."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
# After this many calls in a row without a usable answer, only one call at a time is made.
_STORM = 5


def backoff(tries: int, randomness: random.Random) -> float:
    """Seconds to pause after this many failed tries: exponential backoff with full jitter
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)."""
    return randomness.uniform(0.0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries, 10)))


@dataclass(slots=True)
class Window:
    """A limit that adapts to the service: on its unfinished requests, or on the polls a second.

    It is halved if the service pushes back. After that it grows by one for every `size` answers (additive increase,
    multiplicative decrease). It starts at `most`, because a job that waits in the service's queue costs nothing.
    """

    most: int
    size: float = field(init=False)
    _lowered_at: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.size = float(self.most)

    def accepted(self) -> None:
        self.size = min(float(self.most), self.size + 1.0 / self.size)

    def refused(self, now: float, since: float) -> None:
        """The answer to a call made at `since` was 429. Calls made before the last decrease tell nothing new."""
        if since >= self._lowered_at:
            self.size = max(1.0, self.size / 2.0)
            self._lowered_at = now


@dataclass(slots=True)
class Gate:
    """Says when calls may be made, at most `most` at once. After many failures in a row (a storm) it allows one call at
    a time, until one is answered.
    """

    randomness: random.Random
    most: int
    opens_at: float = float("-inf")
    failures: int = 0
    # When the first call after the last answer failed; None if no call has failed since.
    silent_since: float | None = None

    @property
    def is_stormy(self) -> bool:
        return self.failures >= _STORM

    def due(self, calls: int) -> float:
        """When another call may start while this many run; infinity if one of these must end first."""
        is_full = calls >= self.most or (self.is_stormy and calls > 0)
        return math.inf if is_full else self.opens_at

    def is_shut(self, calls: int, now: float) -> bool:
        """Whether a failure keeps the next call from starting now."""
        return self.failures > 0 and self.due(calls) > now

    def answered(self) -> None:
        self.failures = 0
        self.silent_since = None

    def failed(self, now: float, retry_after: float | None = None) -> None:
        """`retry_after` is the pause that the service asks for, in seconds."""
        self.failures += 1
        self.silent_since = now if self.silent_since is None else self.silent_since
        if self.is_stormy:
            self.pause(now, backoff(self.failures - _STORM + 1, self.randomness))
        if retry_after is not None:
            self.pause(now, retry_after)

    def pause(self, now: float, seconds: float) -> None:
        self.opens_at = max(self.opens_at, now + seconds)
