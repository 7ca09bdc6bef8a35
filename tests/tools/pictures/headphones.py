"""Cream headphones with tan leather on a periwinkle set of plinths and an arch."""

import numpy as np

from pictures import noise, shapes
from pictures.arrays import Array, clamp, mix, normalize, rgb, smoothstep, vec
from pictures.film import Film
from pictures.scene import Camera, Coat, Light, Paint, Part, Plane, Scene, Sun, panel
from pictures.studio import Quality, render

_TOP = 0.62
_LIFT = _TOP + 0.44
_TURN = 0.62


def _place(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    """Into the headphones' own coordinates: the ears at x = +-0.8, the band above."""
    x, z = shapes.turn(x, z, _TURN)
    y = y - _LIFT
    z, y = shapes.turn(z, y, -0.1)
    return x, y, z


def _arc(x: Array, y: Array, ring: float) -> tuple[Array, Array]:
    """Outward from an arc of that radius, and along it from the crown (radians)."""
    stretched = y * 0.86
    return np.sqrt(x * x + stretched * stretched) - ring, np.arctan2(np.abs(x), stretched)


def _band(x: Array, y: Array, z: Array) -> Array:
    x, y, z = _place(x, y, z)
    out, around = _arc(x, y - 0.12, 0.86)
    wide = 0.15 - 0.075 * smoothstep(0.5, 1.5, around)
    return shapes.common(shapes.rectangle(out, z, 0.03, wide, 0.026), 0.12 - y) * 0.85


def _pad(x: Array, y: Array, z: Array) -> Array:
    x, y, z = _place(x, y, z)
    out, around = _arc(x, y - 0.12, 0.795)
    pillow = shapes.rectangle(out, z, 0.05 - 0.006 * np.cos(around * 24.0), 0.135, 0.048)
    return shapes.cut(pillow, (0.98 - around) * 0.8, 0.06) * 0.85


def _ear(x: Array) -> Array:
    """Along the axis of the nearer ear cup, outward."""
    return np.abs(x) - 0.8


def _metal(x: Array, y: Array, z: Array) -> Array:
    """Sliders, yokes and the ring on each cup."""
    x, y, z = _place(x, y, z)
    out = _ear(x)
    slider = shapes.box(out - 0.075, y - 0.32, z, 0.014, 0.24, 0.04, 0.012)
    yoke = shapes.torus(y, out - 0.06, z, 0.475, 0.021)
    yoke = np.maximum(yoke, -0.02 - y)
    pin = shapes.capsule((out, y, np.abs(z)), (0.06, 0.0, 0.36), (0.06, 0.0, 0.48))[0] - 0.03
    ring = shapes.torus(y, out - 0.135, z, 0.3, 0.012)
    return shapes.join(slider, shapes.union(yoke, pin, 0.03), ring) * 0.9


def _shell(x: Array, y: Array, z: Array) -> Array:
    x, y, z = _place(x, y, z)
    out = _ear(x)
    cup = shapes.cylinder(y, out - 0.05, z, 0.42, 0.085, 0.07)
    dish = shapes.ellipsoid(y, out - 0.19, z, 0.29, 0.075, 0.29)
    cup = shapes.cut(cup, dish, 0.03)
    joint = shapes.box(out - 0.07, y - 0.53, z, 0.03, 0.055, 0.055, 0.025)
    return np.minimum(cup, joint) * 0.9


def _cushion(x: Array, y: Array, z: Array) -> Array:
    x, y, z = _place(x, y, z)
    inward = -_ear(x)
    ring = np.sqrt(y * y + z * z)
    return shapes.rectangle(ring - 0.3, inward - 0.115, 0.13, 0.1, 0.09) * 0.95


def _cloth(x: Array, y: Array, z: Array) -> Array:
    x, y, z = _place(x, y, z)
    return shapes.cylinder(y, -_ear(x) - 0.06, z, 0.25, 0.02)


def _cream(p: Array, n: Array) -> Coat:
    grit = noise.value(p[0] * 260.0, p[1] * 260.0, p[2] * 260.0) - 0.5
    return Coat(rgb("e9dfd0") * (1.0 + 0.03 * grit), vec(0.04, 0.04, 0.04), 0.36, grazing=0.6)


def _brass(p: Array, n: Array) -> Coat:
    return Coat(np.zeros_like(p), np.broadcast_to(rgb("e6b98a"), p.shape), 0.16)


def _leather(p: Array, n: Array) -> Coat:
    fold = noise.solid(p[0] * 9.0, p[1] * 9.0, p[2] * 9.0, 3)
    pores = np.stack([noise.value(p[0] * 110.0 + k, p[1] * 110.0, p[2] * 110.0) for k in (0.0, 31.7, 67.1)]) - 0.5
    tone = mix(rgb("9c6238"), rgb("b4774a"), clamp(fold * 1.4 - 0.2))
    return Coat(tone, vec(0.04, 0.04, 0.04), 0.4, normal=normalize(n + pores * 0.1), grazing=0.5)


def _mesh(p: Array, n: Array) -> Coat:
    return Coat(rgb("3c3a3f") * np.ones_like(p))


def _set(tone: str) -> Paint:
    def paint(p: Array, n: Array) -> Coat:
        grit = noise.value(p[0] * 140.0, p[1] * 140.0, p[2] * 140.0) - 0.5
        return Coat(rgb(tone) * (1.0 + 0.02 * grit))

    return paint


def _plinths(x: Array, y: Array, z: Array) -> Array:
    main = shapes.cylinder(x, y - _TOP / 2 + 0.1, z, 1.42, _TOP / 2 + 0.1, 0.025)
    low = shapes.cylinder(x + 1.15, y - 0.04, z - 1.1, 0.72, 0.24, 0.02)
    return np.minimum(main, low)


def _arch(x: Array, y: Array, z: Array) -> Array:
    """A slab with a round-headed opening, behind."""
    x, z = x - 0.45, z + 1.75
    around = np.where(y > 1.22, np.sqrt(x * x + (y - 1.22) ** 2), np.abs(x))
    return shapes.rectangle(around - 1.42, z, 0.2, 0.24, 0.02) * 0.95


def _ball(x: Array, y: Array, z: Array) -> Array:
    return np.minimum(
        shapes.sphere(x + 1.16, y - 0.28 - 0.2, z - 1.2, 0.2), shapes.sphere(x - 1.28, y - 0.14, z - 1.25, 0.14)
    )


def _sky(direction: Array) -> Array:
    return mix(rgb("8c8fb8"), rgb("f2ecf0"), clamp(0.5 + 0.5 * direction[1])) * 0.75


def _scene() -> Scene:
    parts = [
        Part(_band, _cream, (0.0, _LIFT + 0.6, 0.0), 1.2),
        Part(_pad, _leather, (0.0, _LIFT + 0.75, 0.0), 1.0),
        Part(_metal, _brass, (0.0, _LIFT + 0.1, 0.0), 1.2),
        Part(_shell, _cream, (0.0, _LIFT + 0.05, 0.0), 1.2),
        Part(_cushion, _leather, (0.0, _LIFT, 0.0), 1.1),
        Part(_cloth, _mesh, (0.0, _LIFT, 0.0), 1.0),
        Part(_plinths, _set("a4b0e0"), (-0.4, 0.3, 0.3), 2.2),
        Part(_arch, _set("b9c2ea"), (0.5, 1.5, -1.75), 2.4),
        Part(_ball, _brass, (0.0, 0.4, 1.0), 2.0),
    ]
    planes = [Plane((0.0, 1.0, 0.0), 0.0, _set("a9b4e4")), Plane((0.0, 0.0, 1.0), -3.4, _set("a9b4e4"))]
    lights: list[Light] = [
        Sun(normalize(vec(-0.7, 0.75, 0.65)), 0.008, vec(1.0, 0.9, 0.78) * 4.4),
        panel((-3.2, 4.6, 3.4), (0.0, 1.2, 0.0), 2.6, 2.6, vec(1.0, 0.97, 0.94) * 5.0, samples=8),
        panel((4.2, 2.4, 1.6), (0.0, 1.2, 0.0), 0.8, 3.6, vec(0.95, 0.9, 1.0) * 4.0, samples=5),
    ]
    return Scene(parts, planes, lights, _sky, rgb("a3a8d0") * 0.3)


def picture(width: int, height: int, quality: Quality) -> Array:
    camera = Camera((-0.1, 2.05, 9.6), (-0.02, 1.24, 0.0), 20.0)
    return render(_scene(), camera, width, height, quality)


FILM = Film(exposure=0.95, bloom=0.04, vignette=0.2, grain=0.0)
