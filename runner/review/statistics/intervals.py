"""Intervals of 95 % for the share that an arm would have among all units, taken when the votes are complete.

They decide no verdict: who looks often will see some that exclude the truth.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from runner.review.statistics.board import Board, Codes, Numbers, UnitScores

NORMAL = NormalDist().inv_cdf(0.975)
# How alike votes are at least taken to be: of one unit, whose log-odds vary with an SD of 1 from unit to unit, and of
# one reviewer, whose vary with 0.3. More than that is seen in the spread of the units.
ALIKE_IN_UNIT, ALIKE_IN_REVIEWER = 0.18, 0.02
# The ridge: before any vote, the log-odds of a share are normal with this SD.
PRIOR_SD = 1.5
_LOG_ODDS = np.linspace(-9, 9, 721)
# By the degrees of freedom; the first is never used.
_EXACT_T = np.array([12.7062, 12.7062, 4.3027, 3.1824, 2.7764])


def student_t(degrees: Codes) -> Numbers:
    """The 97.5 % quantile of Student's t, to three digits: exact where few, else by Fisher's expansion."""
    few = _EXACT_T[np.clip(degrees, 0, len(_EXACT_T) - 1)]
    return np.where(degrees < len(_EXACT_T), few, expanded_t(NORMAL, degrees))


def expanded_t(z: float, degrees: Codes) -> Numbers:
    """The quantile of Student's t where that of the normal distribution is `z`, by Fisher's expansion, good for four
    degrees of freedom and more."""
    n = np.maximum(degrees, 1).astype(float)
    expanded: Numbers = (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )
    return expanded


def shares(units: UnitScores) -> tuple[Numbers, Codes]:
    """The share of the first arm of each pair with votes, and the number of units: a unit counts once."""
    if not len(units.score):
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    number: Codes = units.ends - units.starts
    return np.add.reduceat(units.score, units.starts) / number, number


def share_intervals(board: Board, units: UnitScores) -> tuple[Numbers, Numbers]:
    """From the lower end of two intervals to the upper end: one from the spread of the units, with t, and one from what
    is thought of the share before, which holds where all units went alike."""
    share, number = shares(units)
    if not len(share):
        return share, share
    place = np.repeat(np.arange(len(number)), number)
    deviations = np.bincount(place, (units.score - share[place]) ** 2, len(number))
    wide = np.where(
        number > 1,
        student_t(number - 1) * np.sqrt(deviations / np.maximum(number - 1, 1) / number),
        1.0,
    )
    low, high = ridge_interval(share, worth_of(board, units, number, place))
    return np.clip(np.minimum(low, share - wide), 0, 1), np.clip(np.maximum(high, share + wide), 0, 1)


def worth_of(board: Board, units: UnitScores, number: Codes, place: Codes) -> Numbers:
    """How many independent votes each pair's votes are worth."""
    own = np.bincount(place, (1 - ALIKE_IN_UNIT) / units.votes) / number**2 + ALIKE_IN_UNIT / number
    return 1 / (own + ALIKE_IN_REVIEWER * _concentration(board, units))


def _concentration(board: Board, units: UnitScores) -> Numbers:
    """The chance that two votes of a pair, each of any unit, are one reviewer's."""
    row = np.unique(board.pair * len(board.units) + board.unit, return_inverse=True)[1]
    by = np.searchsorted(units.present, board.pair) * len(board.reviewers) + board.reviewer
    size = len(units.present) * len(board.reviewers)
    weight = np.bincount(by, 1 / units.votes[row], size).reshape(-1, len(board.reviewers))
    chance: Numbers = ((weight / weight.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return chance


def ridge_interval(share: Numbers, worth: Numbers) -> tuple[Numbers, Numbers]:
    """The middle 95 % of what a share can be, after so many independent votes and the ridge."""
    chance = 1 / (1 + np.exp(-_LOG_ODDS))
    log = (
        worth[:, None] * (share[:, None] * np.log(chance) + (1 - share[:, None]) * np.log1p(-chance))
        - (_LOG_ODDS / PRIOR_SD) ** 2 / 2
    )
    below = np.cumsum(np.exp(log - log.max(axis=1, keepdims=True)), axis=1)
    below /= below[:, -1:]
    ends = [(below < level).sum(axis=1).clip(0, len(chance) - 1) for level in (0.025, 0.975)]
    return chance[ends[0]], chance[ends[1]]
