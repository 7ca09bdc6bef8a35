"""The mood's light over the frames of a clip: a vignette, a shift of colour, a soft band of light that crosses once."""

from __future__ import annotations

from PIL import Image, ImageChops

from runner.sandbox.lens import Size
from runner.sandbox.mood import Mood
from runner.sandbox.planes import BLACK, Planes

_SWEEP_LEVELS = 20
_WARMTH_LEVELS = 4
_DARKEST = 0.35


class Light:
    """It grows from nothing, so that a clip begins with the picture as it is."""

    def __init__(self, window: Size, mood: Mood) -> None:
        self._window = window
        self._mood = mood
        self._white = Image.new("L", window, 255)
        self._black = Image.new("L", window, BLACK)
        self._vignette = _vignette(window, mood.vignette)
        self._band = _band(window, mood) if mood.sweep else None

    def on(self, frame: Planes, way: float) -> Planes:
        """The frame in the light of its moment; `way` goes from 0 at the start to 1 at the end."""
        shade = Image.blend(self._white, self._vignette, way)
        luma = Image.composite(frame.luma, self._black, shade)
        if self._band:
            width, height = self._window
            left = round((1 - way) * 2 * width)
            luma = ImageChops.add(luma, self._band.crop((left, 0, left + width, height)))
        warmer = self._mood.warmth * _WARMTH_LEVELS * way
        if not warmer:
            return Planes(luma, frame.blue, frame.red)
        return Planes(luma, _shifted(frame.blue, -warmer), _shifted(frame.red, warmer))


def _shifted(plane: Image.Image, levels: float) -> Image.Image:
    return plane.point([min(240, max(16, round(value + levels))) for value in range(256)])


def _vignette(window: Size, amount: float) -> Image.Image:
    """A mask: all light in the middle, less towards the corners."""
    distance = Image.radial_gradient("L").resize(window, Image.Resampling.BICUBIC)
    return distance.point([round(255 * (1 - _DARKEST * amount * (value / 255) ** 2.2)) for value in range(256)])


def _band(window: Size, mood: Mood) -> Image.Image:
    """A slanted band of light in the middle of a strip three windows wide; it does not reach the outer two."""
    width, height = window
    levels = [round(_SWEEP_LEVELS * mood.sweep * max(0.0, 1 - abs(x - 128) / 28) ** 2) for x in range(256)]
    strip = Image.linear_gradient("L").rotate(90).point(levels)
    slant = mood.slant / 3
    leaning = strip.transform((256, 256), Image.Transform.AFFINE, (1, slant, -slant * 128, 0, 1, 0))
    return leaning.resize((3 * width, height), Image.Resampling.BICUBIC)
