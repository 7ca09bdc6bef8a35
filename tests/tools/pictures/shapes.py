"""Signed distances: negative inside, positive outside, and never longer than the true distance by much."""

from collections.abc import Callable

import numpy as np

from pictures.arrays import Array, clamp, f32

Distance = Callable[[Array, Array, Array], Array]
"""Coordinates to signed distance."""


def sphere(x: Array, y: Array, z: Array, radius: float) -> Array:
    return f32(np.sqrt(x * x + y * y + z * z) - radius)


def ellipsoid(x: Array, y: Array, z: Array, rx: float, ry: float, rz: float) -> Array:
    """A bound, exact on the surface (Quilez)."""
    near = np.sqrt((x / rx) ** 2 + (y / ry) ** 2 + (z / rz) ** 2)
    steep = np.sqrt((x / (rx * rx)) ** 2 + (y / (ry * ry)) ** 2 + (z / (rz * rz)) ** 2)
    return f32(near * (near - 1.0) / np.maximum(steep, 1e-6))


def box(x: Array, y: Array, z: Array, hx: float, hy: float, hz: float, rounding: float = 0.0) -> Array:
    """A box of half sides hx, hy, hz, its edges rounded within them."""
    qx, qy, qz = np.abs(x) - (hx - rounding), np.abs(y) - (hy - rounding), np.abs(z) - (hz - rounding)
    outside = np.sqrt(np.maximum(qx, 0.0) ** 2 + np.maximum(qy, 0.0) ** 2 + np.maximum(qz, 0.0) ** 2)
    return f32(outside + np.minimum(np.maximum(qx, np.maximum(qy, qz)), 0.0) - rounding)


def rectangle(x: Array, y: Array, hx: float | Array, hy: float | Array, rounding: float = 0.0) -> Array:
    qx, qy = np.abs(x) - (hx - rounding), np.abs(y) - (hy - rounding)
    outside = np.sqrt(np.maximum(qx, 0.0) ** 2 + np.maximum(qy, 0.0) ** 2)
    return f32(outside + np.minimum(np.maximum(qx, qy), 0.0) - rounding)


def cylinder(x: Array, y: Array, z: Array, radius: float | Array, half: float, rounding: float = 0.0) -> Array:
    """Upright along y, its edges rounded within radius and half height."""
    return rectangle(np.sqrt(x * x + z * z), y, radius, half, rounding)


def torus(x: Array, y: Array, z: Array, ring: float, tube: float) -> Array:
    """A ring in the plane of x and z."""
    return np.sqrt((np.sqrt(x * x + z * z) - ring) ** 2 + y * y) - tube


def capsule(
    p: tuple[Array, Array, Array], a: tuple[float, float, float], b: tuple[float, float, float]
) -> tuple[Array, Array]:
    """Distance to the segment from a to b, and how far along it (0 to 1): subtract a radius of your own."""
    ax, ay, az = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    bx, by, bz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    along = clamp((ax * bx + ay * by + az * bz) / (bx * bx + by * by + bz * bz))
    return np.sqrt((ax - bx * along) ** 2 + (ay - by * along) ** 2 + (az - bz * along) ** 2), along


def lathe(x: Array, y: Array, z: Array, profile: Array, low: float, high: float) -> Array:
    """A solid of revolution about y: `profile` holds its radius at even steps from `low` to `high`.

    Where the radius changes fast, the distance is too long: scale it down.
    """
    place = clamp((y - low) / (high - low)) * (len(profile) - 1.001)
    index = place.astype(np.intp)
    radius = profile[index] + (profile[index + 1] - profile[index]) * (place - index.astype(np.float32))
    ring = np.sqrt(x * x + z * z) - radius
    return common(ring, np.abs(y - 0.5 * (low + high)) - 0.5 * (high - low))


def profile(points: list[tuple[float, float]], steps: int = 256) -> Array:
    """A smooth radius (Catmull-Rom through (height, radius) points) at even steps of height."""
    heights, radii = np.array(points).T
    slopes = np.gradient(radii, heights)
    at = np.linspace(heights[0], heights[-1], steps)
    i = np.clip(np.searchsorted(heights, at) - 1, 0, len(heights) - 2)
    wide = heights[i + 1] - heights[i]
    t = (at - heights[i]) / wide
    start = (1 + 2 * t) * (1 - t) ** 2 * radii[i] + t * (1 - t) ** 2 * wide * slopes[i]
    return f32(start + t * t * (3 - 2 * t) * radii[i + 1] + t * t * (t - 1) * wide * slopes[i + 1])


def join(*distances: Array) -> Array:
    """All of some shapes."""
    return f32(np.minimum.reduce(distances))


def common(*distances: Array) -> Array:
    """What all of some shapes have in common."""
    return f32(np.maximum.reduce(distances))


def moved(distance: Distance, x: float, z: float) -> Distance:
    """The same shape at another place on the ground."""
    return lambda px, py, pz: distance(px - x, py, pz - z)


def union(a: Array, b: Array, blend: float) -> Array:
    """The nearer of two, with a fillet of about `blend` where they meet."""
    h = np.maximum(blend - np.abs(a - b), 0.0) / blend
    return f32(np.minimum(a, b) - h * h * blend * 0.25)


def cut(a: Array, b: Array, blend: float) -> Array:
    """a without b, with a rounded edge."""
    return -union(-a, b, blend)


def turn(a: Array, b: Array, angle: float) -> tuple[Array, Array]:
    """The pair of coordinates turned by `angle` (radians)."""
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return c * a + s * b, c * b - s * a


def bend(
    x: Array, y: Array, z: Array, a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]
) -> tuple[Array, Array]:
    """Distance to the quadratic curve from a by b to c in the plane z = 0, and how far along it (0 to 1)."""
    ux, uy, vx, vy = a[0] - 2.0 * b[0] + c[0], a[1] - 2.0 * b[1] + c[1], 2.0 * (b[0] - a[0]), 2.0 * (b[1] - a[1])
    x, y = x - a[0], y - a[1]

    def square(t: Array | float) -> Array:
        return f32((t * (ux * t + vx) - x) ** 2 + (t * (uy * t + vy) - y) ** 2)

    along, best = np.full_like(x, 0.15), square(0.15)
    for guess in (0.5, 0.85):
        far = square(guess)
        along, best = np.where(far < best, np.float32(guess), along), np.minimum(far, best)
    for _ in range(3):
        sx, sy = 2.0 * ux * along + vx, 2.0 * uy * along + vy
        rx, ry = along * (ux * along + vx) - x, along * (uy * along + vy) - y
        along = clamp(along - (rx * sx + ry * sy) / np.maximum(sx * sx + sy * sy + 2.0 * (rx * ux + ry * uy), 0.05))
    return np.sqrt(square(along) + z * z), along
