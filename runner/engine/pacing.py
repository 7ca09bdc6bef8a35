"""How fast to go: how many requests at once, when to ask, when to pause."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from runner.engine.lifetimes import Lifetimes

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
# So many calls in a row without a usable answer, and calling goes on one at a time.
_STORM = 5
# What a poll is worth: a lag of so large a share of what a request takes, and of so many seconds at least.
_PRICE = 0.01
_LEAST_PRICE = 0.1


def backoff(tries: int, randomness: random.Random) -> float:
    """Seconds to pause after this many tries in vain: exponential with full jitter
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)."""
    return randomness.uniform(0.0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(tries, 10)))


def next_poll(lifetimes: Lifetimes, age: float, dearness: float = 1.0) -> float:
    """The age (in seconds) at which a request that is unfinished at `age` is worth asking for again.

    A poll has a price, and so has every second from an end until it is seen. Where the hazard is h and a poll is worth
    p seconds, sqrt(h / 2p) polls a second cost least, and the next one is due when the integral of this reaches one
    (J. B. Keller, Optimum checking schedules for systems subject to random failure, Management Science 21 (3), 1974,
    https://doi.org/10.1287/mnsc.21.3.256). p is a share of what such requests take, so that all scales of time are
    alike, but no less than what a call is worth in any case. It is divided by `dearness`: how many times as much as
    usual a second of lag counts.
    """
    polls, at = 0.0, age
    for until, hazard in lifetimes.hazards(age):
        price = max(_LEAST_PRICE, _PRICE * (lifetimes.mean or at)) / dearness
        density = math.sqrt(hazard / (2.0 * price))
        step = (1.0 - polls) / density
        if at + step <= until:
            return at + step
        polls += density * (until - at)
        at = until
    raise AssertionError("the last step of the hazards has no end")


@dataclass(slots=True)
class Window:
    """How many requests may be unfinished at the service, or how many polls a second are made: halved where the
    service pushes back, then grown by one for as many answers as it is wide (additive increase, multiplicative
    decrease). It starts at the most: the place of a job in the service's queue costs nobody anything.
    """

    most: int
    size: float = field(init=False)
    _lowered_at: float = field(default=float("-inf"), init=False)
    _round: float = field(default=float("-inf"), init=False)
    _wait: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.size = float(self.most)

    def accepted(self) -> None:
        self.size = min(float(self.most), self.size + 1.0 / self.size)

    def refused(self, now: float, since: float) -> None:
        """A 429 to a call made at `since`. Those made before the last decrease tell nothing new."""
        if since >= self._lowered_at:
            self.size = max(1.0, self.size / 2.0)
            self._lowered_at = now

    def waited(self, now: float, since: float, wait: float, work: float) -> None:
        """A job that was accepted at `since` has waited so long until it was worked on, which takes about `work`.

        One a round is compared with the one of the round before: a wait that has doubled and is longer than the work
        itself is a queue that grows, and counts as a refusal.
        """
        if since < self._round:
            return
        if self._wait is not None and wait > 2.0 * max(self._wait, work):
            self.refused(now, since)
        self._wait, self._round = wait, now


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
