"""Thresholds, and what is beyond them."""

import pytest

from runner.manifest.structure import schema
from runner.model import Measured, Threshold
from runner.video.defects import USUAL, defects_of, names, threshold_of
from runner.video.measures import MEASURES, unmeasured


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("frozen > 0.3", Threshold("frozen", ">", 0.3)),
        ("flash>=1", Threshold("flash", ">=", 1)),
        (" pan < -0.25 ", Threshold("pan", "<", -0.25)),
        ("frozn <= 1", Threshold("frozn", "<=", 1)),
        ("frozen", None),
        ("frozen = 1", None),
        ("frozen > much", None),
        ("> 1", None),
    ],
)
def test_how_a_threshold_is_written(text, expected):
    assert threshold_of(text) == expected


def test_the_usual_ones_are_those_of_the_schema():
    rules = schema()["properties"]["measures"]["properties"]["defects"]
    assert tuple(map(threshold_of, rules["default"])) == USUAL


def test_a_measure_beyond_its_threshold_is_a_defect_once_with_its_spans():
    measured = Measured({"frozen": 0.5, "pan": -0.4, "sound": True}, {"frozen": ((2.5, 5.0),)})
    thresholds = tuple(
        filter(None, map(threshold_of, ("frozen > 0.3", "frozen > 0.4", "pan < 0", "sound > 0", "zoom > 1")))
    )
    found = list(defects_of(measured, thresholds))
    assert [(each.measure, each.value, each.limit) for each in found] == [
        ("frozen", 0.5, 0.3),
        ("pan", -0.4, 0),
        ("sound", 1.0, 0),
    ]
    assert str(found[0]) == "frozen 0.5 (> 0.3) at 2.5-5 s"


@pytest.mark.parametrize("measured", [None, unmeasured(), Measured({})])
def test_what_was_not_measured_is_no_defect(measured):
    assert list(defects_of(measured, None)) == []


def test_an_empty_list_makes_nothing_a_defect():
    assert list(defects_of(Measured({"frozen": 1.0}), ())) == []
    assert names(()) == ()


def test_every_usual_one_is_of_a_measure():
    assert set(names(None)) <= set(MEASURES)
