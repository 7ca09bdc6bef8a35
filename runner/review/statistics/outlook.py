"""What votes can find out, before anything is bought: by arithmetic, without simulation, and without numpy."""

from __future__ import annotations

from functools import lru_cache
from math import comb, exp, log, sqrt

from runner.review.statistics.bars import BETS, DIRECTIONS, bar

# How often a preference is to be found that is said to show, as the quantile of the normal distribution: 80 %.
_OFTEN = 0.8416
# The log-odds of a preference vary so from picture to picture.
_SPREAD = 1.0
_NODES = tuple((place - 12) / 4 for place in range(25))
_WEIGHTS = tuple(exp(-(node**2) / 2) for node in _NODES)
# More votes on a unit tell hardly more.
_MOST_VOTES = 12
# Nearest whole percent.
_STEPS = 100


@lru_cache(maxsize=256)
def least_share(units: int, votes: int, pairs: int) -> float | None:
    """The least share among all units that is found in four of five campaigns of so many units, with so many votes on
    each, among so many pairs; None if none is."""
    low, high = _STEPS // 2, _STEPS
    if units < 1 or not _shows(units, votes, pairs, (_STEPS - 0.5) / _STEPS):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _shows(units, votes, pairs, middle / _STEPS) else (middle, high)
    return high / _STEPS


def _shows(units: int, votes: int, pairs: int, share: float) -> bool:
    """Whether four of five campaigns reach the bar. Each bet's capital is nearly normal in its logarithm; what is a bad
    campaign for one bet is so for all."""
    scores = _scores(share, min(votes, _MOST_VOTES))
    capital = [_bad_capital(bet, units, scores) for bet in BETS]
    most = max(capital)
    mean = sum(exp(each - most) for each in capital) / len(capital)
    return most + log(mean / 2 / DIRECTIONS) >= bar(pairs)


def _bad_capital(bet: float, units: int, scores: list[tuple[float, float]]) -> float:
    """The logarithm of the capital of a bet that four of five campaigns exceed."""
    logs = [(log(1 + bet * (2 * score - 1)), chance) for score, chance in scores]
    mean = sum(value * chance for value, chance in logs)
    variance = sum((value - mean) ** 2 * chance for value, chance in logs)
    return units * mean - _OFTEN * sqrt(units * variance)


def _scores(share: float, votes: int) -> list[tuple[float, float]]:
    """What a unit's share can be, each with its chance."""
    centre = _centre(share)
    chances = [1 / (1 + exp(-centre - _SPREAD * node)) for node in _NODES]
    whole = sum(_WEIGHTS)
    return [
        (
            won / votes,
            comb(votes, won)
            * sum(w * p**won * (1 - p) ** (votes - won) for w, p in zip(_WEIGHTS, chances, strict=True))
            / whole,
        )
        for won in range(votes + 1)
    ]


@lru_cache(maxsize=256)
def _centre(share: float) -> float:
    """The log-odds around which those of units are, if this is the share among all."""
    low, high = -12.0, 12.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        mean = sum(w / (1 + exp(-middle - _SPREAD * node)) for w, node in zip(_WEIGHTS, _NODES, strict=True))
        low, high = (middle, high) if mean / sum(_WEIGHTS) < share else (low, middle)
    return low


def fewest_units(pairs: int) -> int:
    """How many units name a winner among so many pairs where all votes are for one arm."""
    number = 1
    while _unanimous(number) < bar(pairs):
        number += 1
    return number


def _unanimous(units: int) -> float:
    capital = sum((1 + bet) ** units + (1 - bet) ** units for bet in BETS) / len(BETS)
    return log(capital / 2 / DIRECTIONS)
