from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.sandbox.lens import View, box, coefficients, combine, crop_inside, mapping

ASPECT = 1.5
SOURCE = (300, 200)

views = st.builds(
    View,
    x=st.floats(-0.4, 0.4),
    y=st.floats(-0.4, 0.4),
    zoom=st.floats(1, 2),
    roll=st.floats(-0.3, 0.3),
    yaw=st.floats(-0.3, 0.3),
    lean=st.floats(-0.1, 0.1),
)


def seen_corners(view: View, crop: float) -> list[tuple[float, float]]:
    """Where the corners of a window of SOURCE's size lie in the picture, in pixels."""
    a, b, c, d, e, f, g, h = coefficients(mapping(view, ASPECT, crop), ASPECT, SOURCE, SOURCE)
    return [
        ((a * x + b * y + c) / (g * x + h * y + 1), (d * x + e * y + f) / (g * x + h * y + 1))
        for x in (0, SOURCE[0])
        for y in (0, SOURCE[1])
    ]


def test_the_plain_view_shows_the_whole_picture() -> None:
    assert box(mapping(View(), ASPECT), ASPECT, SOURCE) == pytest.approx((0, 0, 300, 200))
    assert coefficients(mapping(View(), ASPECT), ASPECT, SOURCE, SOURCE) == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0))


def test_zoom_and_shift() -> None:
    assert box(mapping(View(zoom=2), ASPECT), ASPECT, SOURCE) == pytest.approx((75, 50, 225, 150))
    assert box(mapping(View(zoom=2, x=0.5, y=-0.5), ASPECT), ASPECT, SOURCE) == pytest.approx((150, 0, 300, 100))


def test_a_turn_to_the_side_makes_one_edge_longer() -> None:
    left_top, left_bottom, right_top, right_bottom = seen_corners(View(yaw=0.2), 1.0)
    assert right_bottom[1] - right_top[1] > left_bottom[1] - left_top[1]


def test_only_upright_views_are_flat() -> None:
    assert View(x=0.2, y=0.1, zoom=3).flat
    assert not any(view.flat for view in (View(roll=0.1), View(yaw=0.1), View(lean=0.1)))


def test_moves_add_up_and_zooms_multiply() -> None:
    both = combine([View(x=0.1, zoom=2, roll=0.1), View(x=0.2, zoom=1.5, yaw=0.3)])
    assert (both.x, both.zoom, both.roll, both.yaw) == pytest.approx((0.3, 3, 0.1, 0.3))


@settings(deadline=None)
@given(st.lists(views, min_size=1, max_size=4))
def test_nothing_outside_the_picture_is_ever_seen(some: list[View]) -> None:
    crop = crop_inside(some, ASPECT)
    assert 0 < crop <= 1
    for view in some:
        for x, y in seen_corners(view, crop):
            assert -1e-6 <= x <= SOURCE[0] + 1e-6
            assert -1e-6 <= y <= SOURCE[1] + 1e-6


@settings(deadline=None)
@given(views)
def test_the_window_is_as_large_as_it_can_be(view: View) -> None:
    crop = crop_inside([view], ASPECT)
    larger = seen_corners(view, crop * 1.001)
    inside = all(0 <= x <= SOURCE[0] and 0 <= y <= SOURCE[1] for x, y in larger)
    assert crop == 1 or not inside
