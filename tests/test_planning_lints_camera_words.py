"""What prompts say of the camera."""

import pytest

from runner.planning.lints.camera_words import CameraMove, moves_of
from runner.planning.lints.motion import says_motion


@pytest.mark.parametrize(
    ("prompt", "moves"),
    [
        ("The shoe, slow push-in", ["push in"]),
        ("the camera slowly dollies in", ["push in"]),
        ("zooms out, gently", ["pull out"]),
        ("a slow pull back from the door", ["pull out"]),
        ("the camera pans slowly to the left, then tilts up", ["pan left", "tilt up"]),
        ("slow pan, soft light", ["pan"]),
        ("tracking right along the shelf", ["pan right"]),
        ("crane up over the roofs", ["tilt up"]),
        ("slow orbit left", ["orbit"]),
        ("handheld, documentary", ["handheld"]),
        ("locked-off shot, wind in the grass", ["static"]),
        ("static camera", ["static"]),
        ("no camera movement", ["static"]),
        ("no zoom, no panning: a static shot", ["static"]),
        ("The shoe on wet rock", []),
        ("she pushes the door open", []),
        ("static on the radio, the camera pans right", ["pan right"]),
    ],
)
def test_moves_that_a_prompt_asks_for(prompt, moves):
    assert sorted(moves_of(prompt)) == moves


@pytest.mark.parametrize("move", list(CameraMove))
def test_the_lints_know_every_move(move):
    assert says_motion(f"The shoe, {move}")
    assert moves_of(f"The shoe, {move}") == {move} or move in (CameraMove.TILT,)
