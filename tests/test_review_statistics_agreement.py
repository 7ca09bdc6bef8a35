"""Krippendorff's alpha, and answers that differ."""

import pytest

from runner.review.statistics.agreement import agreement, answers_of
from runner.review.statistics.board import board_of

# The worked example of Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), part C: nominal data, four
# observers, missing values. Its values 1 to 4 are our four answers; the fifth value, which occurs thrice, is left out.
OBSERVERS = {
    "a": "1 2 3 3 2 1 4 1 2 . . .",
    "b": "1 2 3 3 2 2 4 1 2 5 . 3",
    "c": ". 3 3 3 2 3 4 2 2 5 1 .",
    "d": "1 2 3 3 2 4 4 1 2 5 1 .",
}
ANSWERS = {"1": "x", "2": "y", "3": "tie", "4": "both-bad"}


def votes():
    for by, line in OBSERVERS.items():
        for item, value in enumerate(line.split()):
            if value in ANSWERS:
                yield (f"i{item:02}", "x", "y", ANSWERS[value], by, None)


def test_alpha_is_that_of_another_program():
    found = agreement(board_of(votes()), 0)
    # As the package krippendorff 0.9 finds.
    assert found.alpha == pytest.approx(0.710262, abs=1e-6)
    assert found.low < found.alpha < found.high


def test_who_says_two_things_of_one_pair_says_nothing_of_it():
    board = board_of(
        [("i", "x", "y", "x", "a", None), ("i", "x", "y", "y", "a", None), ("j", "x", "y", "y", "a", None)]
    )
    assert answers_of(board).tolist() == [[-1, 1]]


def test_without_two_reviewers_or_two_answers_there_is_no_alpha():
    assert agreement(board_of([("i", "x", "y", "x", "a", None)]), 0).alpha is None
    assert agreement(board_of([("i", "x", "y", "x", by, None) for by in "ab"]), 0).alpha is None
    assert agreement(board_of([]), 0).alpha is None


def test_the_interval_is_the_same_again():
    assert agreement(board_of(votes()), 3) == agreement(board_of(votes()), 3)
