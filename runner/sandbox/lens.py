"""Where a virtual camera looks: from a view of the picture to the mapping of pixels that shows it.

Coordinates are those of the picture: the centre is 0, 0; the top and bottom edges are y = -1 and 1; the left and right
edges are x = -aspect and aspect. The window is what the clip shows; a mapping leads from the window to the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Matrix = tuple[float, float, float, float, float, float, float, float, float]
Box = tuple[float, float, float, float]
Size = tuple[int, int]

# Distance from the eye to the picture, in half picture heights: a field of view of about 45 degrees.
_FOCAL = 2.4
_FITTING_STEPS = 24


@dataclass(frozen=True, slots=True)
class View:
    """One position of the camera. Angles in radians."""

    x: float = 0.0  # half picture widths
    y: float = 0.0  # half picture heights
    zoom: float = 1.0
    roll: float = 0.0
    yaw: float = 0.0
    lean: float = 0.0  # horizontal shear: what lies low in the picture moves against what lies high

    @property
    def flat(self) -> bool:
        """Whether the window is an upright rectangle of the picture."""
        return not (self.roll or self.yaw or self.lean)


def combine(views: Sequence[View]) -> View:
    """All movements at once: shifts and angles add up, zooms multiply."""
    return View(
        x=sum(view.x for view in views),
        y=sum(view.y for view in views),
        zoom=math.prod(view.zoom for view in views),
        roll=sum(view.roll for view in views),
        yaw=sum(view.yaw for view in views),
        lean=sum(view.lean for view in views),
    )


def mapping(view: View, aspect: float, crop: float = 1.0) -> Matrix:
    """The mapping from the window to the picture; `crop` scales the window about its centre."""
    scale = crop / view.zoom
    cos_roll, sin_roll = math.cos(view.roll), math.sin(view.roll)
    cos_yaw, sin_yaw = math.cos(view.yaw), math.sin(view.yaw)
    turned = (scale * cos_roll, -scale * sin_roll, 0.0, scale * sin_roll, scale * cos_roll, 0.0, 0.0, 0.0, 1.0)
    tilted = (_FOCAL, 0.0, 0.0, 0.0, _FOCAL * cos_yaw, 0.0, -sin_yaw, 0.0, _FOCAL * cos_yaw)
    shifted = (1.0, view.lean, view.x * aspect, 0.0, 1.0, view.y, 0.0, 0.0, 1.0)
    return _product(shifted, _product(tilted, turned))


def crop_inside(views: Sequence[View], aspect: float) -> float:
    """The largest window, at most 1, that shows nothing from outside the picture in any of the views.

    A smaller window about the same centre lies inside a larger one, so halving the interval finds it.
    """
    if all(_inside(view, aspect, 1.0) for view in views):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_FITTING_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if all(_inside(view, aspect, middle) for view in views) else (low, middle)
    return low


def coefficients(matrix: Matrix, aspect: float, window: Size, source: Size) -> tuple[float, ...]:
    """The mapping between pixels, as the eight numbers of `Image.Transform.PERSPECTIVE`."""
    width, height = window
    into = (2 * aspect / width, 0.0, -aspect, 0.0, 2 / height, -1.0, 0.0, 0.0, 1.0)
    onto = (source[0] / (2 * aspect), 0.0, source[0] / 2, 0.0, source[1] / 2, source[1] / 2, 0.0, 0.0, 1.0)
    whole = _product(onto, _product(matrix, into))
    return tuple(value / whole[8] for value in whole[:8])


def box(matrix: Matrix, aspect: float, source: Size) -> Box:
    """The rectangle of source pixels that a flat view shows."""
    width, height = source
    left, top = _mapped(matrix, -aspect, -1.0)
    right, bottom = _mapped(matrix, aspect, 1.0)
    return (
        max(0.0, (left / aspect + 1) / 2 * width),
        max(0.0, (top + 1) / 2 * height),
        min(float(width), (right / aspect + 1) / 2 * width),
        min(float(height), (bottom + 1) / 2 * height),
    )


def _inside(view: View, aspect: float, crop: float) -> bool:
    matrix = mapping(view, aspect, crop)
    corners = [_mapped(matrix, x, y) for x in (-aspect, aspect) for y in (-1.0, 1.0)]
    slack = 1e-9
    return all(abs(x) <= aspect + slack and abs(y) <= 1.0 + slack for x, y in corners)


def _mapped(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f, g, h, i = matrix
    depth = g * x + h * y + i
    return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth


def _product(left: Matrix, right: Matrix) -> Matrix:
    a, b, c, d, e, f, g, h, i = left
    j, k, m, n, o, p, q, r, s = right
    return (
        a * j + b * n + c * q,
        a * k + b * o + c * r,
        a * m + b * p + c * s,
        d * j + e * n + f * q,
        d * k + e * o + f * r,
        d * m + e * p + f * s,
        g * j + h * n + i * q,
        g * k + h * o + i * r,
        g * m + h * p + i * s,
    )
