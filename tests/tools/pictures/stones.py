"""Five river stones in balance over still water, in morning mist."""

import numpy as np

from pictures import noise, shapes
from pictures.arrays import Array, clamp, dot, f32, mix, normalize, rgb, smoothstep, vec
from pictures.film import Film
from pictures.scene import Camera, Coat, Paint, Part, Plane, Scene, panel
from pictures.shapes import Distance
from pictures.studio import Quality, render

Stone = tuple[float, float, float, tuple[float, float, float], float, float, float]
"""The middle (x, y, z), half sides, turn about y, lean, and a seed of its own."""

_STACK: tuple[Stone, ...] = (
    (0.00, 0.20, 0.00, (1.18, 0.36, 0.92), 0.3, 0.02, 3.0),
    (0.10, 0.755, 0.02, (0.84, 0.27, 0.66), -0.5, -0.05, 11.0),
    (-0.05, 1.215, 0.00, (0.60, 0.235, 0.50), 0.9, 0.06, 23.0),
    (0.06, 1.60, 0.02, (0.43, 0.185, 0.36), 0.1, -0.08, 31.0),
    (-0.01, 1.905, 0.00, (0.23, 0.15, 0.20), 0.5, 0.1, 47.0),
)
_AROUND: tuple[Stone, ...] = (
    (-1.75, 0.02, 0.55, (0.42, 0.16, 0.3), 0.4, 0.0, 53.0),
    (1.55, 0.00, 0.95, (0.5, 0.15, 0.36), -0.3, 0.0, 61.0),
    (1.95, 0.02, -1.6, (0.75, 0.26, 0.5), 0.8, 0.0, 71.0),
    (-2.3, 0.02, -2.4, (0.9, 0.3, 0.6), 0.2, 0.0, 83.0),
)
_TONES = ("565c5f", "7c766d", "3d4448", "94846f", "666b6c")


def _stone(x: Array, y: Array, z: Array, stone: Stone) -> Array:
    """A pebble: between an ellipsoid and a box, and not quite even."""
    left, high, deep, half, angle, lean, seed = stone
    x, y, z = x - left, y - high, z - deep
    x, z = shapes.turn(x, z, angle)
    x, y = shapes.turn(x, y, lean)
    u, v, w = x / half[0], y / half[1], z / half[2]
    swell = noise.value(u * 0.9 + seed, v * 0.9 + seed, w * 0.9) - 0.5
    power = (np.abs(u) ** 2.3 + np.abs(v) ** 2.3 + np.abs(w) ** 2.3) ** (1.0 / 2.3)
    return f32((power - 1.0 - 0.14 * swell * (1.0 - v * v)) * (min(half) * 0.82))


def _solid(stone: Stone) -> Distance:
    return lambda x, y, z: _stone(x, y, z, stone)


def _mineral(tone: str, seed: float) -> Paint:
    def paint(p: Array, n: Array) -> Coat:
        cloud = noise.solid(p[0] * 2.5 + seed, p[1] * 4.0, p[2] * 2.5, 5)
        grain = noise.value(p[0] * 90.0, p[1] * 90.0, p[2] * 90.0)
        bump = np.stack([noise.solid(p[0] * 26.0 + k, p[1] * 26.0, p[2] * 26.0, 3) - 0.5 for k in (0.0, 50.0, 90.0)])
        layer = p[1] * 9.0 + 0.8 * p[0] * np.sin(seed) + 4.0 * (cloud - 0.5)
        vein = smoothstep(0.9, 1.0, np.abs(np.sin(layer * 0.7 + seed))) * 0.5
        colour = rgb(tone) * (0.45 + 0.9 * cloud + 0.4 * (grain - 0.5)) * mix(f32([1.0]), f32([1.7]), f32(vein))
        wet = smoothstep(0.17, 0.05, p[1] + 0.1 * (cloud - 0.5))
        return Coat(
            colour * (1.0 - 0.6 * wet),
            vec(0.035, 0.035, 0.035) * (0.4 - 0.2 * wet),
            0.32,
            normal=normalize(n + bump * (0.22 * (1.0 - 0.8 * wet))),
            grazing=0.35,
        )

    return paint


