"""Dunes in the last hour of light."""

import numpy as np

from pictures import land, noise
from pictures.arrays import Array, clamp, dot, f32, mix, normalize, rgb, smoothstep, vec
from pictures.film import Film
from pictures.land import Vista
from pictures.studio import Quality

_SUN = normalize(vec(-0.9, 0.24, 0.34))


def _crested(wave: Array, soft: Array) -> Array:
    """From noise to dunes: a crest where the noise changes sign, one side steeper than the other."""
    away = 1.075 * np.sqrt(wave * wave + soft * soft) + 0.275 * wave
    return f32(np.exp(-2.2 * away))


def _hero(x: Array, z: Array) -> Array:
    """The great dune whose crest leads from the foreground into the picture."""
    crest = -0.35 + 2.1 * np.sin(z * 0.26 - 0.5) * smoothstep(0.5, 8.0, z) + 0.07 * z
    away = x - crest
    near = np.sqrt(away * away + 0.0025 + 1e-5 * z * z)
    high = 1.05 + 2.3 * smoothstep(2.0, 20.0, z) + 0.4 * np.sin(z * 0.17 + 1.0)
    return f32(high * np.exp(-0.44 * near - 0.14 * away) * smoothstep(46.0, 24.0, z))


def _smooth_ground(x: Array, z: Array) -> Array:
    warp = noise.fbm(x * 0.03 + 4.0, z * 0.03, 2) * 6.0
    broad = noise.gradient((x + warp) * 0.05 + 2.3, (z - 0.6 * warp) * 0.06 + 7.7)
    minor = noise.gradient((x - 0.5 * warp) * 0.14 + 5.0, z * 0.15 + 0.3 * warp + 1.0)
    far, soft = smoothstep(10.0, 40.0, z), 0.012 + 0.0005 * z
    rolling = (1.0 + 3.3 * far) * _crested(broad, soft) + (0.3 + 0.12 * far) * _crested(minor, soft * 2.0)
    return _blend(_hero(x, z), f32(rolling * (0.45 + 0.55 * far) - 0.6))


def _blend(a: Array, b: Array) -> Array:
    """The higher of two, with a soft foot where they meet."""
    h = np.maximum(0.9 - np.abs(a - b), 0.0) / 0.9
    return f32(np.maximum(a, b) + h * h * 0.225)


def _ripples(x: Array, z: Array) -> Array:
    """Wind ripples; they fade with the distance, before they would flicker."""
    bent = noise.fbm(x * 0.7, z * 0.7, 3)
    wave = np.sin((x * 0.9 + z * 0.35 + 0.5 * bent) * 30.0 + 2.0 * noise.gradient(x * 2.5, z * 2.5))
    return f32(0.0052 * wave * (0.6 + 0.5 * noise.gradient(x * 0.5 + 9.0, z * 0.5)) * np.exp(-0.13 * z))


def _sky(direction: Array) -> Array:
    high = np.maximum(direction[1], 0.0)
    toward = dot(direction, _SUN) - 1.0
    result = mix(rgb("ffc68c"), rgb("f3bfa6"), smoothstep(0.0, 0.15, high))
    result = mix(result, rgb("4f86cc"), smoothstep(0.08, 0.36, high))
    x, y = direction[0] / (high + 0.15), direction[2] / (high + 0.15)
    streak = noise.fbm(x * 0.5 + 0.6 * y, y * 1.5 + 3.0, 6)
    cloud = smoothstep(0.1, 0.9, streak + 0.1) * smoothstep(0.03, 0.16, high)
    result = mix(result * 1.1, rgb("ffd9b8") * 1.15, cloud * 0.5)
    return f32(result + rgb("ffb06a") * (1.5 * np.exp(toward * 3.6)))


def _sand(x: Array, y: Array, z: Array, direction: Array, sky: Array) -> Array:
    normal = land.normals(lambda a, b: f32(_smooth_ground(a, b) + _ripples(a, b)), x, z, 0.5 * z)
    lit = land.shadow(_smooth_ground, np.stack([x, y + 0.015, z]), _SUN, 16.0, 14, 0.035)
    facing = np.maximum(dot(normal, _SUN), 0.0)
    grain = noise.gradient(x * 90.0, z * 90.0) * np.exp(-0.25 * z)
    albedo = mix(rgb("cf9c6a"), rgb("e0b684"), clamp(0.5 + 0.8 * noise.fbm(x * 0.3, z * 0.3, 4) + 0.25 * grain))
    ambient = mix(rgb("8a6a66"), rgb("8fa4d8"), clamp(0.35 + 0.65 * normal[1])) * 0.55
    bounce = rgb("d08a50") * (0.16 * clamp(0.6 - 0.6 * normal[1]))
    half = normalize(_SUN - direction)
    sheen = 0.12 * np.maximum(dot(normal, half), 0.0) ** 18 * lit
    colour = albedo * (ambient + bounce + rgb("ffbb7d") * (3.3 * facing * lit)) + rgb("ffd9b0") * sheen
    toward = np.exp((dot(direction, _SUN) - 1.0) * 2.5)
    air = mix(rgb("c4a6a0"), rgb("ffc28a"), clamp(0.3 + 0.8 * toward)) * 0.85
    return mix(
        colour,
        mix(air, sky, 0.4),
        f32(1.0 - np.exp(-np.maximum(z - 3.0, 0.0) * 0.0105 * np.exp(-0.05 * np.maximum(y, 0.0)))),
    )


def picture(width: int, height: int, quality: Quality) -> Array:
    vista = Vista(width, height, 2.6, 0.36, 1.15, 0.9, 160.0)
    return land.paint(
        vista, _smooth_ground, vista.eye, vista.slopes(quality.supersample), _sky, _sand, quality.supersample
    )


FILM = Film(exposure=1.0, bloom=0.07, vignette=0.25, grain=0.004, contrast=1.08, saturation=1.06)
