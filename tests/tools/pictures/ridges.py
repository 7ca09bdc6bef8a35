"""Mountain ridges in the mist of a dawn, and a lake that holds them."""

import numpy as np

from pictures import land, noise
from pictures.arrays import Array, Index, clamp, dot, f32, mix, normalize, rgb, smoothstep, total, vec
from pictures.film import Film
from pictures.land import Vista
from pictures.studio import Quality

_SUN = normalize(vec(0.2, 0.085, 1.0))


def _bare(x: Array, z: Array, octaves: int) -> Array:
    """The ground without its trees: a lake ahead, hills about it, ranges behind."""
    rough = noise.eroded(x * 0.085 + 3.7, z * 0.085 + 11.2, octaves)
    aside = np.abs(x - 0.10 * z + 1.0) / (0.25 * z + 2.0)
    range_height = 2.8 * smoothstep(9.0, 22.0, z) + 5.0 * smoothstep(22.0, 48.0, z) + 5.0 * smoothstep(52.0, 95.0, z)
    valley = 0.28 + 0.72 * smoothstep(0.0, 1.6, aside)
    shore = 1.5 * smoothstep(0.75, 2.2, aside) * smoothstep(2.0, 8.0, z)
    return f32(rough * (range_height * valley + shore) - 0.34 + 0.25 * smoothstep(8.0, 12.0, z))


def _trees(x: Array, z: Array) -> Array:
    """Firs, each a cone somewhere in its cell of a grid."""
    result = np.zeros_like(x)
    for scale, shift in ((4.6, 0.0), (5.7, 0.43), (6.9, 0.71)):
        u, v = x * scale + shift * 7.0, z * scale + shift * 3.0
        cell = np.floor(u) * 57.0 + np.floor(v) * 131.0
        du = u - np.floor(u) - 0.35 - 0.3 * noise.hashed(cell)
        dv = v - np.floor(v) - 0.35 - 0.3 * noise.hashed(cell + 17.0)
        tall = 0.20 + 0.22 * noise.hashed(cell + 31.0)
        far = np.sqrt(du * du + dv * dv)
        ragged = 1.0 + 0.3 * noise.gradient(x * 60.0, z * 60.0 + x * 35.0)
        result = np.maximum(result, tall * np.maximum(1.0 - far * 2.9 * ragged, 0.0))
    return f32(result)


def _ground(x: Array, z: Array) -> Array:
    """Land with its trees; the lake is a deep hole, so that the mirrored camera below it looks out freely."""
    base = _bare(x, z, 11)
    near = np.flatnonzero((z < 24.0) & (base > 0.015) & (base < 2.6))
    wood = smoothstep(-0.25, 0.2, noise.fbm(x[near] * 0.35, z[near] * 0.35, 3)) * smoothstep(24.0, 18.0, z[near])
    base[near] += _trees(x[near], z[near]) * wood
    return f32(np.where(base > 0.0, base, -50.0))


def _sky(direction: Array) -> Array:
    high = np.maximum(direction[1], 0.0)
    toward = dot(direction, _SUN) - 1.0
    result = mix(rgb("f6c9a2"), rgb("a8b7cf"), smoothstep(0.0, 0.2, high))
    result = mix(result, rgb("4f74a6"), smoothstep(0.12, 0.6, high))
    glow = (
        rgb("ffb27a") * (0.6 * np.exp(toward * 14.0))
        + rgb("ffd9a0") * (1.1 * np.exp(toward * 160.0))
        + rgb("fff2d8") * (7.0 * smoothstep(-0.00008, -0.00005, toward))
    )
    x, y = direction[0] / (high + 0.12), direction[2] / (high + 0.12)
    streak = noise.fbm(x * 0.55 + 2.0, y * 1.9 + 5.0, 6)
    cloud = smoothstep(0.05, 0.75, streak + 0.12) * smoothstep(0.02, 0.14, high)
    lit = mix(rgb("8791ad"), rgb("ffc9a4"), clamp(1.1 * np.exp(toward * 5.0) + 0.25 - 0.3 * streak))
    return f32(mix(result * 0.82, lit, cloud * 0.75) + glow)


def _mist(height: Array, depth: Array, x: Array, eye: float) -> Array:
    """How much of what lies there the air hides: thin haze everywhere, thick mist low over the lake."""
    low, high = np.minimum(height, eye), np.maximum(height, eye)
    scale = 0.22 + 0.12 * noise.fbm(x * 0.12, depth * 0.09, 4)
    thick = scale * (np.exp(-low / scale) - np.exp(-high / scale)) / np.maximum(high - low, 1e-3)
    return f32(1.0 - np.exp(-depth * (0.0085 + 0.2 * thick * smoothstep(6.0, 20.0, depth))))


def _slope(x: Array, y: Array, z: Array, direction: Array, sky: Array) -> Array:
    normal = land.normals(_ground, x, z, z)
    lit = land.shadow(lambda a, b: _bare(a, b, 5), np.stack([x, y + 0.03, z]), _SUN, 12.0, 10, 0.08)
    facing = np.maximum(dot(normal, _SUN), 0.0) * lit
    wood = smoothstep(2.8, 1.0, y + 0.6 * noise.fbm(x * 0.5, z * 0.5, 3))
    rock = mix(rgb("57504b"), rgb("6e655d"), clamp(0.5 + noise.fbm(x * 1.5, z * 1.5, 4)))
    snow = smoothstep(5.0, 7.5, y + 1.5 * noise.fbm(x * 0.4, z * 0.4, 4)) * smoothstep(0.45, 0.75, normal[1])
    albedo = mix(mix(rock, rgb("1f2a22"), wood), rgb("dfe3ea"), snow)
    ambient = mix(rgb("38405a"), rgb("8fa3c4"), clamp(0.5 + 0.5 * normal[1]))
    surface = albedo * (ambient * 0.55 + rgb("ffb070") * (3.2 * facing))
    toward = np.exp((dot(direction, _SUN) - 1.0) * 9.0)
    air = mix(rgb("93a3bf"), rgb("f8c79c"), clamp(0.18 + 0.85 * toward)) * 0.86
    return mix(surface, mix(air, sky, 0.25), _mist(y, z, x, 0.0))


