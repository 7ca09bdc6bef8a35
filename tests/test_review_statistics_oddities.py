"""What is odd about a board is told by its own code. `tests/review/boards.py` plants the rest."""

import numpy as np
import pytest

import runner
from runner.review.statistics.binomial import binomial_p
from tests.review.boards import board


def codes(votes):
    return [each["code"] for each in runner.compare_votes(votes)["warnings"]]


def test_a_clean_board_is_silent():
    assert codes(board(np.random.default_rng(2), images=24, arms=3)) == []


def test_who_answers_repeated_pairs_otherwise_is_inconsistent():
    votes = [
        (f"i{k:02}", "a", "b", "ab"[(k + turn) % 2], "ann", "ab"[(k // 2) % 2]) for k in range(12) for turn in (0, 1)
    ]
    found = runner.compare_votes(votes)["warnings"]
    assert [each["code"] for each in found] == ["inconsistent"]
    assert found[0]["message"] == "ann said the same again of 0 of 12 pairs that were shown twice"


def test_a_cycle_names_its_arms():
    votes = [
        (f"i{k:02}", a, b, a, "ann", (a, b)[k % 2]) for k in range(12) for a, b in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    (found,) = runner.compare_votes(votes)["warnings"]
    assert found == {"code": "cycle", "message": "a beats b beats c beats a: no order of the arms fits these votes"}


def test_an_even_share_of_few_reviewers_is_no_dominance():
    votes = [(f"i{k:02}", "a", "b", "ab"[k % 2], "ann" if k % 3 else "bob", "ab"[k // 2 % 2]) for k in range(30)]
    assert codes(votes) == []
    assert codes([vote for vote in votes if vote[4] == "ann"] + votes[:6:3]) == ["dominant-reviewer"]


@pytest.mark.parametrize(("won", "number", "p"), [(0, 0, None), (5, 10, 1.0), (0, 6, 2 / 64), (9, 10, 22 / 1024)])
def test_the_binomial_test(won, number, p):
    assert binomial_p(won, number) == (None if p is None else pytest.approx(p))


def test_the_binomial_test_of_many_votes():
    assert binomial_p(10_000, 20_000) == 1.0
    assert 0 < binomial_p(9_800, 20_000) < 0.01
