"""A cut-glass bottle of amber perfume on a wet black floor, lit from behind."""

import numpy as np

from pictures import noise, shapes
from pictures.arrays import Array, clamp, dot, f32, mix, normalize, rgb, smoothstep, vec
from pictures.film import Film
from pictures.glass import Bottle
from pictures.scene import Camera, Coat, Part, Plane, Scene, panel
from pictures.studio import Quality, render

_TURN = 0.32
_EYE = (0.0, 1.25, 8.5)


def _turned(x: Array, z: Array) -> tuple[Array, Array]:
    return shapes.turn(x, z, _TURN)


def _outer(x: Array, y: Array, z: Array) -> Array:
    """A slab with broad cut edges."""
    x, z = _turned(x, z)
    y = y - 0.86
    slab = shapes.box(x, y, z, 0.72, 0.85, 0.36, 0.03)
    upright = (np.abs(x) + np.abs(z) - 0.94) * 0.7071
    above = (np.abs(y) + np.abs(z) - 1.1) * 0.7071
    aside = (np.abs(x) + np.abs(y) - 1.44) * 0.7071
    return -shapes.union(-np.maximum(slab, upright), -np.maximum(above, aside), 0.05)


def _inner(x: Array, y: Array, z: Array) -> Array:
    x, z = _turned(x, z)
    return shapes.box(x, y - 0.96, z, 0.56, 0.62, 0.2, 0.1)


def _liquid(x: Array, y: Array, z: Array) -> Array:
    return shapes.common(_inner(x, y, z), y - 1.36)


def _hollow(x: Array, y: Array, z: Array) -> Array:
    return shapes.common(_inner(x, y, z), 1.36 - y)


def _collar(x: Array, y: Array, z: Array) -> Array:
    x, z = _turned(x, z)
    ring = shapes.cylinder(x, y - 1.77, z, 0.235, 0.07, 0.02)
    groove = np.abs(np.mod((y - 1.7) * 22.0, 1.0) - 0.5) * 0.012
    return f32(ring + groove)


def _cap(x: Array, y: Array, z: Array) -> Array:
    x, z = _turned(x, z)
    block = shapes.box(x, y - 2.16, z, 0.33, 0.32, 0.28, 0.025)
    return np.maximum(block, (np.abs(x) + np.abs(z) - 0.52) * 0.7071)


def _plate(x: Array, y: Array, z: Array) -> Array:
    """A thin brass frame on the front."""
    x, z = _turned(x, z)
    frame = np.abs(shapes.rectangle(x, y - 0.9, 0.26, 0.34)) - 0.010
    diamond = np.abs(np.abs(x) * 1.5 + np.abs(y - 0.9) - 0.19) * 0.55 - 0.009
    inner = np.abs(np.abs(x) * 1.5 + np.abs(y - 0.9) - 0.1) * 0.55 - 0.007
    return shapes.common(shapes.join(frame, diamond, inner), np.abs(z - 0.364) - 0.008)


def _clear(p: Array, n: Array) -> Coat:
    return Coat(np.zeros_like(p), vec(0.045, 0.045, 0.045), 0.0)


def _gold(p: Array, n: Array) -> Coat:
    brushed = noise.gradient(p[0] * 8.0 + p[2] * 8.0, p[1] * 240.0)
    return Coat(
        np.zeros_like(p),
        np.broadcast_to(rgb("f0c27e"), p.shape),
        0.2,
        normal=normalize(n + vec(0.0, 1.0, 0.0) * brushed * 0.05),
    )


def _gilt(p: Array, n: Array) -> Coat:
    return Coat(np.broadcast_to(rgb("e0a95c"), p.shape), vec(0.35, 0.25, 0.14), 0.3, glow=rgb("8a5a26") * 0.25)


def _lacquer(p: Array, n: Array) -> Coat:
    return Coat(rgb("120c0a") * np.ones_like(p), vec(0.08, 0.07, 0.06), 0.03)


