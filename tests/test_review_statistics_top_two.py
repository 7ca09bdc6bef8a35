"""The next pair of many arms."""

from collections import Counter

import numpy as np

from runner.review.statistics.top_two import top_two

ARMS = [f"arm-{k}" for k in range(8)]


def test_without_votes_any_two_arms_may_be_next():
    found = Counter(frozenset(top_two([], ARMS, seed)) for seed in range(60))
    assert len(found) > 15
    assert all(len(pair) == 2 for pair in found)


def test_who_may_be_the_best_is_asked_about():
    """Two arms won all their votes, the others lost theirs."""
    votes = [
        (f"i{k}", ARMS[best], ARMS[other], ARMS[best], "ann", None)
        for k in range(6)
        for best in (0, 1)
        for other in range(2, 8)
    ]
    found = Counter(frozenset(top_two(votes, ARMS, seed)) for seed in range(40))
    assert found[frozenset(ARMS[:2])] > 30


def test_the_same_seed_gives_the_same_pair():
    votes = [("i", ARMS[0], ARMS[1], ARMS[0], "ann", None)]
    assert top_two(votes, ARMS, 7) == top_two(votes, ARMS, np.random.default_rng(7))


def test_of_two_arms_both_are_next():
    assert {*top_two([], ["a", "b"], 1)} == {"a", "b"}
    sure = [(f"i{k}", "a", "b", "a", "ann", None) for k in range(500)]
    assert top_two(sure, ["a", "b"], 1) == ("a", "b")
