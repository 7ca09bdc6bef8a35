"""The solids of a scene as a grid of distances: one cheap reading instead of every formula."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pictures.arrays import Array, f32, length
from pictures.scene import Part

_SLICE = 40_000
_MARGIN = 0.15


Quads = npt.NDArray[np.complex128]
"""Four float32 in the sixteen bytes of each element."""


@dataclass(frozen=True, slots=True)
class Volume:
    low: Array
    high: Array
    cell: float
    quads: Quads
    """At each grid point the distances there, and at its neighbours in z, in y, and in both: one reading for four."""
    shape: tuple[int, int, int]

    def distance(self, p: Array) -> Array:
        """The distance at points within the box, linear between the corners of a cell."""
        q = (p - self.low) / self.cell
        x, y, z = (np.minimum(np.maximum(q[i], 0.0), self.shape[i] - 1.001) for i in range(3))
        i, j, k = x.astype(np.int32), y.astype(np.int32), z.astype(np.int32)
        fy, fz = y - j, z - k
        at = (i * self.shape[1] + j) * self.shape[2] + k
        low = _flat(self.quads[at], fy, fz)
        high = _flat(self.quads[at + self.shape[1] * self.shape[2]], fy, fz)
        return f32(low + (high - low) * (x - i))

    def span(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        """Where each ray enters and leaves the box; a ray that misses it leaves before it enters."""
        safe = np.where(np.abs(direction) < 1e-7, np.float32(1e-7), direction)
        a, b = (self.low - origin) / safe, (self.high - origin) / safe
        enter = np.minimum(a, b).max(axis=0)
        return np.maximum(enter, 0.0), np.maximum(a, b).min(axis=0)


def _flat(quads: Quads, fy: Array, fz: Array) -> Array:
    corner = quads.view(np.float32).reshape(-1, 4)
    near = corner[:, 0] + (corner[:, 1] - corner[:, 0]) * fz
    far = corner[:, 2] + (corner[:, 3] - corner[:, 2]) * fz
    return f32(near + (far - near) * fy)


def _packed(grid: Array) -> Quads:
    next_y = np.concatenate([grid[:, 1:], grid[:, -1:]], axis=1)
    both = [np.concatenate([a[:, :, 1:], a[:, :, -1:]], axis=2) for a in (grid, next_y)]
    return np.stack([grid, both[0], next_y, both[1]], axis=-1).reshape(-1).view(np.complex128)


def closest(parts: Sequence[Part], p: Array) -> Array:
    result = parts[0].distance(p[0], p[1], p[2])
    for part in parts[1:]:
        result = np.minimum(result, part.distance(p[0], p[1], p[2]))
    return f32(result)


def _roughly(parts: Sequence[Part], p: Array) -> Array:
    """As `closest`, but what is well outside the sphere of a part takes the distance to the sphere instead."""
    result = np.full(p.shape[1], np.inf, dtype=np.float32)
    for part in parts:
        gap = length(p - f32(part.centre).reshape(3, 1)) - part.radius
        near = np.flatnonzero(gap < _MARGIN)
        if near.size:
            gap[near] = part.distance(*p[:, near])
        result = np.minimum(result, gap)
    return result


def bake(parts: Sequence[Part], cell: float) -> Volume:
    """The grid of distances over the box that holds the spheres of all parts."""
    low = np.min([f32(part.centre) - part.radius for part in parts], axis=0) - cell
    high = np.max([f32(part.centre) + part.radius for part in parts], axis=0) + cell
    low = f32([low[0], max(low[1], -0.1), low[2]])
    nx, ny, nz = (int(np.ceil((high[i] - low[i]) / cell)) + 1 for i in range(3))
    size = nx * ny * nz
    grid = np.empty(size, dtype=np.float32)
    for first in range(0, size, _SLICE):
        number = np.arange(first, min(first + _SLICE, size))
        p = f32([number // (ny * nz), number // nz % ny, number % nz]) * cell + low.reshape(3, 1)
        grid[first : first + number.size] = _roughly(parts, f32(p))
    top = f32([nx - 1, ny - 1, nz - 1]) * cell + low
    return Volume(low.reshape(3, 1), top.reshape(3, 1), cell, _packed(grid.reshape(nx, ny, nz)), (nx, ny, nz))
