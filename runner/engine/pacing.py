"""How fast to go: how many requests at once, when to ask, when to pause."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
# So many calls in a row without a usable answer, and calling goes on one at a time.
_STORM = 5
_FIRST_POLL = 1.0
_LONGEST_POLL = 10.0


def backoff(tries: int, randomness: random.Random) -> float:
    """Seconds to pause after this many tries in vain: exponential with full jitter
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)."""
    return randomness.uniform(0.0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries, 10)))


def next_poll(age: float) -> float:
    """Seconds until a request that was accepted `age` seconds ago is worth asking for: a tenth of its age."""
    return min(max(age / 10.0, _FIRST_POLL), _LONGEST_POLL)


@dataclass(slots=True)
class Window:
    """How many requests may be unfinished at the service: halved by a 429, then grown by one a window's worth of
    acceptances (additive increase, multiplicative decrease)."""

    most: int
    size: float = field(init=False)
    _lowered_at: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.size = float(self.most)

    def accepted(self) -> None:
        self.size = min(float(self.most), self.size + 1.0 / self.size)

    def refused(self, now: float, since: float) -> None:
        """A 429 to a POST sent at `since`. Those sent before the last decrease tell nothing new."""
        if since >= self._lowered_at:
            self.size = max(1.0, self.size / 2.0)
            self._lowered_at = now


@dataclass(slots=True)
class Gate:
    """When calls may be made. A storm of failures shuts it; then one call at a time probes, until one is answered."""

    randomness: random.Random
    opens_at: float = float("-inf")
    failures: int = 0
    # Since when no call has been answered; None after an answer.
    silent_since: float | None = None

    @property
    def is_stormy(self) -> bool:
        return self.failures >= _STORM

    def may_call(self, now: float, calls: int) -> bool:
        """Whether another call may start, with this many under way."""
        return now >= self.opens_at and (not self.is_stormy or calls == 0)

    def answered(self) -> None:
        self.failures = 0
        self.silent_since = None

    def failed(self, now: float) -> None:
        self.failures += 1
        self.silent_since = now if self.silent_since is None else self.silent_since
        if self.is_stormy:
            self.pause(now, backoff(self.failures - _STORM + 1, self.randomness))

    def pause(self, now: float, seconds: float) -> None:
        self.opens_at = max(self.opens_at, now + seconds)