def _water(p: Array, n: Array) -> Coat:
    """Still water with a few rings around the stones."""
    far = np.hypot(p[0], p[2])
    ring = np.cos(far * 7.0) * 0.035 * np.exp(-0.45 * far) / np.maximum(far, 0.1)
    calm = np.exp(-0.04 * far)
    slope_x = ring * p[0] + 0.010 * noise.fbm(p[0] * 0.9, p[2] * 2.2, 3) * calm
    slope_z = ring * p[2] + 0.016 * noise.fbm(p[0] * 0.9 + 30.0, p[2] * 2.2, 3) * calm
    normal = normalize(n - vec(1.0, 0.0, 0.0) * slope_x - vec(0.0, 0.0, 1.0) * slope_z)
    bed = mix(rgb("1f2b2b"), rgb("33423f"), clamp(0.5 + noise.fbm(p[0] * 1.5, p[2] * 1.5, 4)))
    return Coat(bed * 0.04, vec(0.025, 0.025, 0.025), 0.0, glow=bed * 0.09, normal=normal)


def _sky(direction: Array) -> Array:
    """Mist over water: bright where the sun is about to come through, hills as faint shapes."""
    high = direction[1]
    sun = dot(direction, normalize(vec(0.32, 0.2, -1.0)))
    result = mix(rgb("e8d8c6"), rgb("84a3ba"), smoothstep(0.0, 0.55, np.abs(high)))
    result = result * 0.9 + rgb("ffd9ae") * (0.55 * np.exp((sun - 1.0) * 22.0) + 0.5 * np.exp((sun - 1.0) * 160.0))
    ahead = np.where(direction[2] < -0.05, direction[0] / np.minimum(direction[2], -0.05), 0.0)
    for near, (top, rough, tone) in enumerate(((0.16, 2.1, "a9b5b8"), (0.095, 3.4, "93a2a5"), (0.05, 5.0, "7b8c8e"))):
        ridge = top + 0.07 * noise.fbm(ahead * rough + 13.0 * near, np.zeros_like(ahead) + near, 5)
        hill = smoothstep(0.006, -0.006, np.abs(high) - ridge) * (direction[2] < -0.05)
        fog = 0.75 * smoothstep(ridge, 0.0 * ridge - 0.02, np.abs(high)) + 0.12
        result = mix(result, mix(rgb(tone) * 0.8, result, clamp(fog)), hill)
    return f32(result)


def _scene() -> Scene:
    parts = []
    for i, stone in enumerate((*_STACK, *_AROUND)):
        tone = _TONES[i % len(_TONES)]
        parts.append(
            Part(_solid(stone), _mineral(tone, stone[6]), (stone[0], stone[1], stone[2]), max(stone[3]) * 1.12)
        )
    lights = [
        panel((3.6, 3.6, -3.4), (0.0, 0.9, 0.0), 2.4, 2.4, vec(1.0, 0.82, 0.62) * 15.0, samples=10),
        panel((-4.5, 3.0, 2.5), (0.0, 0.9, 0.0), 3.0, 3.0, vec(0.8, 0.9, 1.0) * 2.4, samples=6),
    ]
    return Scene(parts, [Plane((0.0, 1.0, 0.0), 0.0, _water)], lights, _sky, rgb("a9b2b4") * 0.30, haze=22.0)


def picture(width: int, height: int, quality: Quality) -> Array:
    return render(_scene(), Camera((0.0, 1.15, 8.6), (0.0, 0.8, 0.0), 27.0), width, height, quality)


FILM = Film(exposure=1.75, bloom=0.1, vignette=0.25, grain=0.004, contrast=1.12, saturation=1.15)
