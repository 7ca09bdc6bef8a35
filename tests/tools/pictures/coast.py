"""A rocky coast under a full moon."""

import numpy as np

from pictures import land, noise
from pictures.arrays import Array, clamp, dot, f32, mix, normalize, reflect, rgb, smoothstep, vec
from pictures.film import Film
from pictures.land import Vista
from pictures.studio import Quality

_TOWER = (3.05, 14.2)
"""Where the lighthouse stands: to the right, and ahead."""
_MOON = normalize(vec(-0.14, 0.235, 1.0))
_WAVES = [
    (float(a), float(k), float(s))
    for a, k, s in zip(
        np.random.default_rng(3).normal(0.25, 0.5, 14),
        np.geomspace(0.25, 7.0, 14),
        np.random.default_rng(4).uniform(0.0, 6.3, 14),
        strict=True,
    )
]


def _sea(x: Array, z: Array, finest: float) -> Array:
    """Waves of many lengths, the crests sharper than the troughs."""
    result = np.zeros_like(x)
    bend = noise.gradient(x * 0.12, z * 0.12)
    for angle, pitch, start in _WAVES:
        if pitch > finest:
            break
        phase = (x * np.sin(angle) + z * np.cos(angle)) * pitch + start + 1.6 * bend
        result = result + (1.0 - np.abs(np.sin(phase * 0.5))) * (0.055 / pitch**0.82)
    return f32(result - 0.12)


def _rocks(x: Array, z: Array) -> Array:
    """A headland on the right with stacks before it."""
    rough = noise.eroded(x * 0.30 + 7.0, z * 0.30 + 3.0, 9)
    aside = (x - 0.02 * z - 1.0 + 1.3 * (rough - 0.6)) / (0.16 * z + 1.2)
    head = smoothstep(0.1, 0.75, aside) * smoothstep(10.6, 13.2, z + 2.2 * (rough - 0.7)) * smoothstep(70.0, 24.0, z)
    result = head * (1.0 + 1.5 * rough * smoothstep(10.0, 30.0, z)) - 0.5
    for left, deep, wide, high in (
        (0.75, 13.2, 0.42, 1.5),
        (0.15, 15.2, 0.26, 0.95),
        (1.55, 11.2, 0.34, 0.75),
        (-0.5, 19.0, 0.3, 0.8),
    ):
        far = np.hypot(x - left, z - deep) / wide + 1.1 * (rough - 0.6)
        result = np.maximum(result, high * (1.0 - smoothstep(0.1, 1.5, far)) * (0.55 + 0.8 * rough) - 0.25)
    return f32(result)


def _tower(x: Array, z: Array) -> Array:
    """The lighthouse, a little narrower above."""
    far = np.hypot(x - _TOWER[0], z - _TOWER[1])
    return f32(np.where(far < 0.07, 2.72, np.where(far < 0.145, 2.43, 2.5 - 26.0 * (far - 0.11))))


def _ground(x: Array, z: Array) -> Array:
    return f32(np.maximum(np.maximum(_sea(x, z, 3.0), _rocks(x, z)), _tower(x, z)))


def _moon(direction: Array) -> Array:
    toward = dot(direction, _MOON)
    disc = smoothstep(np.cos(0.0235), np.cos(0.0220), toward)
    maria = noise.solid(direction[0] * 55.0, direction[1] * 55.0, direction[2] * 5.0, 5)
    face = rgb("fff4dc") * (1.0 - 0.55 * smoothstep(0.42, 0.66, maria)) * 1.25
    return f32(face * disc)


def _clouds(direction: Array) -> tuple[Array, Array]:
    """How thick the clouds are, and how thick a little nearer to the moon."""
    thick = []
    for shift in (0.0, 0.035):
        way = direction + _MOON * shift
        x, y = way[0] / (way[1] + 0.1), way[2] / (way[1] + 0.1)
        body = noise.fbm(x * 0.62 + 4.0, y * 0.95 + 1.0, 7, 0.52)
        thick.append(smoothstep(-0.02, 0.75, body + 0.12))
    return thick[0], thick[1]


def _sky(direction: Array) -> Array:
    direction = np.stack([direction[0], np.maximum(direction[1], 0.004), direction[2]])
    high, toward = direction[1], dot(direction, _MOON) - 1.0
    result = mix(rgb("3d5878"), rgb("0d1a33"), smoothstep(0.0, 0.42, high))
    result = result + rgb("cfe0ff") * (noise.specks(direction, 240.0, 0.10) * smoothstep(0.05, 0.35, high))
    thick, toward_moon = _clouds(direction)
    glow = np.exp(toward * 26.0)
    lit = clamp(0.5 + 1.6 * (thick - toward_moon)) * (0.10 + 0.9 * glow)
    cloud = mix(rgb("101b30"), rgb("c9d6ea"), clamp(lit * 0.85))
    cover = thick * smoothstep(0.0, 0.09, high) * 0.9
    result = mix(result + _moon(direction), cloud, f32(cover * (1.0 - 0.45 * np.exp(toward * 900.0))))
    return f32(result + rgb("b9cdee") * (0.42 * np.exp(toward * 60.0) + 0.10 * np.exp(toward * 9.0)))


