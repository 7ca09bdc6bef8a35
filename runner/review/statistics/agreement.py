"""Whether reviewers agree: with each other (Krippendorff's alpha, nominal), and with themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runner.review.statistics.board import ArmAnswer, Board, Codes, Numbers

_DRAWS = 1000
_ANSWERS = len(ArmAnswer)


@dataclass(frozen=True, slots=True)
class AlphaEstimate:
    """Krippendorff's alpha with its interval of 95 %; None where it cannot be taken."""

    alpha: float | None = None
    low: float | None = None
    high: float | None = None


def answers_of(board: Board) -> Codes:
    """A row a reviewer, a column an item: the reviewer's answer; -1 for none, or where two of theirs differ."""
    table = np.full((len(board.reviewers), len(board.items)), -1)
    differs = np.zeros(table.shape, dtype=bool)
    order = np.lexsort((board.answer, board.item, board.reviewer))
    by, item, answer = board.reviewer[order], board.item[order], board.answer[order]
    table[by, item] = answer
    differs[by[table[by, item] != answer], item[table[by, item] != answer]] = True
    table[differs] = -1
    return table


def agreement(board: Board, seed: int) -> AlphaEstimate:
    """Alpha over all items that two reviewers or more answered; the interval by drawing units anew."""
    counts = _counts(answers_of(board))
    unit = np.zeros(len(board.items), dtype=np.int64)
    unit[board.item] = board.unit
    told = counts.sum(axis=1) >= 2
    if not told.any():
        return AlphaEstimate()
    observed, totals = _of_units(counts[told].astype(float), unit[told])
    alpha = _alpha(observed.sum(axis=0), totals.sum(axis=0))
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(len(observed), np.full(len(observed), 1 / len(observed)), _DRAWS)
    drawn = _alpha(weights @ observed, weights @ totals)
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(alpha):
        return AlphaEstimate()
    if len(observed) < 2 or not len(drawn):
        return AlphaEstimate(float(alpha))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return AlphaEstimate(float(alpha), float(min(low, alpha)), float(max(high, alpha)))


def _counts(answers: Codes) -> Codes:
    """A row an item: how many reviewers gave each answer."""
    counts: Codes = (answers[:, :, None] == np.arange(_ANSWERS)).sum(axis=0)
    return counts


def _of_units(counts: Numbers, unit: Codes) -> tuple[Numbers, Numbers]:
    """For each unit: the disagreement within its items, and how often each answer was given."""
    number = counts.sum(axis=1)
    apart = (number**2 - (counts**2).sum(axis=1)) / (number - 1)
    present, place = np.unique(unit, return_inverse=True)
    totals = np.zeros((len(present), _ANSWERS))
    np.add.at(totals, place, counts)
    observed: Numbers = np.bincount(place, apart, len(present)).astype(float)
    return observed, totals


def _alpha(observed: Numbers, totals: Numbers) -> Numbers:
    """NaN where all gave one answer: then nothing tells agreement from habit."""
    number = totals.sum(axis=-1)
    expected = (number**2 - (totals**2).sum(axis=-1)) / np.maximum(number - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - observed / expected, np.nan)
