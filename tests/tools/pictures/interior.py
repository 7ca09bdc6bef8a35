"""A quiet room with a tub chair, in the sun of a late afternoon."""

import numpy as np

from pictures import noise, shapes
from pictures.arrays import Array, Mask, clamp, f32, mix, normalize, rgb, smoothstep, vec
from pictures.film import Film
from pictures.scene import Camera, Coat, Light, Paint, Part, Plane, Scene, Sun, panel
from pictures.studio import Quality, render

_LEFT, _BACK = -2.7, -2.5
_CHAIR = (0.95, 0.0, -0.75)
_TABLE = (-0.55, 0.0, -1.25)
_SUN = normalize(vec(-1.0, 0.44, 0.36))


def _chair(x: Array, y: Array, z: Array) -> Array:
    """A tub: a ring of upholstery that is open in front and higher behind."""
    x, z = shapes.turn(x - _CHAIR[0], z - _CHAIR[2], -0.5)
    ring = np.sqrt(x * x + (z * 0.97) ** 2)
    tall = 0.30 + 0.16 * smoothstep(0.35, -0.5, z)
    wall = shapes.rectangle(ring - 0.60, y - 0.16 - tall, 0.095, tall, 0.085)
    opening = shapes.box(x, y - 0.7, z - 0.62, 0.40, 0.60, 0.6, 0.2)
    shell = shapes.cut(wall, opening, 0.12)
    base = shapes.cylinder(x, y - 0.26, z, 0.60, 0.10, 0.05)
    return shapes.union(shell, base, 0.05) * 0.9


def _seat(x: Array, y: Array, z: Array) -> Array:
    x, z = shapes.turn(x - _CHAIR[0], z - _CHAIR[2], -0.5)
    bulge = 0.02 * np.cos(np.minimum(np.sqrt(x * x + z * z) * 2.6, 1.5))
    seat = shapes.cylinder(x, y - 0.43 - bulge, z - 0.04, 0.51, 0.085, 0.08)
    pillow = _pillow(x + 0.06, y - 0.72, z + 0.34)
    return shapes.join(seat, pillow) * 0.9


def _pillow(x: Array, y: Array, z: Array) -> Array:
    z, y = shapes.turn(z, y, 0.32)
    puff = 0.13 * np.sqrt(np.maximum((1.0 - (x / 0.30) ** 2) * (1.0 - (y / 0.22) ** 2), 0.0)) ** 0.8
    return np.maximum(shapes.rectangle(x, y, 0.29, 0.21, 0.05), (np.abs(z) - puff - 0.008) * 0.6)


def _legs(x: Array, y: Array, z: Array) -> Array:
    x, z = shapes.turn(x - _CHAIR[0], z - _CHAIR[2], -0.5)
    return shapes.cylinder(np.abs(x) - 0.38, y - 0.09, np.abs(z) - 0.38, 0.032, 0.09, 0.01)


def _table(x: Array, y: Array, z: Array) -> Array:
    x, z = x - _TABLE[0], z - _TABLE[2]
    top = shapes.cylinder(x, y - 0.56, z, 0.36, 0.018, 0.012)
    stem = shapes.cylinder(x, y - 0.28, z, 0.05 + 0.05 * smoothstep(0.2, 0.0, y), 0.28)
    foot = shapes.cylinder(x, y - 0.015, z, 0.24, 0.015, 0.01)
    return shapes.join(top, foot, stem) * 0.9


_VASE = shapes.profile(
    [(0.0, 0.085), (0.05, 0.13), (0.15, 0.165), (0.25, 0.12), (0.33, 0.055), (0.40, 0.05), (0.43, 0.068)]
)


def _vase(x: Array, y: Array, z: Array) -> Array:
    x, y, z = x - _TABLE[0] + 0.08, y - 0.578, z - _TABLE[2] - 0.02
    outer = shapes.lathe(x, y, z, _VASE, 0.0, 0.43)
    return shapes.common(outer, 0.034 - np.sqrt(x * x + z * z) - np.maximum(0.3 - y, 0.0)) * 0.6