def _water(x: Array, z: Array, direction: Array) -> Array:
    step = f32(0.004 + 0.0011 * z)
    here = _sea(x, z, 8.0)
    slope_x, slope_z = (_sea(x + step, z, 8.0) - here) / step, (_sea(x, z + step, 8.0) - here) / step
    fade = 1.0 / (1.0 + 0.018 * z)
    chop = np.stack([noise.fbm(x * 5.0 + k, z * 5.0, 3) for k in (0.0, 60.0)]) * 0.10
    normal = normalize(np.stack([-(slope_x + chop[0]) * fade, np.ones_like(x), -(slope_z + chop[1]) * fade]))
    way = reflect(direction, normal)
    way = normalize(np.stack([way[0], np.abs(way[1]) + 0.01, way[2]]))
    share = 0.02 + 0.98 * (1.0 - clamp(-dot(direction, normal))) ** 5
    glint = np.exp((dot(way, _MOON) - 1.0) * 420.0) * 5.0 + np.exp((dot(way, _MOON) - 1.0) * 60.0) * 0.5
    foam = _foam(x, z)
    deep = mix(rgb("081521"), rgb("14384a"), clamp(here * 3.0 + 0.4))
    colour = deep * 0.35 * (1.0 - share) + (_sky(way) * 0.8 + rgb("fff0d4") * glint) * share
    return mix(colour, rgb("a9bfd6") * 0.42, foam)


def _foam(x: Array, z: Array) -> Array:
    """White water about the rocks."""
    near = smoothstep(-0.30, -0.05, _rocks(x, z))
    lace = smoothstep(0.1, 0.55, noise.fbm(x * 2.4, z * 2.4, 5) + 0.9 * near - 0.35)
    return f32(clamp(near * lace * 1.2))


def _land(x: Array, y: Array, z: Array, direction: Array, sky: Array) -> Array:
    stone = np.maximum(_rocks(x, z), _tower(x, z)) >= _sea(x, z, 3.0)
    colour = np.empty_like(direction)
    wet, dry = np.flatnonzero(~stone), np.flatnonzero(stone)
    colour[:, wet] = _water(x[wet], z[wet], direction[:, wet])
    colour[:, dry] = _stone(x[dry], y[dry], z[dry], direction[:, dry])
    toward = np.exp((dot(direction, _MOON) - 1.0) * 14.0)
    air = mix(rgb("2c4260"), rgb("9fb6d6"), clamp(0.6 * toward)) * 0.8
    return mix(colour, mix(air, sky, 0.3), f32(1.0 - np.exp(-z * 0.011)))


def _stone(x: Array, y: Array, z: Array, direction: Array) -> Array:
    tower = np.hypot(x - _TOWER[0], z - _TOWER[1]) < 0.205
    round_ = normalize(np.stack([x - _TOWER[0], np.full_like(x, 0.02), z - _TOWER[1]]))
    normal = np.where(tower, round_, land.normals(_rocks, x, z, z))
    lit = np.where(tower, 1.0, land.shadow(_rocks, np.stack([x, y + 0.02, z]), _MOON, 6.0, 10, 0.06))
    albedo = mix(rgb("23272b"), rgb("4a4d4e"), clamp(0.5 + noise.fbm(x * 3.0, z * 3.0 + y * 4.0, 5)))
    albedo = np.where(tower, rgb("b9b4aa") * np.where(np.mod(y, 0.8) > 0.4, 0.45, 1.0), albedo)
    half = normalize(_MOON - direction)
    gleam = np.maximum(dot(normal, half), 0.0) ** 26 * smoothstep(0.9, 0.0, y) * lit
    ambient = rgb("4a6284") * (0.5 + 0.55 * normal[1])
    return f32(
        albedo * (ambient + rgb("c9d8f2") * (1.5 * lit * np.maximum(dot(normal, _MOON), 0.0)))
        + rgb("dbe6fa") * gleam * 0.5
    )


def picture(width: int, height: int, quality: Quality) -> Array:
    vista = Vista(width, height, 1.15, 0.56, 1.1, 1.0, 260.0)
    image = land.paint(vista, _ground, vista.eye, vista.slopes(quality.supersample), _sky, _land, quality.supersample)
    return image + _lantern(vista)


def _lantern(vista: Vista) -> Array:
    """The lamp of the lighthouse, its halo, and two faint beams."""
    x, y = np.meshgrid(vista.across() - _TOWER[0] / _TOWER[1], vista.slopes() - (2.58 - vista.eye) / _TOWER[1])
    far = np.hypot(x, y)
    lamp = 6.0 * np.exp(-((far / 0.0042) ** 2)) + 0.5 * np.exp(-far / 0.014) + 0.12 * np.exp(-far / 0.06)
    for tilt in (0.10, np.pi + 0.10):
        along, off = x * np.cos(tilt) + y * np.sin(tilt), y * np.cos(tilt) - x * np.sin(tilt)
        width = 0.004 + 0.07 * np.maximum(along, 0.0)
        lamp = lamp + (along > 0.0) * 0.22 * np.exp(-((off / width) ** 2)) * np.exp(-along / 0.16) * smoothstep(
            0.0, 0.01, f32(along)
        )
    return f32(rgb("ffc478").reshape(3, 1, 1) * lamp)


FILM = Film(exposure=1.25, bloom=0.14, vignette=0.3, grain=0.004, contrast=1.05)
