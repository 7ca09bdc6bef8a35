from __future__ import annotations

import pytest
from PIL import Image, ImageChops

from runner.sandbox.mark import Mark
from runner.sandbox.planes import Planes


def plain(window: tuple[int, int], level: int) -> Planes:
    half = (window[0] // 2, window[1] // 2)
    return Planes(Image.new("L", window, level), Image.new("L", half, 90), Image.new("L", half, 170))


@pytest.mark.parametrize("window", [(1280, 720), (404, 720), (180, 120), (48, 120), (80, 32)])
def test_the_mark_is_in_the_lower_right_corner_only(window: tuple[int, int]) -> None:
    marked = Mark(window).onto(plain(window, 120))
    box = ImageChops.difference(marked.luma, plain(window, 120).luma).getbbox()
    assert box
    assert box[1] >= window[1] * 0.55 or window[1] < 60
    assert box[0] >= window[0] * 0.5 or window[0] < 200


@pytest.mark.parametrize("level", [16, 120, 235])
def test_the_mark_can_be_read_on_any_picture(level: int) -> None:
    window = (640, 360)
    darkest, brightest = Mark(window).onto(plain(window, level)).luma.getextrema()
    assert isinstance(darkest, int)
    assert isinstance(brightest, int)
    assert brightest - darkest > 60


def test_the_mark_has_no_colour() -> None:
    window = (640, 360)
    marked = Mark(window).onto(plain(window, 16))
    assert ImageChops.difference(marked.blue, plain(window, 16).blue).getbbox()
    blue_low, blue_high = marked.blue.getextrema()
    red_low, red_high = marked.red.getextrema()
    assert (blue_low, red_high) == (90, 170)
    assert blue_high <= 128 <= red_low