def _cup(x: Array, y: Array, z: Array) -> Array:
    x, y, z = x - _TABLE[0] - 0.16, y - 0.578, z - _TABLE[2] - 0.14
    wall = np.abs(np.sqrt(x * x + z * z) - 0.05 - 0.008) - 0.007
    side = shapes.common(wall, np.abs(y - 0.045) - 0.045)
    return shapes.common(shapes.join(side, shapes.cylinder(x, y - 0.01, z, 0.055, 0.01)), -y)


_TWIGS = ((0.0, 0.30, 0.75), (1.3, 0.42, 0.62), (2.5, 0.26, 0.9), (3.9, 0.40, 0.7), (5.2, 0.22, 0.82))


def _twigs(x: Array, y: Array, z: Array) -> Array:
    x, y, z = x - _TABLE[0] + 0.08, y - 0.95, z - _TABLE[2] - 0.02
    result = np.full_like(x, 1e3)
    for angle, wide, tall in _TWIGS:
        u, v = shapes.turn(x, z, angle)
        stem, along = shapes.bend(u, y, v, (0.0, -0.15), (0.04, tall * 0.6), (wide, tall))
        result = np.minimum(result, stem - 0.006 + 0.003 * along)
    return result * 0.9


def _buds(x: Array, y: Array, z: Array) -> Array:
    """Seed heads along the twigs."""
    x, y, z = x - _TABLE[0] + 0.08, y - 0.95, z - _TABLE[2] - 0.02
    result = np.full_like(x, 1e3)
    for n, (angle, wide, tall) in enumerate(_TWIGS):
        u, v = shapes.turn(x, z, angle)
        for k, t in enumerate((0.45, 0.58, 0.7, 0.8, 0.9, 1.0)):
            left = 2.0 * t * (1.0 - t) * 0.04 + t * t * wide + 0.015 * np.sin(9.0 * k + n)
            high = (1.0 - t) ** 2 * -0.15 + 2.0 * t * (1.0 - t) * tall * 0.6 + t * t * tall
            result = np.minimum(
                result, shapes.sphere(u - left, y - high, v - 0.02 * np.cos(5.0 * k + n), 0.026 - 0.002 * k)
            )
    return result


def _lamp(x: Array, y: Array, z: Array) -> Array:
    """A paper lantern."""
    ribs = 0.003 * np.abs(np.sin((y - 2.1) * 60.0))
    return f32((shapes.ellipsoid(x - 1.75, y - 2.1, z + 1.35, 0.36, 0.31, 0.36) + ribs) * 0.9)


def _cord(x: Array, y: Array, z: Array) -> Array:
    return shapes.cylinder(x - 1.75, y - 2.7, z + 1.35, 0.008, 0.35)


def _rug(x: Array, y: Array, z: Array) -> Array:
    return shapes.cylinder(x - 0.45, y - 0.012, z + 0.65, 1.45, 0.012, 0.01)


def _frame(x: Array, y: Array, z: Array) -> Array:
    z = z - _BACK
    border = np.abs(shapes.rectangle(x - 0.42, y - 1.62, 0.40, 0.52)) - 0.018
    print_ = shapes.box(x - 0.42, y - 1.62, z - 0.008, 0.40, 0.52, 0.008)
    return shapes.join(shapes.common(border, np.abs(z - 0.02) - 0.025), print_)


def _skirting(x: Array, y: Array, z: Array) -> Array:
    return np.minimum(
        shapes.box(x, y - 0.05, z - _BACK, 4.0, 0.06, 0.02, 0.005),
        shapes.box(x - _LEFT, y - 0.05, z, 0.02, 0.06, 4.0, 0.005),
    )


def _plain(tone: str, rough: float = 0.03, scale: float = 160.0) -> Paint:
    def paint(p: Array, n: Array) -> Coat:
        grain = noise.value(p[0] * scale, p[1] * scale, p[2] * scale) - 0.5
        return Coat(rgb(tone) * (1.0 + 2.0 * rough * grain))

    return paint


