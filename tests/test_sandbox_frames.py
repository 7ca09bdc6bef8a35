from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from runner.sandbox.frames import frames, window_size
from runner.sandbox.lens import View
from runner.sandbox.mood import Mood
from runner.sandbox.motion import Move, path
from runner.sandbox.planes import Planes
from runner.sandbox.seed import Seed
from tests.test_sandbox_kit import scene

CALM = Mood(warmth=0, vignette=0, sweep=0, slant=0)
WINDOW = (180, 120)


def shot(move: Move, seed: str = "a/1", count: int = 24) -> list[Planes]:
    return list(frames(scene(), WINDOW, path((move,), 0.5, 5, count, Seed(seed)), CALM))


def fingerprint(film: list[Planes]) -> str:
    planes = [plane for frame in film for plane in (frame.luma, frame.blue, frame.red)]
    return hashlib.sha256(b"".join(plane.tobytes() for plane in planes)).hexdigest()


def difference(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]


@pytest.mark.parametrize(
    ("picture", "height", "expected"),
    [
        ((1920, 1080), 720, (1280, 720)),
        ((1000, 2500), 720, (288, 720)),
        ((2500, 1000), 720, (1800, 720)),
        ((300, 300), 720, (300, 300)),
        ((641, 361), 120, (214, 120)),
    ],
)
def test_the_size_of_a_clip(picture: tuple[int, int], height: int, expected: tuple[int, int]) -> None:
    assert window_size(picture, height) == expected


@given(st.integers(300, 9000), st.floats(0.4, 2.5), st.integers(32, 720))
def test_a_clip_keeps_the_aspect_with_even_sides(width: int, ratio: float, height: int) -> None:
    picture = (width, max(1, round(width / ratio)))
    window = window_size(picture, height)
    assert window[0] % 2 == window[1] % 2 == 0
    assert window[1] <= min(height, picture[1])
    assert abs(window[0] - window[1] * picture[0] / picture[1]) <= 1


@pytest.mark.parametrize("move", [Move.PUSH_IN, Move.ORBIT_LEFT, Move.HANDHELD])
def test_the_same_seed_makes_the_same_frames_and_another_take_others(move: Move) -> None:
    assert fingerprint(shot(move)) == fingerprint(shot(move))
    assert fingerprint(shot(move)) != fingerprint(shot(move, "a/2"))


def test_the_first_frame_of_a_still_camera_is_the_picture() -> None:
    film = list(frames(scene(), WINDOW, [View()] * 2, CALM))
    expected = Planes.of(scene().resize(WINDOW, Image.Resampling.LANCZOS))
    without_mark = (0, 0, 180, 80)
    assert difference(film[0].luma.crop(without_mark), expected.luma.crop(without_mark)) < 1.5
    assert fingerprint(film[:1]) == fingerprint(film[1:])


@pytest.mark.parametrize("move", [move for move in Move if move is not Move.STATIC])
def test_every_frame_moves_a_little_and_none_jumps(move: Move) -> None:
    film = shot(move, count=60)
    steps = [difference(earlier.luma, later.luma) for earlier, later in pairwise(film)]
    assert max(steps) < 14
    assert sum(step > 0 for step in steps) >= len(steps) - 2


@pytest.mark.parametrize("move", list(Move))
def test_no_frame_shows_anything_but_the_picture(move: Move) -> None:
    """In a white picture, whatever lies outside would show as black."""
    white = Image.new("RGB", (360, 240), "white")
    for frame in frames(white, WINDOW, path((move,), 1.0, 10, 12, Seed("edge")), CALM):
        above_mark = frame.luma.crop((0, 0, 180, 90))
        assert above_mark.getextrema() == (235, 235)


def test_a_view_between_two_pixels_lies_between_them() -> None:
    """Half a pixel of movement is half a pixel in the frame: nothing snaps to whole pixels."""
    step = 1 / 180  # half a pixel of the window
    still, half, whole = list(frames(scene(), WINDOW, [View(zoom=1.3, x=part * step) for part in (0, 1, 2)], CALM))
    area = (0, 0, 180, 80)
    moved = difference(still.luma.crop(area), whole.luma.crop(area))
    assert 0.3 * moved < difference(still.luma.crop(area), half.luma.crop(area)) < 0.8 * moved
