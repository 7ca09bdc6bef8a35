"""An abstract landscape, for pictures that the sandbox does not have: layered hills in soft light."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageOps

from runner.sandbox.film.frames import Size
from runner.sandbox.film.seed import Seed

SIZE: Size = (1280, 720)
_LAYERS = 6
# The waves that make a ridge: how many fit in the width of the picture, and how high, from broad hills to tree tops.
_WAVES = ((0.7, 1.0), (1.9, 0.45), (4.3, 0.2), (9.7, 0.07), (31.0, 0.018), (83.0, 0.010))


def landscape(seed: Seed) -> Image.Image:
    """An RGB picture; the same seed makes the same picture on every machine."""
    cool, warm = int(seed.between("cool", 175, 265)), int(seed.between("warm", 10, 50))
    picture = _gradient(f"hsl({cool},42%,46%)", f"hsl({warm},82%,84%)", 0, 450)
    _add_sun(picture, f"hsl({warm},100%,92%)", seed)
    for layer in range(_LAYERS):
        depth = layer / (_LAYERS - 1)
        colour = f"hsl({cool},{20 + 20 * depth}%,{76 - 62 * depth**0.8}%)"
        mist = f"hsl({warm},{40 - 20 * depth}%,{80 - 52 * depth}%)"
        top = round((0.5 + 0.42 * depth) * SIZE[1])
        picture.paste(_gradient(colour, mist, top - 60, top + 240), (0, 0), _ridge(layer, top, 40 + 36 * depth, seed))
    return picture


def _gradient(above: str, below: str, start: int, end: int) -> Image.Image:
    """A picture that fades from the colour `above`, up to line `start`, to the colour `below`, from line `end` on."""
    fade = Image.linear_gradient("L").resize((1, max(1, end - start)))
    column = Image.new("L", (1, SIZE[1]), 255)
    column.paste(0, (0, 0, 1, max(0, start)))
    column.paste(fade, (0, start))
    return ImageOps.colorize(column, above, below).resize(SIZE)


def _add_sun(picture: Image.Image, colour: str, seed: Seed) -> None:
    """A low sun and the glow around it."""
    x, y = round(seed.between("sun x", 0.2, 0.8) * SIZE[0]), round(seed.between("sun y", 0.3, 0.44) * SIZE[1])
    # The built-in gradient is white in the corners. The middle of an edge has the level 255 / sqrt(2), about 180.
    for radius, strength, hardness in ((680, 0.6, 1), (290, 0.5, 1), (36, 0.95, 5)):
        glow = [round(255 * strength * min(1, hardness * max(0, 1 - level / 180) ** 2)) for level in range(256)]
        mask = Image.radial_gradient("L").point(glow).resize((2 * radius, 2 * radius))
        picture.paste(colour, (x - radius, y - radius), mask)


def _ridge(layer: int, top: int, swing: float, seed: Seed) -> Image.Image:
    """A mask of everything below the line of the ridge, drawn at twice the size for smooth edges."""
    width, height = 2 * SIZE[0], 2 * SIZE[1]

    def line(x: int) -> float:
        waves = (high * seed.wave(f"{layer}/{count}", count * x / width) for count, high in _WAVES)
        return 2 * top - 2 * swing * sum(waves)

    mask = Image.new("L", (width, height))
    ridge = [(x, line(x)) for x in range(0, width + 4, 4)]
    ImageDraw.Draw(mask).polygon([(0, height), *ridge, (width + 4, height)], fill=255)
    return mask.reduce(2)