_SKEW = ((0.74, 0.51, 0.44), (-0.62, 0.77, 0.15), (-0.26, -0.38, 0.89))
"""Turned axes, so that the cells of the noise do not line up with the room."""


def _loop(tone: str) -> Paint:
    """Boucle: small loops of wool."""

    def paint(p: Array, n: Array) -> Coat:
        u, v, w = (60.0 * (a[0] * p[0] + a[1] * p[1] + a[2] * p[2]) for a in _SKEW)
        loops = np.stack([noise.solid(u + k, v, w, 2) - 0.5 for k in (0.0, 33.0, 71.0)])
        return Coat(rgb(tone) * (0.98 + 0.2 * loops[0]), normal=normalize(n + loops * 0.4))

    return paint


def _wood(p: Array, n: Array) -> Coat:
    grain = noise.fbm(p[0] * 12.0 + p[2] * 4.0, p[1] * 12.0 + p[2] * 50.0, 3)
    return Coat(mix(rgb("6a4429"), rgb("8a603c"), clamp(0.5 + 0.5 * grain)), vec(0.04, 0.04, 0.04), 0.3, grazing=0.5)


def _planks(p: Array, n: Array) -> Coat:
    """Oak boards that run away from the eye."""
    board = np.floor(p[0] / 0.17)
    shift = noise.hashed(board + 40.0) * 7.0
    piece = np.floor((p[2] + shift) / 1.6)
    tone = noise.hashed(board * 13.0 + piece * 7.0 + 300.0)
    grain = noise.fbm(p[0] * 38.0 + 9.0 * tone, p[2] * 1.6 + 20.0 * tone, 4)
    colour = mix(rgb("9a7048"), rgb("c39a6c"), clamp(0.25 + 0.5 * tone + 0.35 * grain))
    gap = np.minimum(
        np.abs(p[0] / 0.17 - board - 0.5) * -1.0 + 0.5, (0.5 - np.abs((p[2] + shift) / 1.6 - piece - 0.5)) * 9.0
    )
    colour = colour * (0.45 + 0.55 * smoothstep(0.0, 0.03, gap))
    bumped = normalize(n + vec(1.0, 0.0, 0.0) * grain * 0.012)
    return Coat(colour, vec(0.04, 0.04, 0.04), 0.16, normal=bumped, grazing=0.6)


def _plaster(tone: str) -> Paint:
    def paint(p: Array, n: Array) -> Coat:
        cloud = noise.solid(p[0] * 1.7, p[1] * 1.7, p[2] * 1.7, 5)
        bump = (
            np.stack([noise.solid(p[0] * 9.0 + k, p[1] * 9.0, p[2] * 9.0, 3) - 0.5 for k in (0.0, 20.0, 40.0)]) * 0.05
        )
        return Coat(rgb(tone) * (0.94 + 0.12 * cloud), normal=normalize(n + bump))

    return paint


def _paper(p: Array, n: Array) -> Coat:
    return Coat(rgb("efe3cf") * np.ones_like(p), glow=rgb("ffc988") * (0.62 - 0.25 * np.abs(p[1] - 2.1) / 0.3))


def _art(p: Array, n: Array) -> Coat:
    """A print: a sun over hills, in a white mount and an oak frame."""
    x, y = p[0] - 0.42, p[1] - 1.62
    mount = (np.abs(x) < 0.385) & (np.abs(y) < 0.505)
    inside = (np.abs(x) < 0.29) & (np.abs(y) < 0.40)
    sun = np.hypot(x - 0.05, y - 0.12) < 0.13
    picture = np.where(sun, rgb("c8643a"), rgb("e6d3b3"))
    for level, tone in ((-0.02, "b98a5e"), (-0.14, "7d6a55"), (-0.25, "3f4a48")):
        hill = y < level + 0.06 * np.sin(x * (7.0 + 20.0 * level) + level * 40.0)
        picture = np.where(hill, rgb(tone), picture)
    return Coat(f32(np.where(inside, picture, np.where(mount, rgb("f1ebe0"), rgb("8a623c")))))


