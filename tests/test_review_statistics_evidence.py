"""Evidence of pairs: what it is worth, and when it decides."""

import numpy as np
import pytest

import runner
from runner.review.statistics.bars import ALPHA, BETS
from runner.review.statistics.board import board_of
from runner.review.statistics.evidence import by_holm, evidence_of_difference, evidence_of_likeness
from runner.review.statistics.outlook import fewest_units


def votes(*winners, images=None):
    return [(images or f"image-{k:03}", "a", "b", winner, "ann", "ab"[k % 2]) for k, winner in enumerate(winners)]


def test_evidence_is_the_mean_capital_of_all_bets_halved_for_looking():
    scores = [1.0, 1.0, 0.0, 0.5, 1.0]
    units = board_of(votes("a", "a", "b", "tie", "a")).unit_scores()
    up, down = (np.mean([np.prod([1 + way * bet * (2 * s - 1) for s in scores]) for bet in BETS]) for way in (1, -1))
    assert np.exp(evidence_of_difference(units)) == pytest.approx([(up + down) / 4])


def test_in_the_mean_over_all_outcomes_evidence_is_at_most_one():
    outcomes = [[(number >> k) & 1 for k in range(6)] for number in range(64)]
    found = [evidence_of_difference(board_of(votes(*("ab"[x] for x in each))).unit_scores())[0] for each in outcomes]
    assert np.exp(found).mean() == pytest.approx(0.5)


def test_votes_on_one_image_are_no_evidence_however_many():
    assert runner.compare_votes(votes(*"a" * 200, images="one"))["pairs"][0]["verdict"] == "not-enough"


def test_the_fewest_unanimous_images_name_a_winner():
    least = fewest_units(1)
    verdicts = [runner.compare_votes(votes(*"a" * number))["pairs"][0]["verdict"] for number in (least - 1, least)]
    assert (least, verdicts) == (9, ["not-enough", "better"])
    assert runner.compare_votes(votes(*"b" * 9))["pairs"][0]["verdict"] == "worse"


def test_holm_asks_less_of_the_next_pair():
    bars = [np.log(3 / ALPHA) + 0.1, np.log(2 / ALPHA) + 0.1, np.log(1 / ALPHA) - 0.1]
    assert by_holm(np.array(bars), 3).tolist() == [True, True, False]
    assert by_holm(np.array([bars[1], bars[0] - 0.2]), 3).tolist() == [False, False]
    assert by_holm(np.array([]), 3).tolist() == []


def test_many_even_images_make_no_difference_and_few_do_not_tell():
    even = votes(*(["tie"] * 300))
    units = board_of(even).unit_scores()
    assert evidence_of_likeness(units, 0.05)[0] > np.log(1 / ALPHA)
    assert runner.compare_votes(even)["pairs"][0]["verdict"] == "no-difference"
    split = votes(*("ab" * 40))
    assert runner.compare_votes(split)["pairs"][0]["verdict"] == "not-enough"
    assert runner.compare_votes(split, margin=25)["pairs"][0]["verdict"] == "no-difference"


def test_more_images_are_as_many_as_decide_and_null_where_nothing_is_to_be_told():
    row = runner.compare_votes(votes(*"aaabaa"))["pairs"][0]
    assert row["verdict"] == "not-enough"
    assert 5 <= row["more_images"] <= 60
    # As many more that go as those so far decide.
    more = runner.compare_votes(votes(*("aaabaa" * (1 + row["more_images"] // 6))))["pairs"][0]
    assert (more["verdict"], more["more_images"]) == ("better", None)
    assert runner.compare_votes(votes("a", "b"), margin=0.5)["pairs"][0]["more_images"] is None
