"""Where a ray meets the scene: planes exactly, solids by sphere tracing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pictures.arrays import Array, Index, Mask, dot, normalize, vec
from pictures.scene import Part, Plane, Scene
from pictures.volume import Volume, bake, closest

MISS = -1
_STEPS = 110
_NEAR = 4e-4
Ids = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Hits:
    """For each ray: how far, and what it met - a part, a plane (counted on after the parts), or MISS."""

    t: Array
    what: Ids


@dataclass(frozen=True, slots=True)
class Stage:
    """A scene made ready for tracing."""

    scene: Scene
    volume: Volume
    """Everything that the eye meets."""
    shade: Volume
    """Everything that stops light."""


def prepare(scene: Scene, cell: float) -> Stage:
    volume = bake(scene.parts, cell)
    if scene.bottle is None:
        return Stage(scene, volume, volume)
    return Stage(scene, volume, bake([part for i, part in enumerate(scene.parts) if i != scene.bottle.part], cell))


def nearest(
    stage: Stage, origin: Array, direction: Array, stop: Array | None = None, sharp: bool = False, owners: bool = True
) -> Hits:
    """The first thing on each ray before `stop`: to the width of a cell, or exactly if `sharp`.

    Without `owners` any part stands for all of them.
    """
    scene = stage.scene
    t = np.full(origin.shape[1], scene.reach, dtype=np.float32) if stop is None else stop.copy()
    what = np.full(origin.shape[1], MISS, dtype=np.int16)
    for number, plane in enumerate(scene.planes, start=len(scene.parts)):
        _meet_plane(plane, number, origin, direction, t, what)
    rays = _approach(stage.volume if sharp else stage.shade, origin, direction, t, sharp)
    rays = _touch(scene.parts, rays) if sharp else rays
    t[rays.number] = rays.at
    what[rays.number] = _owner(scene.parts, rays.origin + rays.direction * rays.at) if owners else 0
    return Hits(t, what)


def _meet_plane(plane: Plane, number: int, origin: Array, direction: Array, t: Array, what: Ids) -> None:
    normal = vec(*plane.normal)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = (plane.offset - dot(normal, origin)) / dot(normal, direction)
    met = (at > 1e-4) & (at < t)
    if plane.opening is not None:
        met &= ~plane.opening(origin + direction * np.where(met, at, 0.0))
    t[met] = at[met]
    what[met] = number


@dataclass(frozen=True, slots=True)
class Rays:
    """Rays on their way: their number in the batch, where they are and where they end."""

    number: Index
    origin: Array
    direction: Array
    at: Array
    last: Array

    def only(self, which: Index) -> "Rays":
        return Rays(
            self.number[which], self.origin[:, which], self.direction[:, which], self.at[which], self.last[which]
        )


@dataclass(frozen=True, slots=True)
class Gait:
    """How rays walk: until something is `near` (and a `slope` more for each unit of way).

    A step ends `short` of the next thing and is never below `least`.
    """

    near: float
    slope: float
    short: float
    least: float


def _approach(volume: Volume, origin: Array, direction: Array, t: Array, sharp: bool) -> Rays:
    """The rays that come near a solid, and how far they had gone by then."""
    enter, leave = volume.span(origin, direction)
    leave = np.minimum(leave, t)
    some = np.flatnonzero(enter < leave)
    rays = Rays(some, origin[:, some], direction[:, some], enter[some], leave[some])
    cell = volume.cell
    gait = Gait(0.8 * cell, 0.0, 0.25 * cell, 0.35 * cell) if sharp else Gait(0.2 * cell, 0.0, 0.0, 0.6 * cell)
    return _walk(volume.distance, rays, gait)


def _touch(parts: Sequence[Part], rays: Rays) -> Rays:
    """Those of the rays that touch a solid, and where, by its own formula."""
    near = _within(parts, rays.origin, rays.direction, rays.last)
    return _walk(lambda p: closest(near, p), rays, Gait(2e-4, 2e-4, 0.0, 1e-4))


def _walk(distance: Callable[[Array], Array], rays: Rays, gait: Gait) -> Rays:
    """The rays that arrived.

    Finished ones are taken out only when they are many: copying costs more than a few idle steps.
    """
    arrived = [rays.only(rays.number[:0])]
    going = np.ones(rays.at.size, dtype=np.bool_)
    for _ in range(_STEPS):
        gap = distance(rays.origin + rays.direction * rays.at)
        met = going & (gap < gait.near + gait.slope * rays.at)
        if np.any(met):
            arrived.append(rays.only(np.flatnonzero(met)))
            going &= ~met
        rays = replace(rays, at=rays.at + np.where(going, np.maximum(gap - gait.short, gait.least), 0.0))
        going &= rays.at <= rays.last
        left = np.count_nonzero(going)
        if left == 0:
            break
        if left < 0.7 * going.size:
            rays, going = rays.only(np.flatnonzero(going)), np.ones(left, dtype=np.bool_)
    return _joined(arrived)


def _joined(rays: list[Rays]) -> Rays:
    return Rays(
        np.concatenate([r.number for r in rays]),
        np.concatenate([r.origin for r in rays], axis=1),
        np.concatenate([r.direction for r in rays], axis=1),
        np.concatenate([r.at for r in rays]),
        np.concatenate([r.last for r in rays]),
    )


def _within(parts: Sequence[Part], o: Array, d: Array, last: Array) -> list[Part]:
    """The parts whose sphere any of the rays crosses."""
    return [part for part in parts if np.any(_crosses(part, o, d, last))] or [parts[0]]


def _crosses(part: Part, o: Array, d: Array, last: Array) -> Mask:
    offset = vec(*part.centre) - o
    along = dot(offset, d)
    apart = dot(offset, offset) - along * along
    return (apart < part.radius * part.radius) & (along > -part.radius) & (along < last + part.radius)


def _owner(parts: Sequence[Part], p: Array) -> Ids:
    best, result = np.full(p.shape[1], np.inf, dtype=np.float32), np.zeros(p.shape[1], dtype=np.int16)
    for number, part in enumerate(parts):
        offset = p - vec(*part.centre)
        inside = np.flatnonzero(dot(offset, offset) < (part.radius + 0.1) ** 2)
        gap = part.distance(*p[:, inside])
        nearer = gap < best[inside]
        best[inside[nearer]], result[inside[nearer]] = gap[nearer], number
    return result


def normals(scene: Scene, position: Array, hits: Hits, direction: Array) -> Array:
    """Unit normals at the hits, on the side that the ray came from; up where there was none."""
    result = np.zeros_like(position)
    result[1] = 1.0
    for number in np.unique(hits.what):
        mine = np.flatnonzero(hits.what == number)
        if 0 <= number < len(scene.parts):
            result[:, mine] = _slope(scene.parts[number], position[:, mine])
        elif number >= 0:
            normal = vec(*scene.planes[number - len(scene.parts)].normal)
            result[:, mine] = -normal * np.sign(dot(normal, direction[:, mine]))
    return result


def _slope(part: Part, p: Array, step: float = 8e-4) -> Array:
    """The gradient of the distance from four samples at the corners of a tetrahedron."""
    total = np.zeros_like(p)
    for corner in ((1.0, -1.0, -1.0), (-1.0, -1.0, 1.0), (-1.0, 1.0, -1.0), (1.0, 1.0, 1.0)):
        k = vec(*corner)
        q = p + k * step
        total += k * part.distance(q[0], q[1], q[2])
    return normalize(total)


@dataclass(frozen=True, slots=True)
class Surfaces:
    """The coats of many hits together; see `Coat`."""

    albedo: Array
    mirror: Array
    glow: Array
    normal: Array
    roughness: Array
    grazing: Array


def surfaces(scene: Scene, position: Array, normal: Array, what: Ids) -> Surfaces:
    """The coat of every hit; black where there was none."""
    albedo, mirror, glow = (np.zeros(position.shape, dtype=np.float32) for _ in range(3))
    roughness, grazing, relief = np.zeros_like(normal[0]), np.zeros_like(normal[0]), normal.copy()
    for number in np.unique(what[what >= 0]):
        mine = np.flatnonzero(what == number)
        owner = scene.parts[number] if number < len(scene.parts) else scene.planes[number - len(scene.parts)]
        coat = owner.paint(position[:, mine], normal[:, mine])
        albedo[:, mine], mirror[:, mine], glow[:, mine] = coat.albedo, coat.mirror, coat.glow
        roughness[mine], grazing[mine] = coat.roughness, coat.grazing
        if coat.normal is not None:
            relief[:, mine] = coat.normal
    return Surfaces(albedo, mirror, glow, relief, roughness, grazing)
