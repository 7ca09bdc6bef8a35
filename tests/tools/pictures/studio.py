"""A picture of a scene: smooth light on a coarse grid, sharp surfaces and reflections on a fine one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pictures.arrays import Array, Mask, bilinear, f32, luminance, mix
from pictures.light import dither, spread, sunshine
from pictures.lightmap import Lit, air, fetch, lightmap
from pictures.scene import Camera, Scene
from pictures.shading import gloss, matte
from pictures.trace import MISS, Stage, prepare, surfaces
from pictures.view import BATCH, View, look, mirrored, survey

_TILE = 128


@dataclass(frozen=True, slots=True)
class Quality:
    supersample: int = 3
    """Rays for each side of a pixel that has an edge in it."""
    coarse: int = 3
    """Pixels for each side of a place where light is gathered."""
    gather: int = 10
    """Rays that look for light from each such place."""
    mirrored: int = 4
    """As `gather`, for places seen in a reflection."""
    cell: float = 0.025
    """The width of a cell in the grid of distances."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Everything needed to say what colour any place in the picture has."""

    stage: Stage
    camera: Camera
    width: int
    height: int
    lit: Lit
    glossy: Lit
    air: Array

    def colour(self, x: Array, y: Array, turn: Array | int = 0) -> tuple[Array, View]:
        """Radiance at places in the picture (in pixels), and what is there; `turn` counts the rays of a pixel."""
        scene = self.stage.scene
        view = look(self.stage, *self.camera.rays(x / self.width, y / self.height, self.width / self.height))
        surface = surfaces(scene, view.position, view.normal, view.what)
        noise = np.stack(spread(dither(np.floor(x), np.floor(y)), turn))
        seen = mirrored(self.stage, view, surface, noise)
        across, down = x * self.lit.width / self.width - 0.5, y * self.lit.height / self.height - 0.5
        colour = matte(scene, view, surface, fetch(self.lit, view, across, down) + self._sun(view, noise))
        second = fetch(self.glossy, seen, across, down) + self._sun(seen, noise)
        colour = colour + gloss(scene, view, surface, seen, second)
        colour = np.where(view.what == MISS, scene.sky(view.direction), _hazy(scene, view, colour))
        return f32(colour + bilinear(self.air, across, down)), view

    def _sun(self, view: View, noise: Array) -> Array:
        result = np.zeros_like(view.position)
        met = np.flatnonzero(view.what != MISS)
        result[:, met] = sunshine(self.stage, view.position[:, met], view.normal[:, met], noise[:, met])
        return result


def _hazy(scene: Scene, view: View, colour: Array) -> Array:
    """The colour behind so much air: none is seen near by, and far away little else."""
    return mix(colour, scene.sky(view.direction), f32(1.0 - np.exp(-((view.t / scene.haze) ** 4))))


def render(scene: Scene, camera: Camera, width: int, height: int, quality: Quality) -> Array:
    """Linear radiance, of shape (3, height, width)."""
    stage = prepare(scene, quality.cell)
    w, h = max(1, width // quality.coarse), max(1, height // quality.coarse)
    first, second = survey(stage, camera, w, h)
    lit = lightmap(stage, first, w, h, quality.gather, 1.0)
    glossy = lightmap(stage, second, w, h, quality.mirrored, 0.5)
    exposure = Exposure(stage, camera, width, height, lit, glossy, air(stage, camera, first, w, h))
    picture, rough = _draft(exposure)
    _refine(exposure, picture, rough, quality.supersample)
    return picture


def _tiles(width: int, height: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            yield slice(top, min(top + _TILE, height)), slice(left, min(left + _TILE, width))


def _draft(exposure: Exposure) -> tuple[Array, Mask]:
    """One ray a pixel, and the pixels where that is not enough."""
    height, width = exposure.height, exposure.width
    picture = np.empty((3, height, width), dtype=np.float32)
    guide = np.empty((4, height, width), dtype=np.float32)
    for rows, columns in _tiles(width, height):
        y, x = np.mgrid[rows, columns]
        colour, view = exposure.colour(f32(x.ravel() + 0.5), f32(y.ravel() + 0.5))
        picture[:, rows, columns] = colour.reshape(3, *x.shape)
        guide[:3, rows, columns] = view.normal.reshape(3, *x.shape)
        guide[3, rows, columns] = view.what.reshape(x.shape)
    return picture, _edges(picture, guide)


def _edges(picture: Array, guide: Array) -> Mask:
    level = np.sqrt(np.maximum(luminance(picture), 0.0))
    jump = np.zeros(level.shape, dtype=np.bool_)
    for axis in (0, 1):
        for field, limit in ((level / (1.0 + level), 0.022), (guide[3], 0.5), *((guide[i], 0.25) for i in range(3))):
            step = np.abs(np.diff(field, axis=axis)) > limit
            before, after = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
            before[axis], after[axis] = (0, 1), (1, 0)
            jump |= np.pad(step, before) | np.pad(step, after)
    return jump


def _refine(exposure: Exposure, picture: Array, rough: Mask, side: int) -> None:
    """Replaces rough pixels by the mean of side x side rays, of which sparks weigh less."""
    rows, columns = np.nonzero(rough)
    step = max(1, BATCH // (side * side))
    grid = (np.arange(side, dtype=np.float32) + 0.5) / side
    dy, dx = (a.ravel() for a in np.meshgrid(grid, grid))
    for first in range(0, rows.size, step):
        row, column = rows[first : first + step], columns[first : first + step]
        x, y = (column[:, None] + dx).ravel(), (row[:, None] + dy).ravel()
        colour, _ = exposure.colour(f32(x), f32(y), np.tile(np.arange(side * side), row.size).astype(np.float32))
        weight = 1.0 / (1.0 + luminance(colour))
        total, share = (a.reshape(-1, row.size, side * side).sum(axis=2) for a in (colour * weight, weight))
        picture[:, row, column] = total / share
