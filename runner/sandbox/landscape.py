"""An abstract landscape, for pictures that the sandbox does not have: layered hills in soft light."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from runner.sandbox.lens import Size
from runner.sandbox.seed import Seed

Colour = tuple[int, int, int]

SIZE: Size = (1280, 720)
_LAYERS = 6
# Waves that make a ridge: how many in the width of the picture, and how high, from broad backs to tree tops.
_WAVES = ((0.7, 1.0), (1.9, 0.45), (4.3, 0.2), (9.7, 0.07), (31.0, 0.018), (83.0, 0.010))


@dataclass(frozen=True, slots=True)
class Palette:
    """The sky above, the sky at the horizon, the light, and the nearest hill."""

    above: Colour
    horizon: Colour
    sun: Colour
    near: Colour


_PALETTES = (
    Palette((70, 116, 168), (250, 214, 176), (255, 236, 200), (24, 42, 58)),
    Palette((58, 62, 118), (244, 168, 150), (255, 214, 178), (34, 26, 56)),
    Palette((104, 152, 170), (232, 236, 214), (255, 250, 226), (22, 54, 50)),
    Palette((44, 78, 124), (196, 214, 228), (250, 246, 232), (20, 36, 62)),
)


def landscape(seed: Seed) -> Image.Image:
    """An RGB picture; the same seed makes the same picture on every machine."""
    palette = _PALETTES[int(seed.unit("palette") * len(_PALETTES))]
    picture = _lit(_gradient(palette.above, palette.horizon, 0.0, 0.62), palette, seed)
    for layer in range(_LAYERS):
        _add_hill(picture, palette, layer, seed)
    return _grained(picture, seed)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _gradient(top: Colour, bottom: Colour, start: float, end: float) -> Image.Image:
    """From one colour at and above `start` to another at and below `end`, both shares of the height."""
    height = SIZE[1]
    column = Image.new("RGB", (1, height))
    for y in range(height):
        share = min(1.0, max(0.0, (y / height - start) / (end - start)))
        column.putpixel((0, y), _mixed(top, bottom, share**1.3))
    return column.resize(SIZE)


def _lit(sky: Image.Image, palette: Palette, seed: Seed) -> Image.Image:
    """The sky with a low sun and the glow around it."""
    width, height = SIZE
    x, y = seed.between("sun x", 0.2, 0.8) * width, seed.between("sun y", 0.3, 0.44) * height
    for share, strength, hardness in ((0.95, 0.6, 1.0), (0.4, 0.5, 1.0), (0.05, 0.95, 5.0)):
        radius = round(share * height)
        glow = _glow(strength, hardness).resize((2 * radius, 2 * radius), Image.Resampling.BICUBIC)
        sky.paste(palette.sun, (round(x) - radius, round(y) - radius), glow)
    return sky


def _glow(strength: float, hardness: float) -> Image.Image:
    """A mask that fades from the centre to nothing at the rim; harder ones are a disc with a soft rim."""
    # The built-in gradient reaches white in the corners, so the middle of an edge is at 255 / sqrt(2).
    reach = [max(0.0, 1 - level / 180) for level in range(256)]
    return Image.radial_gradient("L").point([round(255 * strength * min(1.0, hardness * part**2)) for part in reach])


def _add_hill(picture: Image.Image, palette: Palette, layer: int, seed: Seed) -> None:
    """A ridge, hazier the farther away, with mist at its foot."""
    depth = layer / (_LAYERS - 1)
    colour = _mixed(palette.horizon, palette.near, 0.2 + 0.8 * depth**1.1)
    mist = _mixed(colour, palette.horizon, 0.55 * (1 - depth) + 0.1)
    ridge = _ridge_height(depth)
    picture.paste(_gradient(colour, mist, ridge - 0.06, ridge + 0.16), (0, 0), _ridge(layer, depth, seed))


def _ridge_height(depth: float) -> float:
    return 0.50 + 0.42 * depth


def _ridge(layer: int, depth: float, seed: Seed) -> Image.Image:
    """A mask of everything below the line of the ridge, drawn at twice the size for smooth edges."""
    width, height = 2 * SIZE[0], 2 * SIZE[1]
    base, swing = _ridge_height(depth) * height, (0.055 + 0.05 * depth) * height
    line = [
        (x, base - swing * sum(part * seed.wave(f"{layer}/{count}", count * x / width) for count, part in _WAVES))
        for x in range(0, width + 4, 4)
    ]
    mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(mask).polygon([(0, height), *line, (width + 4, height)], fill=255)
    return mask.reduce(2).filter(ImageFilter.GaussianBlur(0.8 * (1 - depth)))


def _grained(picture: Image.Image, seed: Seed) -> Image.Image:
    """A little grain, which keeps the wide gradients from showing steps."""
    noise = hashlib.shake_256(f"{seed.text}/grain".encode()).digest(SIZE[0] * SIZE[1])
    grain = Image.frombytes("L", SIZE, noise).point([124 + level % 9 for level in range(256)])
    return ImageChops.add(picture, Image.merge("RGB", (grain,) * 3), 1.0, -128)
