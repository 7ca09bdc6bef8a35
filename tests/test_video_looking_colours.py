"""Differences of colours, against the pairs of Sharma, Wu and Dalal (2005)."""

import pytest

from runner.video.looking.colours import Lab, difference, lab_of


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000(one, other, expected):
    assert difference(Lab(*one), Lab(*other)) == pytest.approx(expected, abs=1e-4)
    assert difference(Lab(*other), Lab(*one)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("colour", "lab"), [((255, 255, 255), (100, 0, 0)), ((0, 0, 0), (0, 0, 0)), ((255, 0, 0), (53.24, 80.09, 67.20))]
)
def test_colours_of_srgb(colour, lab):
    assert tuple(lab_of(*colour)) == pytest.approx(lab, abs=0.02)
