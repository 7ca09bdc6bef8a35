"""Some of the trial of the measures. `python -m tests.measures.trial` tries all, and prints the figures."""

from __future__ import annotations

import pytest

from tests.measures.clips import FAULTS, KINDS
from tests.measures.trial import FIRST, NEAR_WAY, NEAR_ZOOM, WORDS, Case, is_right, move_error, name_of

SIZE, FRAMES = (320, 180), 60
# Each kind clean, and each fault in a clip of one kind. In the order of the kinds: a clip is made once.
CASES = sorted([*((kind, "") for kind in KINDS), *((list(KINDS)[len(fault) % 4], fault) for fault in (*FAULTS, FIRST))])


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_a_planted_fault_is_found_by_its_own_measure_and_none_in_a_clean_clip(kind, fault):
    right, words = is_right(Case(kind, fault, 1, SIZE, FRAMES))
    assert right, words


@pytest.mark.parametrize(("move", "near"), [(("zoom", {"zoom": 1.33}), NEAR_ZOOM), (("tilt", {"up": 0.3}), NEAR_WAY)])
def test_a_move_of_the_camera_is_measured(move, near):
    assert move_error(move, 1, SIZE, FRAMES) <= near


@pytest.mark.usefixtures("whole_films")
@pytest.mark.parametrize("word", ["slow push-in", "pan left", "handheld", "static shot"])
def test_a_move_of_the_sandbox_is_named(word):
    assert name_of(word, ("scene", 1), 180, 3.0) in WORDS[word]
