"""Strengths of arms."""

import numpy as np
import pytest

import runner
from runner.review.statistics.board import board_of
from runner.review.statistics.intervals import student_t
from runner.review.statistics.strengths import arm_distribution, strengths


def test_six_to_nothing_is_finite_and_ordered():
    best, other = runner.compare_votes([(f"i{k}", "a", "b", "a", "ann", "ab"[k % 2]) for k in range(6)])["arms"]
    assert best["low"] < best["strength"] < best["high"]
    assert best["strength"] == pytest.approx(-other["strength"])
    assert 0.5 < best["best"] < 1


def test_a_side_that_wins_is_not_the_arms_strength():
    """The arm a was on the left in nine of ten votes, and left always wins."""
    votes = [(f"i{k}", "a", "b", "left", "ann", "b" if k % 10 == 0 else "a") for k in range(200)]
    fitted = strengths(board_of(votes), 0)
    assert abs(fitted.strength[0]) < 0.6 < fitted.side


def test_an_arm_without_votes_is_of_mean_strength_and_nearly_anything():
    fitted = strengths(board_of([(f"i{k}", "a", "b", "a", "ann", None) for k in range(30)], ["a", "b", "c"]), 0)
    assert fitted.strength[2] == pytest.approx(0)
    assert fitted.high[2] - fitted.low[2] > 4
    assert fitted.best[2] > fitted.best[1]


def test_the_chance_of_being_best_is_repeated_by_its_seed():
    board = board_of([("i", "a", "b", "a", "ann", None), ("j", "a", "b", "b", "ann", None)])
    one, again, other = (strengths(board, seed).best.tolist() for seed in (1, 1, 2))
    assert one == again != other
    assert sum(one) == pytest.approx(1)


def test_differences_are_what_varies():
    _, covariance = arm_distribution(board_of([("i", "a", "b", "a", "ann", None)]))
    assert np.allclose(covariance.sum(), 0, atol=1e-9)


@pytest.mark.parametrize(("degrees", "quantile"), [(1, 12.706), (4, 2.776), (5, 2.571), (11, 2.201), (47, 2.012)])
def test_quantiles_of_students_t(degrees, quantile):
    assert student_t(np.array([degrees]))[0] == pytest.approx(quantile, abs=4e-3)
