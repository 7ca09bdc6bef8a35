"""A celadon teapot and two cups on an oak board, in morning light that falls through palm leaves."""

import numpy as np

from pictures import noise, shapes
from pictures.arrays import Array, clamp, f32, mix, normalize, rgb, smoothstep, vec
from pictures.film import Film
from pictures.foliage import shadow
from pictures.scene import Camera, Coat, Light, Part, Plane, Scene, Screen, Sun, panel
from pictures.shapes import moved
from pictures.studio import Quality, render

_CUPS = ((-1.55, 0.95), (-0.55, 1.75))
_POT = 0.35
_BOARD = 0.1


def _body(x: Array, y: Array, z: Array) -> Array:
    y = y - _BOARD
    belly = shapes.ellipsoid(x, y - 0.74, z, 1.0, 0.7, 1.0)
    foot = shapes.cylinder(x, y - 0.07, z, 0.56, 0.07, 0.03)
    neck = shapes.cylinder(x, y - 1.33, z, 0.49, 0.085, 0.03)
    pot = shapes.union(shapes.union(belly, foot, 0.12), neck, 0.18)
    tube, along = shapes.bend(x, y, z, (0.7, 0.5), (1.38, 0.52), (1.6, 1.3))
    radius = 0.27 - 0.16 * smoothstep(0.0, 0.8, along) + 0.02 * along * along
    spout = np.maximum(tube - radius, 0.26 * (x - 1.6) + 0.966 * (y - 1.28))
    pot = shapes.union(pot, spout, 0.2)
    hollow = np.maximum(tube - radius + 0.03, 0.6 - along)
    pot = shapes.cut(pot, hollow, 0.02)
    ring = shapes.torus(x + 1.08, z, y - 0.84, 0.46, 0.082)
    ring = np.where(x > -0.5, np.abs(x + 0.5) + 0.2, ring)
    return shapes.union(pot, ring, 0.14) * 0.9


def _lid(x: Array, y: Array, z: Array) -> Array:
    y = y - _BOARD
    dome = np.maximum(shapes.ellipsoid(x, y - 1.38, z, 0.535, 0.24, 0.535), 1.425 - y)
    knob = shapes.ellipsoid(x, y - 1.76, z, 0.15, 0.13, 0.15)
    stalk = shapes.cylinder(x, y - 1.62, z, 0.07, 0.09)
    return shapes.union(dome, shapes.union(knob, stalk, 0.09), 0.1) * 0.9


def _cup(x: Array, y: Array, z: Array) -> Array:
    y = y - _BOARD
    outer = shapes.ellipsoid(x, y - 0.52, z, 0.44, 0.5, 0.44)
    bowl = np.maximum(np.abs(outer + 0.022) - 0.022, y - 0.55)
    lip = shapes.torus(x, y - 0.55, z, 0.419, 0.022)
    foot = shapes.cylinder(x, y - 0.05, z, 0.2, 0.05, 0.02)
    return shapes.union(shapes.union(bowl, foot, 0.06), lip, 0.012) * 0.8


def _tea(x: Array, y: Array, z: Array) -> Array:
    return shapes.cylinder(x, y - 0.42 - _BOARD, z, 0.4, 0.01)


def _tray(x: Array, y: Array, z: Array) -> Array:
    return shapes.cylinder(x - 0.1, y - _BOARD / 2, z - 0.35, 2.35, _BOARD / 2, 0.03)


def _glaze(p: Array, n: Array) -> Array:
    """Celadon: pale where it runs thin over edges, deep where it pools."""
    cloud = noise.solid(p[0] * 2.2, p[1] * 3.5, p[2] * 2.2, 4)
    tone = mix(rgb("5f8f84"), rgb("8fb3a2"), clamp(cloud * 1.6 - 0.35))
    tone = mix(tone, rgb("42503f"), 0.7 * noise.specks(p, 16.0, 0.5))
    low = smoothstep(0.34, 0.14, p[1] + 0.06 * cloud)
    return mix(tone, rgb("b58d68"), low)


def _ceramic(p: Array, n: Array) -> Coat:
    bare = smoothstep(0.34, 0.14, p[1])
    wave = vec(1.0, 0.0, 0.0) * (noise.value(p[0] * 5.0, p[1] * 5.0, p[2] * 5.0) - 0.5) * 0.03
    return Coat(_glaze(p, n), vec(0.05, 0.05, 0.05) * (1.0 - 0.9 * bare), 0.12, normal=normalize(n + wave))


def _liquor(p: Array, n: Array) -> Coat:
    return Coat(rgb("9a4f16") * np.ones_like(p), vec(0.03, 0.03, 0.03), 0.02)


def _oak(p: Array, scale: float, dark: str, light: str) -> Array:
    warp = noise.fbm(p[0] * 0.5 * scale, p[2] * 1.7 * scale, 3)
    rings = np.mod((p[2] * 2.6 + warp * 0.9 + 0.2 * p[0]) * scale, 1.0)
    band = smoothstep(0.0, 0.75, rings) * smoothstep(1.0, 0.85, rings)
    fibre = noise.fbm(p[0] * 3.5 * scale, p[2] * 90.0 * scale, 3)
    return mix(rgb(dark), rgb(light), clamp(0.75 - 0.5 * band + 0.28 * fibre))


