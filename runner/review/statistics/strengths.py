"""How strong each arm is: Bradley and Terry's model with a ridge, and a term for the side of the screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runner.review.statistics.board import Board, Codes, Numbers
from runner.review.statistics.intervals import (
    ALIKE_IN_REVIEWER,
    ALIKE_IN_UNIT,
    NORMAL,
    PRIOR_SD,
    student_t,
)

RIDGE = PRIOR_SD**-2
_STEPS = 50
_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class ArmStrengths:
    """The log-odds of each arm, of mean 0, with the ends of their intervals, and the chance that it is the best.

    `side` are the log-odds that the left side adds.
    """

    strength: Numbers
    low: Numbers
    high: Numbers
    best: Numbers
    side: float


def fit(board: Board, ridge: float = RIDGE) -> tuple[Numbers, Numbers]:
    """The log-odds of the arms and, last, of the left side; the curvature at them, with the ridge."""
    of_kind = board.pair * 3 + board.on_left + 1
    _, first, of_vote, number = np.unique(of_kind, return_index=True, return_inverse=True, return_counts=True)
    design = _design(board, first)
    won = np.bincount(of_vote, board.score, len(number))
    weak = ridge * np.eye(design.shape[1])
    found, curvature = np.zeros(design.shape[1]), weak
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-design @ found))
        curvature = (design * (number * chance * (1 - chance))[:, None]).T @ design + weak
        step = np.linalg.solve(curvature, design.T @ (won - number * chance) - ridge * found)
        # A bounded step does not leap over the top of a curve that is steep on one side.
        found = found + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return found, curvature


def _design(board: Board, votes: Codes) -> Numbers:
    """A row a vote: 1 for its first arm, -1 for its second, and what side the first was on."""
    design = np.zeros((len(votes), len(board.arms) + 1))
    rows = np.arange(len(votes))
    design[rows, board.a[votes]], design[rows, board.b[votes]] = 1, -1
    design[:, -1] = board.on_left[votes]
    return design


def strengths(board: Board, seed: int) -> ArmStrengths:
    """The strengths of all arms. An arm without votes is of mean strength, and nearly anything."""
    strength, covariance, side = _fitted(board)
    wide = NORMAL * np.sqrt(np.diag(covariance))
    best = _best(strength, covariance, seed)
    return ArmStrengths(strength, strength - wide, strength + wide, best, side)


def arm_distribution(board: Board) -> tuple[Numbers, Numbers]:
    """What the strengths may be: the means and the covariances of a normal distribution."""
    strength, covariance, _ = _fitted(board)
    return strength, covariance


def _fitted(board: Board) -> tuple[Numbers, Numbers, float]:
    """The strengths, their covariances, and the log-odds that the left side adds. The variances are the greater ones of
    two: what the model says of votes that are a bit alike, and the spread of the units."""
    found, curvature = fit(board)
    arms = len(board.arms)
    # Only differences of arms are known: what all have in common is taken out.
    apart = np.eye(arms, arms + 1) - np.append(np.full(arms, 1 / max(1, arms)), 0)
    inverse = np.linalg.inv(curvature)
    model = apart @ inverse @ apart.T
    own = np.maximum(np.diag(model), 1e-12)
    wide = np.maximum(np.sqrt(own * _likeness(board)), _spread_of_units(board, found, apart @ inverse) / NORMAL)
    scale = wide / np.sqrt(own)
    return found[:arms], model * np.outer(scale, scale), float(found[-1])


def _likeness(board: Board) -> Numbers:
    """By how much the votes of one unit, and of one reviewer, tell less about an arm than as many of others would."""
    arms = len(board.arms)
    factor = np.ones(arms)
    for who, alike in ((board.unit, ALIKE_IN_UNIT), (board.reviewer, ALIKE_IN_REVIEWER)):
        groups = int(who.max()) + 1 if len(who) else 1
        size = sum(np.bincount(arm * groups + who, minlength=arms * groups) for arm in (board.a, board.b))
        table = np.asarray(size, dtype=float).reshape(arms, groups)
        factor += alike * np.maximum((table**2).sum(axis=1) / np.maximum(table.sum(axis=1), 1) - 1, 0)
    return factor


def _spread_of_units(board: Board, found: Numbers, turn: Numbers) -> Numbers:
    """Half of the interval from the spread of what the units pull: the sandwich, with t."""
    side = found[-1] * board.on_left
    pull = board.score - 1 / (1 + np.exp(found[board.b] - found[board.a] - side))
    size = len(found)
    flat = np.zeros(len(board.units) * size)
    for column, sign in ((board.a, 1), (board.b, -1), (size - 1, board.on_left)):
        flat += np.bincount(board.unit * size + column, sign * pull, len(flat))
    sums = flat.reshape(-1, size)
    seen = np.zeros((len(board.units), len(board.arms)), dtype=bool)
    seen[board.unit, board.a] = seen[board.unit, board.b] = True
    number = seen.sum(axis=0)
    variance = ((sums @ turn.T) ** 2).sum(axis=0) * number / np.maximum(number - 1, 1)
    wide: Numbers = np.where(number > 1, student_t(number - 1), 0) * np.sqrt(variance)
    return wide


def _best(strength: Numbers, covariance: Numbers, seed: int) -> Numbers:
    """How often each arm is the best, in draws that anybody can repeat."""
    if not len(strength):
        return strength
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn = strength + np.random.default_rng(seed).standard_normal((_DRAWS, len(strength))) @ root.T
    return np.bincount(drawn.argmax(axis=1), minlength=len(strength)) / _DRAWS
