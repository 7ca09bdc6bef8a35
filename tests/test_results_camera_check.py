"""The camera of a prompt against the measured one."""

import pytest

from runner.results.camera_check import contradictions, named

STILL = {"zoom": 1.0, "pan": 0.0, "tilt": 0.0, "roll": 0.0, "motion": 0.0, "wobble": 0.0}


def camera(**values):
    return {**STILL, "motion": 0.02, "wobble": 0.002, **values}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (STILL, "static"),
        (camera(motion=0.08, wobble=0.08), "static"),
        (camera(zoom=1.33), "push in"),
        (camera(zoom=0.8, pan=0.04), "pull out"),
        (camera(pan=0.2, tilt=0.05), "pan right"),
        (camera(pan=-0.2), "pan left"),
        (camera(tilt=0.2), "tilt up"),
        (camera(tilt=-0.2), "tilt down"),
        (camera(pan=0.01), "handheld"),
        (camera(pan=0.03, roll=2.5, motion=0.008), "orbit"),
        ({}, None),
        ({**STILL, "zoom": None}, None),
    ],
)
def test_the_name_of_a_measured_camera(values, name):
    assert named(values, 5.0) == name


@pytest.mark.parametrize(
    ("prompt", "values", "count"),
    [
        ("slow push-in", camera(zoom=1.1), 0),
        ("slow push-in", camera(zoom=0.95), 1),
        ("slow push-in", STILL, 1),
        ("pan left", camera(pan=-0.1), 0),
        ("pan left", camera(pan=0.1), 1),
        ("slow pan", camera(pan=0.1), 0),
        ("tilt up and push in", STILL, 2),
        ("static camera", STILL, 0),
        ("static camera", camera(pan=0.3, motion=0.06), 1),
        ("handheld", camera(), 0),
        ("handheld", STILL, 1),
        ("a shoe", camera(pan=0.4), 0),
        ("slow push-in", {}, 0),
        ("push in, then pull out", STILL, 0),
        ("pan left, then pan right, and tilt up", STILL, 1),
        ("static shot, then a slow push-in", camera(zoom=1.3), 0),
        ("static shot, then a slow push-in", STILL, 1),
    ],
)
def test_where_the_camera_did_otherwise_it_is_told(prompt, values, count):
    assert len(list(contradictions(prompt, values, 5.0))) == count


def test_the_words_say_what_was_asked_and_what_was_measured():
    (words,) = contradictions("slow push-in", camera(zoom=0.9), 5.0)
    assert words == "the prompt says push in; the camera measured: zoom 0.90, pan +0.00, tilt +0.00"