def _wet(p: Array, n: Array) -> Coat:
    """Black stone under a film of water that is not quite even."""
    pool = smoothstep(-0.25, 0.3, noise.fbm(p[0] * 0.8 + 4.0, p[2] * 0.8, 4))
    slope = np.stack([noise.fbm(p[0] * 2.3 + k, p[2] * 2.3, 3) for k in (0.0, 40.0)]) * (0.003 + 0.012 * (1.0 - pool))
    bumped = normalize(n + vec(1.0, 0.0, 0.0) * slope[0] + vec(0.0, 0.0, 1.0) * slope[1])
    stone = mix(rgb("17110e"), rgb("2b211b"), clamp(0.5 + noise.fbm(p[0] * 3.0, p[2] * 3.0, 5)))
    return Coat(stone, vec(0.04, 0.04, 0.04) * (0.4 + 0.6 * pool), 0.0, normal=bumped, grazing=1.0)


_DISCS = np.random.default_rng(12).uniform(0.0, 1.0, (4, 22))
_BOKEH = [
    (float(x * 0.36 - 0.18), float(y * 0.21 - 0.01), float(0.005 + 0.010 * r), float(0.12 + b**3))
    for x, y, r, b in _DISCS.T
]


def _sky(direction: Array) -> Array:
    """A dark room with a warm glow behind the bottle and lights far out of focus."""
    near = dot(direction, normalize(vec(0.02, -0.02, -1.0))) - 1.0
    up = clamp(0.5 + 0.5 * direction[1])
    result = (
        rgb("150d0c") * (0.4 + 0.6 * up)
        + rgb("8a3a14") * (0.55 * np.exp(near * 24.0))
        + rgb("ffb466") * (1.5 * np.exp(near * 170.0))
    )
    depth = np.minimum(direction[2], -0.2)
    x, y, ahead = -direction[0] / depth, -direction[1] / depth, direction[2] < -0.2
    for left, top, radius, bright in _BOKEH:
        far = np.sqrt((x - left) ** 2 + (y - top) ** 2) / radius
        disc = smoothstep(1.0, 0.8, far) * (0.65 + 0.35 * smoothstep(0.4, 0.9, far)) * ahead
        result = result + mix(rgb("ff7a2a"), rgb("ffb765"), bright) * disc * (bright * 0.42)
    return f32(result)


def _scene() -> Scene:
    middle = (0.0, 0.86, 0.0)
    parts = [
        Part(_outer, _clear, middle, 1.2),
        Part(_collar, _gold, (0.0, 1.77, 0.0), 0.3),
        Part(_cap, _lacquer, (0.0, 2.16, 0.0), 0.56),
        Part(_plate, _gilt, (0.12, 0.9, 0.35), 0.5),
    ]
    bottle = Bottle(0, _outer, _liquid, _hollow, f32([[0.25], [1.05], [3.4]]), middle, (0.75, 0.85, 0.42))
    lights = [
        panel((-3.4, 2.6, 1.4), (0.0, 1.0, 0.0), 0.8, 4.0, vec(1.0, 0.93, 0.86) * 9.0, samples=8),
        panel((3.6, 2.4, -0.6), (0.0, 1.0, 0.0), 0.9, 4.2, vec(1.0, 0.8, 0.6) * 9.0, samples=8),
        panel((-4.3, 3.4, 4.6), (0.0, 1.3, 0.0), 1.5, 4.4, vec(1.0, 0.9, 0.8) * 2.2, samples=6),
        panel((0.3, 5.4, -0.5), (0.0, 1.0, 0.0), 1.6, 1.0, vec(1.0, 0.95, 0.9) * 7.0, samples=6),
    ]
    return Scene(
        parts, [Plane((0.0, 1.0, 0.0), 0.0, _wet)], lights, _sky, rgb("1a100c") * 0.5, bottle=bottle, haze=26.0
    )


def picture(width: int, height: int, quality: Quality) -> Array:
    return render(_scene(), Camera(_EYE, (0.0, 1.02, 0.0), 23.0), width, height, quality)


FILM = Film(exposure=1.15, bloom=0.1, vignette=0.35)
