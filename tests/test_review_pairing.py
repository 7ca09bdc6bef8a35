"""Which pair is shown next: over whole sessions, what was shown how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review.pairing import APART, Contender, Pool, Showing, next_pair
from runner.verdicts.verdict import Winner
from runner.verdicts.votes import Vote


def sweep(images: int, prompts: int, surfaces: int, takes: int) -> list[Contender]:
    cells = product(range(images), range(prompts), range(surfaces), range(takes))
    return [
        Contender(f"{image}-{prompt}-{surface}-{take}", f"i{image}", (("prompt", f"p{prompt}"), ("s", f"s{surface}")))
        for image, prompt, surface, take in cells
    ]


def vote(shown: Showing, by: str) -> Vote:
    return Vote(shown.left, shown.right, Winner.TIE, by, "", "better")


def session(pool: Pool, count: int, reviewers: Sequence[str] = ("ann",), seed: int = 0) -> list[Vote]:
    """The votes of a session in which reviewers take turns, until all is judged."""
    votes: list[Vote] = []
    random = Random(seed)
    for number in range(count):
        by = reviewers[number % len(reviewers)]
        shown = next_pair(pool, votes, by, random)
        if shown is None:
            break
        votes.append(vote(shown, by))
    return votes


def crossed(pool: Pool, votes: Sequence[Vote]) -> list[Vote]:
    return [each for each in votes if pool.are_rivals(Showing(each.left, each.right))]


shapes = st.tuples(st.integers(1, 4), st.integers(2, 4), st.integers(1, 3), st.integers(1, 3))


@given(shapes, st.integers(0, 1000))
def test_clips_of_one_image_differ_in_one_thing_or_in_the_take(shape: tuple[int, int, int, int], seed: int) -> None:
    pool = Pool(sweep(*shape))
    for each in session(pool, 40, seed=seed):
        (image, cell), (other, its_cell) = pool.places[each.left], pool.places[each.right]
        assert image == other
        assert each.left != each.right
        assert sum(a != b for a, b in zip(cell, its_cell, strict=True)) <= 1


@given(shapes, st.integers(0, 1000))
def test_cells_and_images_are_judged_equally_often(shape: tuple[int, int, int, int], seed: int) -> None:
    pool = Pool(sweep(*shape))
    most = sum(len(pairs) for pairs in pool.rivals.values())
    # As long as no image is through: then the others alone are left.
    votes = crossed(pool, session(pool, most * 2 // 3, ("ann", "bob"), seed))
    once = {(each.by, frozenset((each.left, each.right))): each for each in votes}.values()
    cells = Counter(dict.fromkeys(pool.takes, 0))
    cells.update(pool.places[job] for each in once for job in (each.left, each.right))
    images = Counter(dict.fromkeys(pool.rivals, 0))
    images.update(pool.places[each.left][0] for each in once)
    assert max(images.values()) - min(images.values()) <= 1
    for image in pool.rivals:
        counts = [count for place, count in cells.items() if place[0] == image]
        assert max(counts) - min(counts) <= 2


@given(shapes, st.integers(0, 1000))
def test_every_pair_is_shown_once_before_all_is_judged(shape: tuple[int, int, int, int], seed: int) -> None:
    pool = Pool(sweep(*shape)[:14])
    votes = session(pool, 1000, seed=seed)
    often = Counter(frozenset((each.left, each.right)) for each in votes)
    assert len(often) == pool.size
    assert max(often.values(), default=0) <= 2


def test_one_in_ten_is_of_one_cell_and_one_in_fifteen_comes_again_swapped() -> None:
    pool = Pool(sweep(5, 3, 2, 3))
    votes = session(pool, 300, seed=3)
    twins = sum(pool.are_twins(Showing(each.left, each.right)) for each in votes)
    seen: dict[frozenset[str], tuple[int, Vote]] = {}
    again = 0
    for number, each in enumerate(votes):
        jobs = frozenset((each.left, each.right))
        if jobs in seen:
            before, first = seen.pop(jobs)
            again += 1
            assert (each.left, each.right) == (first.right, first.left)
            assert number - before > APART
        else:
            seen[jobs] = (number, each)
    # Three standard deviations of 300 draws.
    assert abs(twins - 30) <= 16
    assert abs(again - 20) <= 13


def test_arms_are_on_either_side_equally_often() -> None:
    pool = Pool(sweep(5, 2, 1, 4))
    votes = crossed(pool, session(pool, 60, seed=1))
    left = sum(dict(pool.places[each.left][1])["prompt"] == "p0" for each in votes)
    tail = sum(comb(len(votes), k) for k in range(min(left, len(votes) - left) + 1)) / 2 ** len(votes)
    assert 2 * tail > 0.5


def test_what_others_judged_is_left_for_later() -> None:
    """Two reviewers with half of the time each judge what one with all of it would: no pair is judged by both."""
    pool = Pool(sweep(4, 3, 1, 2))
    votes = [
        each for each in session(pool, 12, ("ann", "bob"), seed=5) if pool.are_rivals(Showing(each.left, each.right))
    ]
    pairs = Counter(frozenset(pool.places[job] for job in (each.left, each.right)) for each in votes)
    assert max(pairs.values()) == 1
    assert {each.by for each in votes} == {"ann", "bob"}


def test_the_same_seed_gives_the_same_order() -> None:
    pool = Pool(sweep(3, 3, 2, 2))
    assert session(pool, 30, seed=8) == session(pool, 30, seed=8)
    assert session(pool, 30, seed=8) != session(pool, 30, seed=9)


def test_where_no_cells_differ_in_one_thing_those_are_compared_that_differ_least() -> None:
    cells = [
        (("prompt", "a"), ("s", "1"), ("t", "x")),
        (("prompt", "b"), ("s", "2"), ("t", "x")),
        (("prompt", "c"), ("s", "3"), ("t", "y")),
    ]
    pool = Pool(Contender(str(number), "shoe", cell) for number, cell in enumerate(cells))
    assert list(pool.rivals["shoe"].values()) == ["prompt,s"]
    assert next_pair(pool, (), "ann", Random(1)) is not None


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare(count: int) -> None:
    pool = Pool(sweep(1, 1, 1, count))
    assert pool.size == 0
    assert next_pair(pool, (), "ann", Random(1)) is None


def test_votes_on_clips_that_are_gone_count_for_nothing() -> None:
    pool = Pool(sweep(1, 2, 1, 1))
    gone = [vote(Showing("gone", "0-0-0-0"), "ann"), vote(Showing("gone", "away"), "bob")]
    assert next_pair(pool, gone, "ann", Random(1)) is not None


def test_ten_thousand_clips_are_dealt_at_once() -> None:
    pool = Pool(sweep(100, 10, 5, 2))
    votes = session(pool, 20, seed=2)
    assert len({pool.places[each.left][0] for each in votes if pool.are_rivals(Showing(each.left, each.right))}) > 10


def in_order(shown: Showing, pool: Pool, by: str) -> Vote:
    """The vote of somebody who likes the arm with the lower number better."""
    left, right = (pool.arm_of(pool.places[job][1]) for job in (shown.left, shown.right))
    winner = Winner.TIE if left == right else Winner.LEFT if left < right else Winner.RIGHT
    return Vote(shown.left, shown.right, winner, by, "", "better")


@pytest.mark.parametrize(("arms", "least", "most"), [(8, 0.6, 1.0), (4, 0.3, 0.7)])
def test_of_many_arms_those_that_may_be_the_best_are_compared_first(arms: int, least: float, most: float) -> None:
    pool, random = Pool(sweep(24, arms, 1, 1)), Random(3)
    votes: list[Vote] = []
    for _ in range(110):
        shown = next_pair(pool, votes, "ann", random)
        assert shown is not None
        votes.append(in_order(shown, pool, "ann"))
    late = crossed(pool, votes)[-40:]
    best = [each for each in late if "p0" in str(pool.places[each.left]) + str(pool.places[each.right])]
    assert least <= len(best) / len(late) <= most
