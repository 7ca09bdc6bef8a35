"""Votes become a board: whoever names the arms first, and in whatever order."""

import numpy as np
import pytest

import runner
from runner.errors import UsageError
from runner.review.statistics.board import ArmAnswer, board_of


def test_a_vote_is_seen_from_the_arm_that_comes_first():
    board = board_of(
        [("i", "b", "a", "b", "ann", "b"), ("i", "a", "b", "right", "ann", "a"), ("i", "a", "b", "tie", "bob", None)]
    )
    assert (board.arms, board.reviewers) == (("a", "b"), ("ann", "bob"))
    assert board.answer.tolist() == [ArmAnswer.SECOND, ArmAnswer.SECOND, ArmAnswer.TIE]
    assert board.on_left.tolist() == [-1, 1, 0]


def test_arms_are_in_the_order_given():
    board = board_of([("i", "a", "b", "a", "ann", "a")], ["c", "b", "a"])
    assert (board.pairs, board.pair.tolist()) == ([(0, 1), (0, 2), (1, 2)], [2])
    assert (board.answer.tolist(), board.on_left.tolist()) == ([ArmAnswer.SECOND], [-1])


def test_an_image_counts_once_however_many_votes_it_has():
    votes = [("i", "a", "b", "a", "ann", "a")] * 9 + [
        ("i", "a", "b", "b", "ann", "a"),
        ("j", "a", "b", "both-bad", "bob", "b"),
    ]
    units = board_of(votes).unit_scores()
    assert (units.score.tolist(), units.votes.tolist()) == ([0.9, 0.5], [10, 1])
    assert runner.compare_votes(votes)["pairs"][0]["share"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("vote", "words"),
    [
        (("i", "a", "b", "a"), "is no vote"),
        (("i", "a", "a", "a", "ann", None), "is no vote"),
        ((1, "a", "b", "a", "ann", None), "is no vote"),
        (("i", "a", "b", "c", "ann", None), "no winner 'c'"),
        (("i", "a", "b", "left", "ann", None), "no winner 'left'"),
        (("i", "a", "b", None, "ann", None), "no winner None"),
        (("i", "a", "b", "a", "ann", "c"), "left is 'c'"),
    ],
)
def test_what_is_no_vote_is_an_error(vote, words):
    with pytest.raises(UsageError, match=words):
        runner.compare_votes([vote])


@pytest.mark.parametrize("margin", [0, -1, 51, float("nan")])
def test_a_margin_has_bounds(margin):
    with pytest.raises(UsageError, match="margin"):
        runner.compare_votes([], margin=margin)


def test_an_arm_may_have_any_name():
    found = runner.compare_votes([("i", "tie", "left", "tie", "ann", "left")])
    assert [(arm["name"], arm["wins"]) for arm in found["arms"]] == [("left", 0), ("tie", 1)]


def test_an_unseen_arm_is_there():
    board = board_of([], ["a", "b"])
    assert (len(board.unit_scores().score), np.isnan(board.score).any()) == (0, False)