def _window(p: Array) -> Mask:
    """The panes of the window in the left wall."""
    y, z = (p[1] - 1.5) / 1.05, (p[2] + 0.5) / 1.4
    bars = (np.abs(np.mod(y * 1.5 + 1.5, 1.0) - 0.5) > 0.46) | (np.abs(np.mod(z * 1.5 + 1.5, 1.0) - 0.5) > 0.465)
    return np.asarray((np.abs(y) < 1.0) & (np.abs(z) < 1.0) & ~bars)


def _outside(p: Array) -> Mask:
    """Beyond the left wall: the other walls end there."""
    return np.asarray(p[0] < _LEFT)


def _sky(direction: Array) -> Array:
    return f32(rgb("dfe9f5") * (2.6 * np.ones_like(direction)))


def _scene() -> Scene:
    chair = (_CHAIR[0], 0.45, _CHAIR[2])
    parts = [
        Part(_chair, _loop("d9cdb8"), chair, 0.95),
        Part(_seat, _loop("cdbfa6"), chair, 0.85),
        Part(_legs, _wood, (_CHAIR[0], 0.1, _CHAIR[2]), 0.62),
        Part(_table, _wood, (_TABLE[0], 0.3, _TABLE[2]), 0.52),
        Part(_vase, _plain("3d4a49", 0.06), (_TABLE[0] - 0.08, 0.8, _TABLE[2] + 0.02), 0.33),
        Part(_cup, _plain("d8cfc0", 0.02), (_TABLE[0] + 0.16, 0.62, _TABLE[2] + 0.14), 0.13),
        Part(_twigs, _plain("6b5138"), (_TABLE[0] - 0.08, 1.3, _TABLE[2]), 0.75),
        Part(_buds, _plain("c9a06a", 0.1), (_TABLE[0] - 0.08, 1.4, _TABLE[2]), 0.7),
        Part(_lamp, _paper, (1.75, 2.1, -1.35), 0.4),
        Part(_cord, _plain("2a2622"), (1.75, 2.7, -1.35), 0.36),
        Part(_rug, _loop("b9ab95"), (0.45, 0.01, -0.65), 1.47),
        Part(_frame, _art, (0.42, 1.62, _BACK), 0.7),
        Part(_skirting, _plain("e4d9c6", 0.0), (0.0, 0.05, -0.5), 3.5),
    ]
    planes = [
        Plane((0.0, 1.0, 0.0), 0.0, _planks, _outside),
        Plane((0.0, 0.0, 1.0), _BACK, _plaster("cdb79b"), _outside),
        Plane((1.0, 0.0, 0.0), _LEFT, _plaster("cbb89f"), _window),
        Plane((1.0, 0.0, 0.0), 3.1, _plaster("c6b196")),
        Plane((0.0, 1.0, 0.0), 2.95, _plaster("e2d8c8"), _outside),
        Plane((0.0, 0.0, 1.0), 5.5, _plaster("a89880"), _outside),
    ]
    window = panel((_LEFT + 0.02, 1.5, -0.5), (0.0, 1.5, -0.5), 2.8, 2.1, rgb("e6edf6") * 3.0, samples=12, panes=2)
    lights: list[Light] = [Sun(_SUN, 0.0035, vec(1.0, 0.76, 0.5) * 17.0), window]
    return Scene(parts, planes, lights, _sky, rgb("c9ab86") * 0.2, daylight=0.0, dust=0.006)


def picture(width: int, height: int, quality: Quality) -> Array:
    camera = Camera((0.25, 1.2, 4.7), (0.15, 1.2, -1.0), 33.0, shift=-0.08)
    return render(_scene(), camera, width, height, quality)


FILM = Film(exposure=1.3, grain=0.004, bloom=0.1, vignette=0.25)
