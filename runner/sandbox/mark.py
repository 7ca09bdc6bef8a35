"""The corner mark that says what a clip is."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from runner.sandbox.lens import Size
from runner.sandbox.planes import BLACK, GREY, WHITE, Planes

TEXT = "SANDBOX"
_SMALLEST = 8  # pixels; below that the letters cannot be read
_SHARE = 0.030  # of the window's shorter side
_TRACKING = 0.14  # of the letter size, between the letters
_STRENGTH = 0.70
_SHADOW = 0.50


class Mark:
    """Light letters on their own soft shadow, legible on any picture."""

    def __init__(self, window: Size) -> None:
        size = max(_SMALLEST, round(min(window) * _SHARE))
        letters = _letters(size)
        blurred = letters.filter(ImageFilter.GaussianBlur(size / 5))
        self._shadow = blurred.point([round(min(255, 2 * level) * _SHADOW) for level in range(256)])
        self._letters = letters.point([round(level * _STRENGTH) for level in range(256)])
        self._colour = self._letters.reduce(2)
        # Even, so that the planes of colour, half as large, match.
        self._left, self._top = ((side - part) // 2 * 2 for side, part in zip(window, letters.size, strict=True))

    def onto(self, frame: Planes) -> Planes:
        """The same frame, marked in the lower right corner."""
        corner = (self._left, self._top)
        frame.luma.paste(BLACK, corner, self._shadow)
        frame.luma.paste(WHITE, corner, self._letters)
        for plane in (frame.blue, frame.red):
            plane.paste(GREY, (self._left // 2, self._top // 2), self._colour)
        return frame


def _letters(size: int) -> Image.Image:
    """White letters on black with a letter's room around them; even sides."""
    font = ImageFont.load_default(size)
    steps = [font.getlength(letter) + size * _TRACKING for letter in TEXT]
    width, height = round(sum(steps)) + 2 * size, 3 * size
    picture = Image.new("L", (width // 2 * 2 + 2, height // 2 * 2 + 2), 0)
    draw = ImageDraw.Draw(picture)
    for index, letter in enumerate(TEXT):
        draw.text((size + sum(steps[:index]), height / 2), letter, 255, font, anchor="lm")
    return picture
