"""Shadows of leaves: how much light an olive branch before a window takes away."""

import numpy as np

from pictures.arrays import Array, f32, smoothstep
from pictures.shapes import turn

Branch = tuple[float, float, float, float]
"""Where a branch starts (u, v), the angle at which it leaves (radians), and its length."""


def _leaf(x: Array, y: Array, length: float, soft: float) -> Array:
    """A pointed leaf from the origin along +x."""
    along = np.clip(x / length, 0.0, 1.0)
    half = 0.2 * length * np.sin(np.pi * along**0.8)
    return smoothstep(soft, -soft, f32(np.maximum(np.abs(y) - half, np.maximum(-x, x - length))))


def _branch(u: Array, v: Array, branch: Branch, soft: float, leaves: int) -> Array:
    """A branch that sinks under its own weight, its leaves in pairs and smaller to the tip."""
    left, top, angle, size = branch
    x, y = turn(u - left, v - top, angle)
    y = y + 0.16 * x * x / size
    stem = smoothstep(soft, -soft, f32(np.abs(y) - 0.012 * size * (1.0 - 0.7 * x / size))) * (x > 0.0) * (x < size)
    result = f32(stem * 0.9)
    for k in range(leaves):
        at = (0.12 + 0.86 * k / leaves) * size
        lean = 0.75 + 0.25 * np.sin(2.4 * k)
        for side in (1.0, -1.0):
            lx, ly = turn(x - at - 0.02 * side * size, y, side * lean)
            length = size * 0.24 * (1.0 - 0.45 * k / leaves) * (1.0 + 0.2 * np.sin(5.1 * k + side))
            result = np.maximum(result, _leaf(lx, ly, float(length), soft))
    return result


def shadow(u: Array, v: Array, branches: list[Branch], soft: float, leaves: int = 9) -> Array:
    """The darkness of all branches together, 0 to 1; their edges are `soft` wide."""
    result = np.zeros_like(u)
    for branch in branches:
        near = np.hypot(u - branch[0], v - branch[1]) < branch[3] * 1.3
        if np.any(near):
            inside = np.flatnonzero(near)
            result[inside] = np.maximum(result[inside], _branch(u[inside], v[inside], branch, soft, leaves))
    return result
