"""What rays meet, and what they meet after a reflection."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pictures.arrays import Array, dot, f32, normalize, reflect
from pictures.scene import Camera
from pictures.trace import MISS, Hits, Ids, Stage, Surfaces, nearest, normals, surfaces

BATCH = 24_000
"""Rays that are followed at a time: few enough to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class View:
    """What rays met: one column for each ray."""

    direction: Array
    t: Array
    position: Array
    normal: Array
    what: Ids
    tint: Array | None = None
    """What a bottle on the way left of the colours."""


def look(stage: Stage, origin: Array, direction: Array) -> View:
    hits = nearest(stage, origin, direction, sharp=True)
    position = origin + direction * hits.t
    return View(direction, hits.t, position, normals(stage.scene, position, hits, direction), hits.what)


def mirrored(stage: Stage, view: View, surface: Surfaces, noise: Array) -> View:
    """What the surfaces of a view reflect; rays of surfaces without gloss go nowhere."""
    wobble = np.stack([noise[0] - 0.5, noise[1] - 0.5, np.mod(noise[0] + noise[1], 1.0) - 0.5])
    way = normalize(reflect(view.direction, surface.normal) + wobble * (np.square(surface.roughness) * 0.7))
    way = normalize(way + view.normal * np.maximum(0.02 - dot(way, view.normal), 0.0))
    start, tint = view.position + view.normal * 2e-3, None
    bottle = stage.scene.bottle
    if bottle is not None:
        clear, tint = np.flatnonzero(view.what == bottle.part), np.ones_like(way)
        start[:, clear], way[:, clear], tint[:, clear] = bottle.through(
            view.position[:, clear], view.direction[:, clear]
        )
    shiny = np.flatnonzero((surface.mirror.max(axis=0) > 0.0) & (view.what != MISS))
    hits = Hits(np.full_like(view.t, stage.scene.reach), np.full_like(view.what, MISS))
    some = nearest(stage, start[:, shiny], way[:, shiny], sharp=True)
    hits.t[shiny], hits.what[shiny] = some.t, some.what
    position = start + way * hits.t
    return View(way, hits.t, position, normals(stage.scene, position, hits, way), hits.what, tint)


def survey(stage: Stage, camera: Camera, width: int, height: int) -> tuple[View, View]:
    """What a camera sees from each pixel, and what it sees reflected there."""
    views, reflections = [], []
    for rows in _bands(width, height):
        x, y = grid(width, rows)
        view = look(stage, *camera.rays((x + 0.5) / width, (y + 0.5) / height, width / height))
        surface = surfaces(stage.scene, view.position, view.normal, view.what)
        views.append(view)
        reflections.append(mirrored(stage, view, surface, f32(np.full((2, x.size), 0.5))))
    return _joined(views), _joined(reflections)


def _bands(width: int, height: int) -> Iterator[range]:
    step = max(1, BATCH // width)
    for top in range(0, height, step):
        yield range(top, min(top + step, height))


def grid(width: int, rows: range) -> tuple[Array, Array]:
    """Columns and rows of the pixels in some rows, flattened."""
    y, x = np.mgrid[rows.start : rows.stop, 0:width]
    return f32(x.ravel()), f32(y.ravel())


def _joined(views: list[View]) -> View:
    return View(
        np.concatenate([v.direction for v in views], axis=1),
        np.concatenate([v.t for v in views]),
        np.concatenate([v.position for v in views], axis=1),
        np.concatenate([v.normal for v in views], axis=1),
        np.concatenate([v.what for v in views]),
    )
