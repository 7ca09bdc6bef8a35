from __future__ import annotations

import pytest

from runner.planning.lints.motion import is_latin, says_motion


@pytest.mark.parametrize(
    "text",
    [
        "slow push-in",
        "PAN LEFT",
        "panning over the rock",
        "the lens tilts up",
        "Orbiting the shoe",
        "dolly zoom",
        "it dollies in",
        "mist drifts over the water",
        "leaves swaying",
        "the river flowed",
        "a rotating plinth",
        "the door swung open",
        "static camera",
        "Camera: wide and low",
        "hand-held: a handheld look",
        "water-drops, dripping",
        "the rider gallops…",
        "“turning”",
        "hair in the wind",
        "Eine langsame Kamerafahrt",
        "Caméra fixe",
        "travelling avant",
    ],
)
def test_motion(text: str) -> None:
    assert says_motion(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The shoe on wet rock",
        "A panel of Japan with pancakes",
        "Flowers in a vase, a rose, an open road",
        "Fog, warm sand, wide and cinematic, natural colours",
        "Still life with leaves and drops of dew",
        "rockets and pantry doors",
    ],
)
def test_no_motion(text: str) -> None:
    assert not says_motion(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("", True),
        ("The shoe", True),
        ("Der schöne Schuh, größer", True),
        ("Giày trên đá ướt", True),
        ("12 – 34 …", True),
        ("静かな湖の上の小舟", False),
        ("Туфля на камне", False),
        ("Туфля Nike", False),
        ("The 鞋 on rock", True),
    ],
)
def test_latin_is_what_most_letters_are(text: str, is_one: bool) -> None:
    assert is_latin(text) is is_one
