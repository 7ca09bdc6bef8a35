"""The camera from frame to frame, over a picture that is shifted, turned and scaled."""

import numpy as np
import pytest
from PIL import Image as Pictures

from runner.video.looking.camera_path import CameraPath
from tests.measures.clips import scene

SCENE = scene(5, (640, 360)).convert("L")
STEPS = 8


def followed(view):
    """The measures over a second: `view` makes of the picture what the camera sees at each step."""
    path = CameraPath(fps=8.0)
    for step in range(STEPS + 1):
        path.see(np.asarray(view(step).crop((160, 90, 480, 270))))
    return path.values()


def shifted(right, down):
    return lambda step: SCENE.transform(SCENE.size, Pictures.Transform.AFFINE, (1, 0, right * step, 0, 1, down * step))


def test_a_camera_that_goes_right_and_down():
    found = followed(shifted(4, 2))
    assert found["pan"] == pytest.approx(4 * STEPS / 320, abs=0.003)
    assert found["tilt"] == pytest.approx(-2 * STEPS / 180, abs=0.003)
    assert found["motion"] == pytest.approx(20**0.5 * STEPS / 320, abs=0.003)
    assert (found["zoom"], found["roll"]) == (pytest.approx(1.0, abs=0.005), pytest.approx(0.0, abs=0.2))
    assert found["wobble"] < 0.01


def test_a_camera_that_turns_clockwise():
    """What it sees turns the other way, as PIL does."""
    found = followed(lambda step: SCENE.rotate(step, Pictures.Resampling.BICUBIC))
    assert found["roll"] == pytest.approx(STEPS, abs=0.3)
    assert found["pan"] == pytest.approx(0.0, abs=0.01)


def test_a_camera_that_comes_nearer():
    def view(step):
        wide, high = (side / 1.03**step for side in SCENE.size)
        box = (320 - wide / 2, 180 - high / 2, 320 + wide / 2, 180 + high / 2)
        return SCENE.resize(SCENE.size, Pictures.Resampling.BICUBIC, box)

    assert followed(view)["zoom"] == pytest.approx(1.03**STEPS, abs=0.01)


@pytest.mark.parametrize("shape", [(180, 320), (1, 1), (2, 320), (320, 2)])
def test_where_there_is_nothing_to_follow_nothing_is_known(shape):
    path = CameraPath(fps=8.0)
    for _ in range(3):
        path.see(np.full(shape, 128, np.uint8))
    assert path.values() == {}


def test_one_frame_has_no_camera():
    path = CameraPath(fps=24.0)
    path.see(np.asarray(SCENE))
    assert path.values() == {}
