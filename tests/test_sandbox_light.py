from __future__ import annotations

from PIL import Image, ImageChops, ImageStat

from runner.sandbox.light import Light
from runner.sandbox.mood import Mood
from runner.sandbox.planes import Planes

WINDOW = (96, 64)


def grey(level: int = 150) -> Planes:
    half = (48, 32)
    return Planes(Image.new("L", WINDOW, level), Image.new("L", half, 128), Image.new("L", half, 128))


def mean(picture: Image.Image) -> float:
    return ImageStat.Stat(picture).mean[0]


def test_a_clip_begins_with_the_picture_as_it_is() -> None:
    lit = Light(WINDOW, Mood(warmth=1, vignette=1, sweep=1, slant=0.3)).on(grey(), 0.0)
    assert ImageChops.difference(lit.luma, grey().luma).getbbox() is None
    assert (mean(lit.blue), mean(lit.red)) == (128, 128)


def test_the_vignette_darkens_the_corners_and_not_the_middle() -> None:
    lit = Light(WINDOW, Mood(warmth=0, vignette=1, sweep=0, slant=0)).on(grey(), 1.0)
    assert lit.luma.getpixel((48, 32)) == 150
    corner = lit.luma.getpixel((0, 0))
    assert isinstance(corner, int)
    assert 90 < corner < 120


def test_black_stays_black_in_the_vignette() -> None:
    lit = Light(WINDOW, Mood(warmth=0, vignette=1, sweep=0, slant=0)).on(grey(16), 1.0)
    assert lit.luma.getextrema() == (16, 16)


def test_the_band_of_light_crosses_from_one_side_to_the_other() -> None:
    light = Light(WINDOW, Mood(warmth=0, vignette=0, sweep=1, slant=0.4))
    middle = light.on(grey(), 0.5)
    assert mean(middle.luma) > 151
    centres = []
    for way in (0.4, 0.5, 0.6):
        extra = ImageChops.subtract(light.on(grey(), way).luma, grey().luma)
        columns = [mean(extra.crop((x, 0, x + 1, 64))) for x in range(96)]
        centres.append(columns.index(max(columns)))
    assert centres == sorted(centres)
    assert centres[0] < centres[-1]


def test_warm_light_is_redder_and_cold_light_bluer() -> None:
    warm = Light(WINDOW, Mood(warmth=1, vignette=0, sweep=0, slant=0)).on(grey(), 1.0)
    cold = Light(WINDOW, Mood(warmth=-1, vignette=0, sweep=0, slant=0)).on(grey(), 1.0)
    assert mean(warm.red) > 128 > mean(warm.blue)
    assert mean(cold.blue) > 128 > mean(cold.red)
