"""The frames of a clip in the encoder's format: BT.709, limited range, brightness and colour in separate planes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import av
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from runner.sandbox.film.camera import LEAN, View

Size: TypeAlias = tuple[int, int]

# The share of a clip after which it fades to the picture that it ends on, and how long that takes.
_FADE_START, _FADE = 0.6, 0.35
# A turned view is sampled bilinearly from a picture this many times finer: as good as bicubic, in half the time.
_FINER = 2.0
_MARK = "SANDBOX"
_MARK_SHARE = 0.034  # of the shorter side
_SMALLEST_MARK = 9  # pixels; below that the letters cannot be read
_MARK_STRENGTH = 0.7


def window_size(picture: Size, clip_height: int) -> Size:
    """The size of a clip: the picture's aspect ratio, even sides, not higher than `clip_height` or the picture."""
    width, height = picture
    clip = max(2, min(clip_height, height) // 2 * 2)
    return max(2, round(clip * width / height / 2) * 2), clip


def frames(
    picture: Image.Image, window: Size, views: Sequence[View], last: Image.Image | None = None
) -> Iterator[av.VideoFrame]:
    """Every frame of a clip of an RGB picture, one for each view, with the mark in the lower right corner.

    With `last` the clip fades to that picture and ends on the whole of it.
    """
    turning = any(view.turn for view in views)
    # At the nearest view, one pixel of the source is one pixel of the clip, if the picture is large enough.
    scale = min(math.exp(max(view.near for view in views)), max(1.0, picture.height / window[1]))
    finer = scale * _FINER if turning else scale
    source = _planes(ImageOps.fit(picture, (_even(window[0] * finer), _even(window[1] * finer))))
    ends = [None] * 3 if last is None else _planes(ImageOps.fit(last, window))
    ink, cover = _mark(window)
    for number, view in enumerate(views, 1):
        frame = av.VideoFrame(*window, "yuv420p")
        frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
        for plane, whole, end, letters, mask in zip(frame.planes, source, ends, ink, cover, strict=True):
            size = (plane.width, plane.height)
            seen = _turned(whole, size, view) if turning else _upright(whole, size, view)
            if end:
                seen = Image.blend(seen, end, _faded(number / len(views)))
            seen.paste(letters, (size[0] - mask.width, size[1] - mask.height), mask)
            plane.update(seen.tobytes("raw", "L", plane.line_size, 1))
        yield frame


def _faded(progress: float) -> float:
    """How much of the last picture is seen, 0 to 1: it begins and ends slowly."""
    share = min(1.0, max(0.0, (progress - _FADE_START) / _FADE))
    return share * share * (3 - 2 * share)


def _even(length: float) -> int:
    return round(length / 2) * 2


def _planes(picture: Image.Image) -> list[Image.Image]:
    """Brightness, and the two colour differences at half the size. The sides of the picture must be even."""
    frame = av.VideoFrame(*picture.size, "rgb24")
    frame.planes[0].update(picture.tobytes("raw", "RGB", frame.planes[0].line_size, 1))
    frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
    return [
        Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    ]


def _upright(plane: Image.Image, size: Size, view: View) -> Image.Image:
    """What a camera sees that looks straight ahead. Positions are not rounded to pixels, so that nothing jitters."""
    half, wide, high = math.exp(-view.near), plane.width / 2, plane.height / 2
    left, right = (wide * (1 + view.x + side) for side in (-half, half))
    top, bottom = (high * (1 + view.y + side) for side in (-half, half))
    return plane.resize(size, Image.Resampling.BICUBIC, (left, top, right, bottom))


def _turned(plane: Image.Image, size: Size, view: View) -> Image.Image:
    """What a camera sees that looks a little to the side.

    In the window, u goes from -1 to 1 to the right, and v from -1 to 1 downwards. The point (u, v) shows the point
    (x + half (u + lean turn v) / scale, y + half v / scale) of the picture, with scale = 1 + turn u.
    """
    half, turn = math.exp(-view.near), view.turn

    def pixels(constant: float, u: float, v: float) -> tuple[float, float, float]:
        """The same sum of constant, u and v, with u and v counted in pixels of the window."""
        parts = (2 * u / size[0], 2 * v / size[1], constant - u - v)
        return parts[0] / (1 - turn), parts[1] / (1 - turn), parts[2] / (1 - turn)

    wide, high = plane.width / 2, plane.height / 2
    x = pixels(wide * (1 + view.x), wide * ((1 + view.x) * turn + half), wide * half * LEAN * turn)
    y = pixels(high * (1 + view.y), high * (1 + view.y) * turn, high * half)
    scale = pixels(1, turn, 0)
    return plane.transform(size, Image.Transform.PERSPECTIVE, (*x, *y, *scale[:2]), Image.Resampling.BILINEAR)


def _mark(window: Size) -> tuple[list[Image.Image], list[Image.Image]]:
    """Light letters on their own soft shadow, legible on any picture; and masks with how much they cover."""
    size = max(_SMALLEST_MARK, round(min(window) * _MARK_SHARE))
    font = ImageFont.load_default(size)
    letters = Image.new("L", (_even(font.getlength(_MARK) + 2 * size), _even(3 * size)))
    ImageDraw.Draw(letters).text((letters.width / 2, letters.height / 2), _MARK, 255, font, anchor="mm")
    shadow = letters.filter(ImageFilter.GaussianBlur(size / 6))
    cover = ImageChops.lighter(letters, shadow).point([round(_MARK_STRENGTH * level) for level in range(256)])
    return _planes(letters.convert("RGB")), [cover, cover.reduce(2), cover.reduce(2)]
