"""How long requests of one kind are worked on, learned from what is seen of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

_FINENESS = 2.0**0.5
# Classes of age, in seconds: from 50 ms to two and a half hours, and all beyond.
_EDGES = (0.0, *(0.05 * _FINENESS**step for step in range(36)), float("inf"))
_CLASSES = tuple(pairwise(_EDGES))
_MIDDLES = tuple(low + (min(high, 2.0 * low) - low) / 2.0 if low else high / 2.0 for low, high in _CLASSES)
# How many ends in each class of age what is presumed counts as much as.
_PRIOR = 0.2
# After so many further ends an observation counts half: a service that changes its pace is followed.
_HALF_LIFE = 100.0
_KEPT = 0.5 ** (1.0 / _HALF_LIFE)


class Lifetimes:
    """A life table: of the requests that reach an age (in seconds), how many end there a second. This is the hazard.

    In each class of ages it is the number of ends over the exposure, the seconds that requests were seen to spend
    there: the estimate that is sound where many are still unfinished. What is presumed before adds to both, as a Gamma
    prior does: a hazard of one over the age, so that all scales of time are alike, and where a mean is known already,
    less at ages below it. An end is known to lie between two answers, and is spread evenly over the time between.
    """

    def __init__(self) -> None:
        self._ends = [0.0] * len(_CLASSES)
        self._exposures = [0.0] * len(_CLASSES)
        self._asked = [0.0] * len(_CLASSES)
        self._weight = 0.0
        self._sum = 0.0

    @property
    def mean(self) -> float | None:
        """The mean age at the end; None before the first."""
        return self._sum / self._weight if self._weight else None

    def went_on(self, since: float, until: float) -> None:
        """A request was unfinished from one age to another."""
        for index, low, high in _parts(since, until):
            self._exposures[index] += high - low

    def ask(self, since: float, until: float) -> None:
        """Such a request is asked for: until the answer it is presumed to have gone on. Otherwise all of one age would
        be asked for at once, and none would learn from the others."""
        for index, low, high in _parts(since, until):
            self._asked[index] += high - low

    def hear(self, since: float, until: float) -> None:
        """The answer is there: what was presumed is taken back."""
        for index, low, high in _parts(since, until):
            self._asked[index] -= high - low

    def ended(self, since: float, until: float) -> None:
        """A request that was unfinished at one age had ended at another."""
        self._forget()
        self._weight += 1.0
        self._sum += (since + until) / 2.0
        if until <= since:
            self._ends[bisect_right(_EDGES, since) - 1] += 1.0
            return
        for index, low, high in _parts(since, until):
            share = (high - low) / (until - since)
            self._ends[index] += share
            # It was there for as long as it had not ended, which falls evenly.
            self._exposures[index] += share * (until - (low + high) / 2.0)

    def _forget(self) -> None:
        self._ends = [_KEPT * each for each in self._ends]
        self._exposures = [_KEPT * each for each in self._exposures]
        self._weight *= _KEPT
        self._sum *= _KEPT

    def hazards(self, age: float) -> Iterator[tuple[float, float]]:
        """The hazard from this age on, in steps: up to which age it holds, and what it is, in ends a second."""
        mean = self.mean
        for index in range(bisect_right(_EDGES, age) - 1, len(_CLASSES)):
            ends, exposure = self._ends[index], self._exposures[index] + self._asked[index]
            yield _EDGES[index + 1], (_PRIOR + ends) / (_PRIOR / _presumed(_MIDDLES[index], mean) + exposure)


def _presumed(age: float, mean: float | None) -> float:
    """The hazard at an age at which nothing was seen."""
    return (1.0 if mean is None or age >= mean else (age / mean) ** 3) / age


def _parts(since: float, until: float) -> Iterator[tuple[int, float, float]]:
    """A stretch of ages by the classes that it lies in."""
    for index in range(bisect_right(_EDGES, since) - 1, len(_CLASSES)):
        low, high = _CLASSES[index]
        if low >= until:
            return
        yield index, max(low, since), min(high, until)