def _lake(vista: Vista, mirror: Array, rows: Index, slopes: Array, aside: float, below: float) -> Array:
    """The mirrored picture, moved by ripples, darker the steeper one looks down."""
    x, s = np.meshgrid(vista.across() + aside, slopes[rows] + below)
    z = vista.eye / np.maximum(-s, 1e-5)
    u, v = f32((x * z).ravel()), f32(z.ravel())
    breeze = smoothstep(-0.1, 0.5, noise.fbm(u * 0.12 + 9.0, v * 0.3, 3)).ravel()
    ripple = noise.fbm(u * 2.2, v * 7.0, 4) * (0.006 + 0.02 * breeze)
    sway = noise.fbm(u * 2.2 + 50.0, v * 7.0, 3) * 0.004
    steep = np.abs(-s.ravel() + np.abs(ripple))
    column = (x.ravel() + sway) / vista.view + 0.5
    seen = _sample(mirror, column, steep / (np.max(-slopes) * 1.1))
    cosine = steep / np.sqrt(1.0 + steep * steep)
    share = 0.02 + 0.98 * (1.0 - np.clip(cosine, 0.0, 1.0)) ** 3
    return f32(seen * share + rgb("16283a") * 0.5 * (1.0 - share)).reshape(3, rows.size, vista.width)


def _sample(image: Array, across: Array, up: Array) -> Array:
    """The mirrored image at places 0 to 1; its first row is the horizon."""
    _, height, width = image.shape
    x, y = np.clip(across * width - 0.5, 0, width - 1.001), np.clip(up * height - 0.5, 0, height - 1.001)
    i, j = x.astype(np.intp), y.astype(np.intp)
    fx, fy = x - i, y - j
    low = image[:, j, i] * (1 - fx) + image[:, j, i + 1] * fx
    high = image[:, j + 1, i] * (1 - fx) + image[:, j + 1, i + 1] * fx
    return f32(low * (1 - fy) + high * fy)


def picture(width: int, height: int, quality: Quality) -> Array:
    side = quality.supersample
    vista = Vista(width, height, 0.42, 0.57, 1.05, 1.2, 130.0)
    image = land.paint(vista, _ground, vista.eye, vista.slopes(side), _sky, _slope, side)
    slopes = vista.slopes()
    up = f32((np.arange(height // 2) + 0.5) / (height // 2) * np.max(-slopes) * 1.1)
    mirror = land.paint(vista, _ground, -vista.eye, up, _sky, _slope, 1)
    rows = np.flatnonzero(slopes < 0.0)
    water = land.survey(vista, _ground, vista.eye, slopes[rows]) > (vista.eye / -slopes[rows])[:, None]
    pixel = vista.view / width
    places = [(a * pixel, b * pixel) for a in (-0.25, 0.25) for b in (-0.375, -0.125, 0.125, 0.375)]
    lake = total(_lake(vista, mirror, rows, slopes, *place) for place in places) / len(places)
    image[:, rows] = np.where(water, lake, image[:, rows])
    return _with_boat(image)


def _with_boat(image: Array) -> Array:
    """A rowing boat with someone in it, far out on the water, and its reflection."""
    _, height, width = image.shape
    y, x = np.mgrid[0:height, 0:width] / np.float32(width)
    u, v = f32((x - 0.335) / 0.026), f32((0.352 - y) / 0.026)
    down = f32(-v + 0.05 * noise.gradient((u * 0.8).ravel(), (v * 9.0).ravel()).reshape(u.shape))
    sway = u + 0.06 * noise.gradient((u * 0.5 + 7.0).ravel(), (v * 7.0).ravel()).reshape(u.shape) * (v < 0.0)
    edge = 1.2 / (0.026 * width)
    boat = smoothstep(edge, -edge, _boat(u, v)) * (v > 0.0)
    shadow = 0.75 * smoothstep(2.0 * edge, -2.0 * edge, _boat(f32(sway), down)) * (v <= 0.0)
    return mix(image, rgb("2a221f").reshape(3, 1, 1) * 0.8, f32(np.maximum(boat, shadow) * 0.92))


def _boat(u: Array, v: Array) -> Array:
    """The distance to the outline, in lengths of half the boat."""
    hull = np.maximum(np.maximum(v - 0.13 - 0.15 * u * u, -v - 0.05), np.abs(u) - 0.86 - 0.6 * np.minimum(v, 0.5))
    back = np.hypot(u + 0.02 - 0.35 * (v - 0.2), np.maximum(np.abs(v - 0.27) - 0.13, 0.0)) - 0.085 + 0.05 * (v - 0.3)
    head = np.hypot(u - 0.1, v - 0.53) - 0.07
    arm = np.maximum(np.abs((v - 0.36) + 0.30 * (u - 0.1)) - 0.026, np.abs(u - 0.24) - 0.14)
    oar = np.maximum(np.abs((v - 0.27) + 0.24 * (u - 0.36)) - 0.016, np.abs(u - 0.86) - 0.62)
    return f32(np.minimum(np.minimum(hull, back), np.minimum(head, np.minimum(arm, oar))))


FILM = Film(exposure=1.1, bloom=0.1, vignette=0.2, grain=0.004, contrast=1.22, saturation=1.12)
