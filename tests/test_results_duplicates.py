"""Clips that are there twice."""

from runner.results.duplicates import duplicates

BRIGHT, NEARLY, DARK = bytes([200] * 512), bytes([200] * 400 + [202] * 112), bytes([60] * 512)


def test_the_same_file_is_a_duplicate_whatever_was_asked_for():
    assert duplicates([("s", "a"), ("s", "b"), ("s", "c"), ("t", "d")], []) == {"b": "a", "c": "a"}


def test_takes_that_look_the_same_are_duplicates_and_other_requests_are_not():
    takes = [("f", "a", BRIGHT), ("f", "b", NEARLY), ("f", "c", DARK), ("g", "d", BRIGHT)]
    assert duplicates([], takes) == {"b": "a"}


def test_what_was_not_measured_is_like_nothing():
    assert duplicates([], [("f", "a", b""), ("f", "b", b""), ("f", "c", BRIGHT)]) == {}
