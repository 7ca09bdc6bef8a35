"""What changed between two requests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.model import Change
from runner.planning.changes import changes, edits, words

PROSE = st.lists(
    st.sampled_from(["wet", "rock", "sand", ",", " ", "  ", "\n", "slow", "push-in", "é"]), max_size=30
).map("".join)


def told(old, new):
    return "".join(each.new if each.is_kept else f"[-{each.old}-]{{+{each.new}+}}" for each in words(old, new))


def test_word_by_word():
    assert told("The shoe on rock", "The boot on rock") == "The [-shoe-]{+boot+} on rock"
    assert told("on wet rock, slow", "on dry sand, slow") == "on [-wet rock-]{+dry sand+}, slow"
    assert told("a b", "a b c") == "a b[--]{+ c+}"
    assert told("", "x") == "[--]{+x+}"
    assert told("same", "same") == "same"


@given(PROSE, PROSE)
def test_the_sides_are_the_texts(old, new):
    pieces = words(old, new)
    assert "".join(each.old for each in pieces) == old
    assert "".join(each.new for each in pieces) == new


@given(PROSE)
def test_equal_texts_have_no_change(text):
    assert all(each.is_kept for each in words(text, text))


def test_long_texts_are_one_change():
    old, new = "a " * 3000, "b " * 3000
    assert [(each.old, each.new) for each in words(old, new)] == [(old, new)]


def test_parameters_that_differ_in_the_order_of_the_new_request():
    assert changes({"a": 1, "b": 2, "c": 3}, {"d": 4, "c": 3.0, "a": 2}) == (
        Change("a", 2, 1),
        Change("b", None, 2),
        Change("d", 4, None),
    )


def test_jobs_of_one_arm_share_the_edit():
    first = Change("prompt", "fog over rock, slow", "mist over rock, slow")
    other = Change("prompt", "fog over sand, slow", "mist over sand, slow")
    third = Change("prompt", "fog over sand, slow", "mist over sand, fast")
    assert edits(first) == edits(other) != edits(third)
    assert edits(Change("cfg_scale", 0.5, 0.7)) != edits(Change("cfg_scale", 0.5, 0.8))
