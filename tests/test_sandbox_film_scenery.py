from __future__ import annotations

import pytest
from PIL import ImageChops, ImageStat

from runner.sandbox.film.scenery import SIZE, landscape
from runner.sandbox.film.seed import Seed


def test_the_same_seed_paints_the_same_picture_and_another_a_different_one() -> None:
    first, again, other = (landscape(Seed(url)) for url in ("http://a/1.jpg", "http://a/1.jpg", "http://a/2.jpg"))
    assert first.mode == "RGB"
    assert first.size == SIZE
    assert first.tobytes() == again.tobytes()
    assert sum(ImageStat.Stat(ImageChops.difference(first, other)).mean) > 10


@pytest.mark.parametrize("number", range(4))
def test_the_hills_are_darker_than_the_sky(number: int) -> None:
    grey = landscape(Seed(f"hills {number}")).convert("L")
    sky, foot = grey.crop((0, 150, SIZE[0], 300)), grey.crop((0, 640, SIZE[0], SIZE[1]))
    assert ImageStat.Stat(sky).mean[0] > ImageStat.Stat(foot).mean[0] + 20