def _board(p: Array, n: Array) -> Coat:
    grain = noise.gradient(p[0] * 4.0, p[2] * 110.0)
    bumped = normalize(n + vec(0.0, 0.0, 1.0) * grain * 0.05)
    return Coat(_oak(p, 1.0, "4a2f1d", "8a6242"), vec(0.035, 0.035, 0.035), 0.22, normal=bumped, grazing=0.5)


def _stone(p: Array, n: Array) -> Coat:
    """The table: a pale stone with faint clouds."""
    cloud = noise.fbm(p[0] * 0.9, p[2] * 0.9, 5)
    grit = noise.gradient(p[0] * 60.0, p[2] * 60.0)
    return Coat(
        mix(rgb("d6cbb8"), rgb("e4dccd"), clamp(0.5 + 0.6 * cloud)) * (1.0 + 0.04 * grit),
        vec(0.03, 0.03, 0.03),
        0.38,
        grazing=0.45,
    )


def _plaster(p: Array, n: Array) -> Coat:
    trowel = noise.fbm(p[0] * 0.8 + 3.0, p[1] * 0.8, 4, 0.4)
    bump = vec(1.0, 0.0, 0.0) * noise.fbm(p[0] * 6.0, p[1] * 6.0, 5) * 0.012
    return Coat(mix(rgb("b88f79"), rgb("c09a83"), clamp(0.5 + 0.5 * trowel)), normal=normalize(n + bump))


_SUN = normalize(vec(-0.75, 0.62, 0.62))
_LEAVES = [
    (-4.0, 4.0, -0.10, 3.0),
    (-3.4, 4.9, -0.45, 3.6),
    (-0.6, 5.0, -0.75, 2.3),
    (4.3, 4.3, -2.75, 2.6),
    (-4.2, 2.7, -0.05, 1.9),
]


def _shade(p: Array) -> Array:
    """The branches, placed by where their shadows fall on the wall."""
    away = (p[2] + 3.2) / _SUN[2]
    return f32(0.9 * shadow(p[0] - _SUN[0] * away, p[1] - _SUN[1] * away, _LEAVES, 0.05))


def _sky(direction: Array) -> Array:
    up = clamp(0.5 + 0.5 * direction[1])
    return mix(rgb("b9a58c"), rgb("dfe6ec"), up) * 0.55


def _scene() -> Scene:
    parts = [
        Part(moved(_body, _POT, 0.0), _ceramic, (_POT + 0.1, 0.85, 0.0), 1.75),
        Part(moved(_lid, _POT, 0.0), _ceramic, (_POT, 1.7, 0.0), 0.62),
        Part(_tray, _board, (0.1, 0.05, 0.35), 2.4),
    ]
    for x, z in _CUPS:
        parts += [
            Part(moved(_cup, x, z), _ceramic, (x, 0.4, z), 0.6),
            Part(moved(_tea, x, z), _liquor, (x, 0.52, z), 0.45),
        ]
    planes = [Plane((0.0, 1.0, 0.0), 0.0, _stone), Plane((0.0, 0.0, 1.0), -3.2, _plaster)]
    lights: list[Light] = [
        Sun(_SUN, 0.0025, vec(1.0, 0.83, 0.6) * 6.0),
        panel((-4.6, 3.4, 3.2), (0.2, 0.8, 0.0), 1.7, 2.6, vec(1.0, 0.97, 0.92) * 7.0, samples=8, panes=2),
        panel((5.0, 3.0, 2.5), (0.0, 0.8, 0.0), 0.7, 3.2, vec(0.75, 0.86, 1.0) * 2.4, samples=4),
    ]
    return Scene(parts, planes, lights, _sky, rgb("c9b596") * 0.28, [Screen((0.0, 0.0, 1.0), 4.2, _shade)])


def picture(width: int, height: int, quality: Quality) -> Array:
    camera = Camera((0.15, 2.4, 8.8), (0.05, 1.06, 0.0), 27.5)
    return _with_steam(render(_scene(), camera, width, height, quality))


def _with_steam(image: Array) -> Array:
    """Wisps over the cups: thin where they leave the tea, wider and fainter as they rise."""
    _, height, width = image.shape
    y, x = np.mgrid[0:height, 0:width] / np.float32(width)
    result = image
    for left, top, seed in ((0.192, 0.470, 3.0), (0.370, 0.512, 8.0)):
        up = f32(((top - y) / 0.25).ravel())
        drift = 0.035 * up * noise.gradient(up * 1.6 + seed, np.full_like(up, seed)) + 0.012 * up
        across = f32((x.ravel() - left - drift) / (0.026 + 0.030 * np.maximum(up, 0.0)))
        u, v = across * 1.1 + 0.5 * noise.fbm(across * 0.8 + seed, up * 2.2, 2), up * 1.9 - 0.4 * np.abs(across)
        wisp = (1.0 - np.abs(noise.fbm(u + seed, v + 2.0 * seed, 3))) ** 5
        body = np.exp(-across * across * 1.6) * smoothstep(-0.02, 0.12, up) * smoothstep(1.0, 0.25, up)
        result = result + rgb("fff0dc").reshape(3, 1, 1) * (0.34 * wisp * body).reshape(height, width)
    return f32(result)


FILM = Film(exposure=0.95, bloom=0.05, vignette=0.3, tint=(1.03, 1.0, 0.96))
