"""Hints for unknown names."""

from __future__ import annotations

from runner.manifest.words import SHOWN, known_here


def test_a_near_name_is_suggested() -> None:
    assert known_here("surfce", ["camera", "surface"]) == "did you mean 'surface'? known here: camera, surface"


def test_case_does_not_count() -> None:
    assert known_here("CFG", ["cfg", "camera"]).startswith("did you mean 'cfg'?")
    assert known_here("kling", ["Kling"]).startswith("did you mean 'Kling'?")


def test_a_far_name_is_not_suggested() -> None:
    assert known_here("xyz", ["surface", "camera"]) == "known here: camera, surface"


def test_nothing_known() -> None:
    assert known_here("x", []) == "nothing is known here"


def test_a_long_list_is_cut() -> None:
    names = [f"name-{number:03}" for number in range(SHOWN + 5)]
    hint = known_here("zzz", names)
    assert hint.endswith(f"{names[SHOWN - 1]} and 5 more")
