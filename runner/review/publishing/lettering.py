"""The letters on labels and sheets."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from PIL import ImageFont

# What a system has that knows more letters than the font that ships with Pillow.
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")


@lru_cache(maxsize=8)
def letters(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font whose letters are so many pixels high."""
    for name in _FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)


def fitting(text: str, size: int, width: int) -> str:
    """The text, cut with `…` where it is wider than so many pixels."""
    font = letters(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"
