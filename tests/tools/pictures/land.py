"""Landscapes: a ground of any height, seen by a level camera; each column of the picture is one walk outward."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pictures.arrays import Array, Index, Mask, f32, luminance, normalize

Ground = Callable[[Array, Array], Array]
"""x (right) and z (ahead) to height."""
Sky = Callable[[Array], Array]
"""Directions to radiance."""
Surface = Callable[[Array, Array, Array, Array, Array], Array]
"""x, height and depth of a place, the direction in which it is seen, and the sky there, to radiance."""
_COLUMNS = 96
_BATCH = 60_000


@dataclass(frozen=True, slots=True)
class Vista:
    """A level camera at (0, eye, 0).

    `horizon` is its height in the picture (0 at the top), `view` how wide the picture is at distance 1.
    """

    width: int
    height: int
    eye: float
    horizon: float
    view: float
    near: float
    far: float
    steps: int = 1400

    def across(self) -> Array:
        """The way to the right for each unit ahead, of each column."""
        return f32(((np.arange(self.width) + 0.5) / self.width - 0.5) * self.view)

    def slopes(self, side: int = 1) -> Array:
        """The way up for each unit ahead, of each row, or of `side` rows a pixel."""
        rows = (np.arange(self.height * side) + 0.5) / (self.height * side)
        return f32((self.horizon - rows) * self.view * self.height / self.width)

    def depths(self) -> Array:
        return f32(np.geomspace(self.near, self.far, self.steps))


def survey(vista: Vista, ground: Ground, eye: float, slopes: Array) -> Array:
    """How far ahead the ground is at each of the slopes (rows) in each column; infinite where there is sky."""
    z, across = vista.depths(), vista.across()
    result = np.empty((slopes.size, vista.width), dtype=np.float32)
    order = np.argsort(slopes)
    for left in range(0, vista.width, _COLUMNS):
        some = across[left : left + _COLUMNS]
        x = some[:, None] * z[None, :]
        rise = (ground(x.ravel(), np.broadcast_to(z, x.shape).ravel()).reshape(x.shape) - eye) / z
        highest = np.maximum.accumulate(rise, axis=1)
        for i in range(some.size):
            first = np.searchsorted(highest[i], slopes[order])
            result[order, left + i] = _between(z, rise[i], slopes[order], first)
    return result


def _between(z: Array, rise: Array, slopes: Array, first: Index) -> Array:
    """The place between two steps where the ground crosses each slope."""
    sky = first >= z.size
    high = np.clip(first, 1, z.size - 1)
    low = high - 1
    part = (slopes - rise[low]) / np.where(rise[high] == rise[low], 1.0, rise[high] - rise[low])
    depth = z[low] + np.clip(part, 0.0, 1.0) * (z[high] - z[low])
    return f32(np.where(sky, np.inf, depth))


def normals(ground: Ground, x: Array, z: Array, depth: Array) -> Array:
    """Unit normals of the ground, from a step that grows with the distance, as a pixel does."""
    step = f32(0.0012 * depth + 1e-4)
    slope_x = (ground(x + step, z) - ground(x - step, z)) / (2.0 * step)
    slope_z = (ground(x, z + step) - ground(x, z - step)) / (2.0 * step)
    return normalize(np.stack([-slope_x, np.ones_like(x), -slope_z]))


def shadow(ground: Ground, place: Array, sun: Array, reach: float, steps: int, soft: float) -> Array:
    """The share of the sun that is seen from each place, 0 to 1."""
    lit = np.ones_like(place[0])
    for way in np.geomspace(reach / 60.0, reach, steps):
        p = place + sun * np.float32(way)
        clear = (p[1] - ground(p[0], p[2])) / (float(way) * soft) + 0.5
        lit = np.minimum(lit, np.clip(clear, 0.0, 1.0))
    return f32(lit * lit * (3.0 - 2.0 * lit))


def paint(vista: Vista, ground: Ground, eye: float, slopes: Array, sky: Sky, surface: Surface, side: int) -> Array:
    """Radiance, of shape (3, rows, columns): one ray a pixel, and side x side where there is an edge.

    `slopes` has `side` rows for each pixel.
    """
    fine = replace(vista, width=vista.width * side)
    depth = survey(fine, ground, eye, slopes)
    across, rows, columns = fine.across(), slopes.size // side, vista.width

    def ray(i: Index, j: Index) -> Array:
        way = normalize(np.stack([across[j], slopes[i], np.ones(i.size, dtype=np.float32)]))
        return _colour(way, depth[i, j], eye, sky, surface)

    row, column = (a.ravel() for a in np.mgrid[0:rows, 0:columns])
    picture = ray(row * side, column * side).reshape(3, rows, columns)
    blocks = depth.reshape(rows, side, columns, side)
    rough = contrast(picture, 0.03) | (blocks.max(axis=(1, 3)) > 1.06 * blocks.min(axis=(1, 3)))
    row, column = np.nonzero(rough)
    total, share = np.zeros((3, row.size), dtype=np.float32), np.zeros(row.size, dtype=np.float32)
    for k in range(side * side):
        colour = ray(row * side + k // side, column * side + k % side)
        weight = 1.0 / (1.0 + luminance(colour))
        total, share = total + colour * weight, share + weight
    picture[:, row, column] = total / share
    return picture


def contrast(picture: Array, limit: float) -> Mask:
    """The pixels that differ from a neighbour, as the eye sees it, by more than `limit`."""
    level = np.sqrt(np.maximum(luminance(picture), 0.0))
    level = level / (1.0 + level)
    down, right = np.abs(np.diff(level, axis=0)) > limit, np.abs(np.diff(level, axis=1)) > limit
    result = np.zeros(level.shape, dtype=np.bool_)
    result[1:], result[:, 1:] = down, result[:, 1:] | right
    result[:-1] |= down
    result[:, :-1] |= right
    return result


def _colour(way: Array, far: Array, eye: float, sky: Sky, surface: Surface) -> Array:
    colour = np.empty_like(way)
    for first in range(0, far.size, _BATCH):
        some = slice(first, first + _BATCH)
        colour[:, some] = sky(way[:, some])
        there = np.flatnonzero(np.isfinite(far[some])) + first
        if there.size:
            ahead, z = way[:, there], far[there]
            x, y = ahead[0] / ahead[2] * z, eye + ahead[1] / ahead[2] * z
            colour[:, there] = surface(f32(x), f32(y), z, ahead, colour[:, there])
    return colour
