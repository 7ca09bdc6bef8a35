"""Seeded, tileable-by-hash gradient and value noise, and sums of octaves of it."""

import numpy as np
import numpy.typing as npt

from pictures.arrays import Array, Index, f32

Narrow = npt.NDArray[np.int32]

_SIZE = 1024
_RANDOM = np.random.default_rng(20240611)
_PERMUTATION: Index = np.tile(_RANDOM.permutation(_SIZE), 2)
_VALUES: Array = f32(_RANDOM.random(_SIZE))
_ANGLES = _RANDOM.random(_SIZE) * 2.0 * np.pi
_LATTICE: Array = f32(_RANDOM.random(64**3))
_GRADIENT_X: Array = f32(np.cos(_ANGLES))
_GRADIENT_Y: Array = f32(np.sin(_ANGLES))


def _cell(a: Array) -> tuple[Index, Array, Array]:
    """Lattice index, place within the cell, and the quintic weight of that place."""
    low = np.floor(a)
    part = a - low
    return low.astype(np.intp) & (_SIZE - 1), part, part * part * part * (part * (part * 6.0 - 15.0) + 10.0)


def gradient(x: Array, y: Array) -> Array:
    """Perlin's gradient noise in two dimensions, about -1 to 1."""
    column, fx, wx = _cell(x)
    row, fy, wy = _cell(y)
    rows = [_PERMUTATION[row], _PERMUTATION[(row + 1) & (_SIZE - 1)]]

    def corner(dx: int, dy: int) -> Array:
        place = _PERMUTATION[rows[dy] + ((column + dx) & (_SIZE - 1))]
        return f32(_GRADIENT_X[place] * (fx - dx) + _GRADIENT_Y[place] * (fy - dy))

    low = corner(0, 0) + wx * (corner(1, 0) - corner(0, 0))
    high = corner(0, 1) + wx * (corner(1, 1) - corner(0, 1))
    return f32((low + wy * (high - low)) * 1.414)


def value(x: Array, y: Array, z: Array) -> Array:
    """Value noise in three dimensions, 0 to 1; it repeats after 64 cells."""
    (i, wx), (j, wy), (k, wz) = _wrapped(x), _wrapped(y), _wrapped(z)
    i2, j2, k2 = (i + 1) & 63, (j + 1) & 63, (k + 1) & 63

    def edge(row: Narrow, layer: Narrow) -> Array:
        base = (layer << 12) + (row << 6)
        near = _LATTICE[base + i]
        return f32(near + wx * (_LATTICE[base + i2] - near))

    near, far = edge(j, k), edge(j, k2)
    near = near + wy * (edge(j2, k) - near)
    far = far + wy * (edge(j2, k2) - far)
    return f32(near + wz * (far - near))


def _wrapped(a: Array) -> tuple[Narrow, Array]:
    low = np.floor(a)
    part = a - low
    return low.astype(np.int32) & 63, part * part * (3.0 - 2.0 * part)


def fbm(x: Array, y: Array, octaves: int, gain: float = 0.5) -> Array:
    """Octaves of gradient noise, each twice as fine and turned against the one before; about -1 to 1."""
    result = np.zeros_like(x)
    amplitude = 1.0
    for _ in range(octaves):
        result = result + amplitude * gradient(x, y)
        x, y = 1.6 * x - 1.2 * y + 17.3, 1.2 * x + 1.6 * y + 5.1
        amplitude *= gain
    return f32(result)


def solid(x: Array, y: Array, z: Array, octaves: int, gain: float = 0.5) -> Array:
    """Octaves of three-dimensional value noise, 0 to 1."""
    result, amplitude, weight = np.zeros_like(x), 1.0, 0.0
    for octave in range(octaves):
        result = result + amplitude * value(x, y, z)
        weight += amplitude
        x, y, z = 2.03 * x + 9.7 * octave, 2.01 * y + 3.1, 1.99 * z + 7.7
        amplitude *= gain
    return f32(result / weight)


def hashed(index: Array) -> Array:
    """One random number, 0 to 1, for each whole number."""
    return f32(_VALUES[_PERMUTATION[index.astype(np.intp) & (_SIZE - 1)]])


def specks(p: Array, scale: float, share: float) -> Array:
    """Round specks, `scale` places for one to a unit and a `share` of them taken; 0 to 1."""
    q = p * scale
    low = np.floor(q)
    place = _PERMUTATION[_PERMUTATION[low[2].astype(np.intp) & (_SIZE - 1)] + (low[1].astype(np.intp) & (_SIZE - 1))]
    place = _PERMUTATION[place + (low[0].astype(np.intp) & (_SIZE - 1))]
    shift = np.stack([_VALUES[(place * k + 7) & (_SIZE - 1)] for k in (1, 3, 5)]) * 0.4 + 0.3
    size = _VALUES[(place * 11 + 3) & (_SIZE - 1)] / share
    far = np.sqrt(np.sum((q - low - shift) ** 2, axis=0))
    radius = 0.3 * np.maximum(1.0 - size, 0.0)
    return f32(np.clip((radius - far) / 0.08, 0.0, 1.0))


def eroded(x: Array, y: Array, octaves: int) -> Array:
    """Octaves that fade where the ground is already steep, which looks like erosion (Quilez); 0 to about 1.6."""
    result, slope_x, slope_y = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    amplitude = 1.0
    for _ in range(octaves):
        height, dx, dy = _sloped(x, y)
        slope_x, slope_y = slope_x + dx, slope_y + dy
        result = result + amplitude * height / (1.0 + slope_x * slope_x + slope_y * slope_y)
        amplitude *= 0.5
        x, y = 1.6 * x - 1.2 * y, 1.2 * x + 1.6 * y
    return f32(result)


def _sloped(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Value noise, 0 to 1, and its slopes."""
    column, fx, wx = _cell(x)
    row, fy, wy = _cell(y)
    right, below = (column + 1) & (_SIZE - 1), (row + 1) & (_SIZE - 1)
    top, bottom = _PERMUTATION[row], _PERMUTATION[below]
    a, b = _VALUES[_PERMUTATION[top + column]], _VALUES[_PERMUTATION[top + right]]
    c, d = _VALUES[_PERMUTATION[bottom + column]], _VALUES[_PERMUTATION[bottom + right]]
    twist = a - b - c + d
    dx = 30.0 * fx * fx * (fx - 1.0) * (fx - 1.0) * (b - a + twist * wy)
    dy = 30.0 * fy * fy * (fy - 1.0) * (fy - 1.0) * (c - a + twist * wx)
    return f32(a + (b - a) * wx + (c - a) * wy + twist * wx * wy), f32(dx), f32(dy)
