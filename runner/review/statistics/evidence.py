"""Evidence that does not wear out by looking: e-values of pairs of arms, formed per unit.

A bet on a pair multiplies its capital, for each unit, by 1 + bet x (2 x score - 1), where the score, the share of the
first arm in the unit's votes, has the mean 1/2 under the null however many votes a unit has and however alike they are;
units are drawn by themselves, so at any one look the capital has the mean 1, and so has its mean over all bets.
While new units come in, the capital is a martingale, and exceeds c at any look with a chance of at most 1/c (Ville);
while further votes come in on the same units, it is one when time is read backwards, since the votes of a unit are
exchangeable, and the same bound holds. So half of the 5 % goes to each direction: the bar is at 2/5 %, not 1/5 %.
Where both come in mixed, `python -m tests.review.trial false` counts how often a winner is named that is none.
"""

from __future__ import annotations

import numpy as np

from runner.review.statistics.bars import ALPHA, BETS, DIRECTIONS, bar
from runner.review.statistics.board import Codes, Flags, Numbers, UnitScores

_BETS = np.array(BETS)
MOST_MORE = 1000


def capital(units: UnitScores, null: float, *, up: bool) -> Numbers:
    """The logarithm of the capital of each bet, for each pair that has votes, that the first arm's share is above
    (`up`) or below the null."""
    if not len(units.score):
        return np.zeros((0, len(_BETS)))
    capitals: Numbers = np.add.reduceat(_won(units.score, null, up=up), units.starts, axis=0)
    return capitals


def _won(scores: Numbers, null: float, *, up: bool) -> Numbers:
    # Scores are shares of few votes: many are equal.
    distinct, which = np.unique(scores, return_inverse=True)
    away = (distinct - null) / null if up else (null - distinct) / (1 - null)
    logs: Numbers = np.log1p(away[:, None] * _BETS)[which]
    return logs


def spread(logs: Numbers) -> Numbers:
    """The logarithm of the mean capital of all bets."""
    most = logs.max(axis=-1)
    mean: Numbers = most + np.log(np.exp(logs - most[..., None]).mean(axis=-1))
    return mean


def _of_difference(up: Numbers, down: Numbers) -> Numbers:
    both: Numbers = np.logaddexp(spread(up), spread(down)) - np.log(2 * DIRECTIONS)
    return both


def _of_likeness(above_low: Numbers, below_high: Numbers) -> Numbers:
    lesser: Numbers = np.minimum(spread(above_low), spread(below_high)) - np.log(DIRECTIONS)
    return lesser


def evidence_of_difference(units: UnitScores) -> Numbers:
    """The logarithm of the e-value, for each pair with votes, against both arms being equally liked."""
    return _of_difference(capital(units, 0.5, up=True), capital(units, 0.5, up=False))


def evidence_of_likeness(units: UnitScores, margin: float) -> Numbers:
    """The logarithm of the e-value, for each pair with votes, against a share beyond 0.5 +- margin. It is above the bar
    exactly where the confidence sequence of the share lies within."""
    return _of_likeness(capital(units, 0.5 - margin, up=True), capital(units, 0.5 + margin, up=False))


def by_holm(evidence: Numbers, pairs: int) -> Flags:
    """Which of the e-values count, so that with a chance of 5 % at most any of them counts wrongly. `pairs` is how many
    could: those without votes have the e-value 1."""
    order = np.argsort(-evidence, kind="stable")
    bars = np.log((pairs - np.arange(len(evidence))) / ALPHA)
    counts = np.zeros(len(evidence), dtype=bool)
    counts[order] = np.logical_and.accumulate(evidence[order] >= bars)
    return counts


def more_units(units: UnitScores, margin: float, pairs: int) -> Codes:
    """For each pair with votes, how many more units would decide if they went as those so far; -1 if above 1,000.

    As if one more unit had gone to either arm: what is unanimous so far need not stay so.
    """
    seen = np.bincount(units.pair, minlength=max(pairs, 1))[units.present]
    both = np.array([0.0, 1.0])
    nulls = ((0.5, True), (0.5, False), (0.5 - margin, True), (0.5 + margin, False))
    logs = [capital(units, null, up=up) + _won(both, null, up=up).sum(axis=0) for null, up in nulls]

    def decides(more: Codes) -> Flags:
        times = ((seen + more) / (seen + 2))[:, None]
        up, down, low, high = (each * times for each in logs)
        enough: Flags = np.maximum(_of_difference(up, down), _of_likeness(low, high)) >= bar(pairs)
        return enough

    least, most = np.ones_like(seen), np.full_like(seen, MOST_MORE)
    found = decides(most)
    while (least < most).any():
        middle = (least + most) // 2
        enough = decides(middle)
        most, least = np.where(enough, middle, most), np.where(enough, least, np.minimum(middle + 1, most))
    return np.where(found, most, -1)
