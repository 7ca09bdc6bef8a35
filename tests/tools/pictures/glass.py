"""Rays through a bottle: glass outside, a liquid within, air above the liquid."""

from dataclasses import dataclass

import numpy as np

from pictures.arrays import Array, Index, dot, f32, normalize, vec
from pictures.shapes import Distance

_EVENTS = 8
_SKIN = 1.2e-3
_AIR, _GLASS, _LIQUID = 0, 1, 2
_DENSITY: Array = f32([1.0, 1.5, 1.36])


@dataclass(frozen=True, slots=True)
class Bottle:
    """`part` is its number in the scene; `absorb` is what the liquid takes of each colour for a unit of way."""

    part: int
    outer: Distance
    liquid: Distance
    hollow: Distance
    absorb: Array
    middle: tuple[float, float, float]
    half: tuple[float, float, float]

    def shade(self, origin: Array, direction: Array) -> Array:
        """What is left of light that crosses the bottle on its way along the ray."""
        safe = np.where(np.abs(direction) < 1e-6, np.float32(1e-6), direction)
        a = (vec(*self.middle) - vec(*self.half) - origin) / safe
        b = (vec(*self.middle) + vec(*self.half) - origin) / safe
        way = np.maximum(np.maximum(a, b).min(axis=0) - np.maximum(np.minimum(a, b).max(axis=0), 0.0), 0.0)
        return f32(np.exp(-self.absorb * (way * 0.8)) * np.exp(-0.5 * way))

    def _walls(self, p: Array) -> tuple[Array, Array]:
        """The distances to the three walls, and the medium at each point."""
        walls = np.stack([wall(p[0], p[1], p[2]) for wall in (self.outer, self.liquid, self.hollow)])
        medium = np.where(walls[1] < 0.0, _LIQUID, np.where(walls[2] < 0.0, _AIR, _GLASS))
        return walls, np.where(walls[0] > 0.0, _AIR, medium)

    def _slope(self, p: Array, which: Index) -> Array:
        """The normal of the given wall at each point."""
        result = np.zeros_like(p)
        for corner in ((1.0, -1.0, -1.0), (-1.0, -1.0, 1.0), (-1.0, 1.0, -1.0), (1.0, 1.0, 1.0)):
            k = vec(*corner)
            walls, _ = self._walls(p + k * 6e-4)
            result += k * np.take_along_axis(walls, which[None], axis=0)[0]
        return normalize(result)

    def through(self, origin: Array, direction: Array) -> tuple[Array, Array, Array]:
        """Where rays that meet the bottle come out, in which direction, and what is left of their colours."""
        o, d, tint = origin.copy(), direction.copy(), np.ones_like(origin)
        inside: Index = np.arange(o.shape[1])
        for event in range(_EVENTS):
            way = self._cross(o[:, inside], d[:, inside]) if event else np.zeros(inside.size, dtype=np.float32)
            at = o[:, inside] + d[:, inside] * way
            _, within = self._walls(at - d[:, inside] * (3.0 * _SKIN))
            tint[:, inside] *= np.exp(-self.absorb * (way * (within == _LIQUID)))
            bent = self._bend(at, d[:, inside])
            o[:, inside], d[:, inside] = at + bent * (3.0 * _SKIN), bent
            walls, _ = self._walls(o[:, inside])
            inside = inside[walls[0] < 0.0]
            if inside.size == 0:
                break
        return o, d, tint

    def _cross(self, o: Array, d: Array) -> Array:
        """The way to the next wall."""
        way = np.zeros(o.shape[1], dtype=np.float32)
        for _ in range(40):
            walls, _ = self._walls(o + d * way)
            gap = np.abs(walls).min(axis=0)
            if np.all(gap < _SKIN):
                break
            way = way + np.where(gap < _SKIN, 0.0, gap)
        return way

    def _bend(self, p: Array, d: Array) -> Array:
        """Snell's law at the nearest wall, or a total reflection."""
        walls, _ = self._walls(p)
        normal = self._slope(p, np.argmin(np.abs(walls), axis=0))
        normal = normal * -np.sign(dot(normal, d))
        _, before = self._walls(p - d * (3.0 * _SKIN))
        _, after = self._walls(p + d * (3.0 * _SKIN))
        ratio = _DENSITY[before.astype(np.intp)] / _DENSITY[after.astype(np.intp)]
        cosine = -dot(normal, d)
        rest = 1.0 - ratio * ratio * (1.0 - cosine * cosine)
        through = d * ratio + normal * (ratio * cosine - np.sqrt(np.maximum(rest, 0.0)))
        return normalize(np.where(rest > 0.0, through, d + 2.0 * cosine * normal))
