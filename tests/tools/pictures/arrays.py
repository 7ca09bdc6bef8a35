"""Arithmetic on many points at once: a field of vectors is an array of shape (3, n), one of numbers has shape (n,)."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32 | np.float64]
"""Single precision throughout; numpy's types, not its arithmetic, turn a product with a float into double precision."""
Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]


def vec(x: float, y: float, z: float) -> Array:
    """One vector as a column, so that it broadcasts against (3, n)."""
    return np.array([[x], [y], [z]], dtype=np.float32)


def f32(values: npt.ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float32)


def dot(a: Array, b: Array) -> Array:
    return f32(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def length(a: Array) -> Array:
    return np.sqrt(dot(a, a))


def normalize(a: Array) -> Array:
    return a / np.maximum(length(a), 1e-9)


def cross(a: Array, b: Array) -> Array:
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def reflect(direction: Array, normal: Array) -> Array:
    return direction - 2.0 * dot(direction, normal) * normal


def clamp(a: Array, low: float = 0.0, high: float = 1.0) -> Array:
    return np.minimum(np.maximum(a, low), high)


def mix(a: Array, b: Array, amount: Array | float) -> Array:
    return a + (b - a) * amount


def smoothstep(low: float | Array, high: float | Array, a: Array) -> Array:
    t = clamp((a - low) / (high - low))
    return t * t * (3.0 - 2.0 * t)


def luminance(colour: Array) -> Array:
    """Rec. 709 luminance of linear RGB."""
    return f32(0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2])


def bilinear(image: Array, x: Array, y: Array) -> Array:
    """The image between its pixels, of which the first is at (0, 0)."""
    _, height, width = image.shape
    x, y = clamp(x, 0.0, width - 1.001), clamp(y, 0.0, height - 1.001)
    i, j = x.astype(np.intp), y.astype(np.intp)
    low, high = mix(image[:, j, i], image[:, j, i + 1], x - i), mix(image[:, j + 1, i], image[:, j + 1, i + 1], x - i)
    return mix(low, high, y - j)


def basis(normal: Array) -> tuple[Array, Array]:
    """Two unit vectors that stand upright on `normal` and on each other (Duff et al., JCGT 2017)."""
    sign = np.where(normal[2] >= 0.0, 1.0, -1.0).astype(np.float32)
    a = -1.0 / (sign + normal[2])
    b = normal[0] * normal[1] * a
    tangent = np.stack([1.0 + sign * normal[0] * normal[0] * a, sign * b, -sign * normal[0]])
    bitangent = np.stack([b, sign + normal[1] * normal[1] * a, -normal[1]])
    return tangent, bitangent


def total(fields: Iterable[Array]) -> Array:
    return f32(sum(fields, start=np.float32(0.0)))


def rgb(code: str) -> Array:
    """A linear colour from an sRGB hex code such as "d9c7a8"."""
    srgb = f32([int(code[i : i + 2], 16) / 255.0 for i in (0, 2, 4)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32).reshape(3, 1)
