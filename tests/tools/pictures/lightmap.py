"""Soft light on a coarse grid: gathered, smoothed within each surface, and read at any place."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pictures.arrays import Array, Index, clamp, dot, f32
from pictures.film import blur
from pictures.light import beams, dither, gather, softboxes
from pictures.scene import Camera
from pictures.trace import MISS, Stage
from pictures.view import BATCH, View, grid

_PASSES = 4


@dataclass(frozen=True, slots=True)
class Lit:
    """A coarse picture of what rays met and of the irradiance there."""

    view: View
    irradiance: Array
    width: int
    height: int


def lightmap(stage: Stage, view: View, width: int, height: int, samples: int, share: float) -> Lit:
    """Light from everywhere but the suns: `samples` rays of the gather and a `share` of those to the softboxes."""
    x, y = grid(width, range(height))
    noise = dither(x, y)
    result = np.zeros_like(view.position)
    met = np.flatnonzero(view.what != MISS)
    for first in range(0, met.size, BATCH):
        some = met[first : first + BATCH]
        place, normal = view.position[:, some], view.normal[:, some]
        result[:, some] = softboxes(stage, place, normal, noise[:, some], share)
        result[:, some] += gather(stage, place, normal, noise[:, some], samples)
    for level in range(_PASSES):
        result = _smooth(result, view, width, height, 1 << level)
    return Lit(view, result, width, height)


def _smooth(light: Array, view: View, width: int, height: int, step: int) -> Array:
    """One pass of an edge-stopping wavelet filter (Dammertz et al., 2010)."""
    shape = (-1, height, width)
    image, normal, place = light.reshape(shape), view.normal.reshape(shape), view.position.reshape(shape)
    what, far = f32(view.what).reshape(height, width), view.t.reshape(height, width)
    level = image.sum(axis=0)
    result, weight = np.zeros_like(image), np.zeros_like(level)
    for dy, dx, kernel in _taps(step):
        rows = np.clip(np.arange(height) + dy, 0, height - 1)
        columns = np.clip(np.arange(width) + dx, 0, width - 1)

        def there(a: Array, rows: Index = rows, columns: Index = columns) -> Array:
            return a[..., rows, :][..., columns]

        other = there(image)
        off_plane = np.abs(dot(normal, there(place) - place)) / (0.004 * far * step + 1e-4)
        turned = clamp(dot(normal, there(normal))) ** 24
        unlike = np.abs(there(level) - level) / (0.5 * (level + other.sum(axis=0)) + 1e-3) * (0.15 * step)
        w = kernel * turned * np.exp(-off_plane - unlike) * (there(what) == what)
        result += w * other
        weight += w
    return f32((result / np.maximum(weight, 1e-6)).reshape(light.shape))


def _taps(step: int) -> Iterator[tuple[int, int, float]]:
    kernel = (0.25, 0.5, 0.25)
    for j, b in enumerate(kernel):
        for i, a in enumerate(kernel):
            yield (j - 1) * step, (i - 1) * step, a * b


def fetch(lit: Lit, view: View, x: Array, y: Array) -> Array:
    """The irradiance at the places of a fine view, from the coarse neighbours that lie on the same surface."""
    column, row = np.floor(x), np.floor(y)
    result, weight = np.zeros_like(view.position), np.full_like(view.t, 1e-9)
    for dy in (0, 1):
        for dx in (0, 1):
            i = np.clip(column + dx, 0, lit.width - 1).astype(np.intp)
            j = np.clip(row + dy, 0, lit.height - 1).astype(np.intp)
            at = j * lit.width + i
            near = (1.0 - np.abs(x - column - dx)) * (1.0 - np.abs(y - row - dy)) + 1e-3
            off_plane = np.abs(dot(view.normal, lit.view.position[:, at] - view.position)) / (0.004 * view.t + 1e-4)
            turned = dot(view.normal, lit.view.normal[:, at])
            alike = clamp(turned) ** 16 * np.exp(-off_plane) + 0.003 * clamp(0.5 + 0.5 * turned) ** 4
            w = near * (alike * (lit.view.what[at] == view.what) + 1e-6 * (lit.view.what[at] != MISS))
            result += w * lit.irradiance[:, at]
            weight += w
    return f32(result / weight)


def air(stage: Stage, camera: Camera, view: View, w: int, h: int) -> Array:
    """The light of sunbeams on the coarse grid, of shape (3, h, w); smooth, for dust has no edges."""
    result = np.zeros_like(view.position)
    if stage.scene.dust:
        x, y = grid(w, range(h))
        for first in range(0, x.size, BATCH):
            some = slice(first, first + BATCH)
            origin, direction = camera.rays((x[some] + 0.5) / w, (y[some] + 0.5) / h, w / h)
            result[:, some] = beams(stage, origin, direction, view.t[some], dither(x[some], y[some]))
    return blur(result.reshape(3, h, w), 2.5)
