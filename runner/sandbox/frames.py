"""The pictures of a clip, one after the other, before they are encoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image, ImageOps

from runner.sandbox.lens import Size, View, box, coefficients, crop_inside, mapping
from runner.sandbox.light import Light
from runner.sandbox.mark import Mark
from runner.sandbox.mood import Mood
from runner.sandbox.planes import Planes

# Bilinear sampling is as good as bicubic, at half the price, from a finer picture than the window.
_FINER = 2.0


def window_size(picture: Size, clip_height: int) -> Size:
    """The size of a clip: the picture's aspect, no higher than `clip_height` or the picture, even sides."""
    width, height = picture
    clip = max(2, min(clip_height, height) // 2 * 2)
    return max(2, round(clip * width / height / 2) * 2), clip


def frames(picture: Image.Image, window: Size, views: Sequence[View], mood: Mood) -> Iterator[Planes]:
    """Every frame of a clip of an RGB picture, one for each view, with the mood's light and the mark."""
    aspect = window[0] / window[1]
    crop = crop_inside(views, aspect)
    flat = all(view.flat for view in views)
    closest = max(view.zoom for view in views) / crop
    source = _source(picture, window, closest, flat)
    light, mark = Light(window, mood), Mark(window)
    for number, view in enumerate(views):
        way = number / max(1, len(views) - 1)
        yield mark.onto(light.on(_shot(source, window, view, crop, flat), way))


def _source(picture: Image.Image, window: Size, closest: float, flat: bool) -> Planes:
    """The picture as it is sampled: pixel for pixel where the camera is closest, if it has that many pixels."""
    scale = max(1.0, min(closest, picture.height / window[1]))
    fitted = ImageOps.fit(picture, _times(window, scale), Image.Resampling.LANCZOS)
    if not flat:
        fitted = fitted.resize(_times(window, scale * _FINER), Image.Resampling.BICUBIC)
    return Planes.of(fitted)


def _times(size: Size, scale: float) -> Size:
    return round(size[0] * scale / 2) * 2, round(size[1] * scale / 2) * 2


def _shot(source: Planes, window: Size, view: View, crop: float, flat: bool) -> Planes:
    """What the camera sees, at the size of the window; positions are continuous, so that nothing jitters."""
    aspect = window[0] / window[1]
    matrix = mapping(view, aspect, crop)
    half = (window[0] // 2, window[1] // 2)

    def seen(plane: Image.Image, size: Size) -> Image.Image:
        if flat:
            return plane.resize(size, Image.Resampling.BICUBIC, box=box(matrix, aspect, plane.size))
        warp = coefficients(matrix, aspect, size, plane.size)
        return plane.transform(size, Image.Transform.PERSPECTIVE, warp, Image.Resampling.BILINEAR)

    return Planes(seen(source.luma, window), seen(source.blue, half), seen(source.red, half))
