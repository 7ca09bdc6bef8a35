from __future__ import annotations

import hashlib
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from runner.sandbox.film.camera import View, course
from runner.sandbox.film.frames import Size, frames, window_size
from runner.sandbox.film.seed import Seed
from tests.test_sandbox_kit import scene

WINDOW = (180, 120)
WITHOUT_MARK = (0, 0, 180, 80)
MOVING = ["push in", "pull out", "pan right", "tilt up", "orbit left", "handheld", "a shoe"]


def planes(frame: av.VideoFrame) -> list[Image.Image]:
    """Brightness and the two colour differences."""
    return [
        Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    ]


def luma(frame: av.VideoFrame) -> Image.Image:
    return planes(frame)[0]


def shot(prompt: str, seed: str = "a/1", count: int = 24) -> list[av.VideoFrame]:
    return list(frames(scene(), WINDOW, course(prompt, 0.5, 5, count, Seed(seed))))


def still(picture: Image.Image, window: Size = WINDOW) -> av.VideoFrame:
    """What a camera shows that does not move."""
    return next(frames(picture, window, [View()]))


def fingerprint(film: list[av.VideoFrame]) -> str:
    return hashlib.sha256(b"".join(plane.tobytes() for frame in film for plane in planes(frame))).hexdigest()


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
def test_the_size_of_a_clip(picture: Size, height: int, expected: Size) -> None:
    assert window_size(picture, height) == expected


@given(st.integers(300, 9000), st.floats(0.4, 2.5), st.integers(32, 720))
def test_a_clip_keeps_the_aspect_with_even_sides(width: int, ratio: float, height: int) -> None:
    picture = (width, max(1, round(width / ratio)))
    window = window_size(picture, height)
    assert window[0] % 2 == window[1] % 2 == 0
    assert window[1] <= min(height, picture[1])
    assert abs(window[0] - window[1] * picture[0] / picture[1]) <= 1


@pytest.mark.parametrize(
    ("colour", "expected"),
    # BT.709, limited range: the values of ITU-R BT.709-6, table 4, for 8 bits.
    [((255, 255, 255), (235, 128, 128)), ((0, 0, 0), (16, 128, 128)), ((255, 0, 0), (63, 102, 240))],
)
@pytest.mark.parametrize("window", [(480, 320), (102, 70), (334, 78)])
def test_colours_are_those_of_the_standard(colour: Size, expected: Size, window: Size) -> None:
    """In every window: lines are padded to the length that the encoder wants."""
    frame = still(Image.new("RGB", (480, 320), colour), window)
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", *window)
    assert (int(frame.colorspace), int(frame.color_range)) == (1, 1)
    # Nothing is left of the padding in the first lines.
    assert tuple(plane.crop((0, 0, plane.width, 4)).getextrema() for plane in planes(frame)) == tuple(
        (level, level) for level in expected
    )


@pytest.mark.parametrize("prompt", ["push in", "orbit left", "handheld"])
def test_the_same_seed_makes_the_same_frames_and_another_take_others(prompt: str) -> None:
    assert fingerprint(shot(prompt)) == fingerprint(shot(prompt))
    assert fingerprint(shot(prompt)) != fingerprint(shot(prompt, "a/2"))


def test_a_still_camera_shows_the_picture() -> None:
    film = shot("static", count=2)
    small = still(scene().resize(WINDOW, Image.Resampling.LANCZOS))
    assert difference(luma(still(scene())).crop(WITHOUT_MARK), luma(small).crop(WITHOUT_MARK)) < 1.5
    assert fingerprint(film[:1]) == fingerprint(film[1:])


@pytest.mark.parametrize("prompt", MOVING)
def test_every_frame_moves_a_little_and_none_jumps(prompt: str) -> None:
    steps = [difference(luma(earlier), luma(later)) for earlier, later in pairwise(shot(prompt, count=60))]
    assert max(steps) < 14
    assert sum(step > 0 for step in steps) >= len(steps) - 2


@pytest.mark.parametrize("prompt", [*MOVING, "static"])
def test_no_frame_shows_anything_but_the_picture(prompt: str) -> None:
    """In a white picture, whatever lies outside would show as black."""
    white = Image.new("RGB", (360, 240), "white")
    for frame in frames(white, WINDOW, course(prompt, 1.0, 10, 12, Seed("edge"))):
        assert luma(frame).crop((0, 0, 180, 90)).getextrema() == (235, 235)


def test_a_turn_brings_the_right_edge_nearer() -> None:
    """In a picture with a band across the middle, the band is higher where the picture is nearer."""
    band = Image.new("RGB", (360, 240))
    band.paste("white", (0, 100, 360, 140))
    (frame,) = frames(band, WINDOW, [View(turn=0.2, near=0.3)])
    left, right = (ImageStat.Stat(luma(frame).crop((x, 0, x + 10, 120))).sum[0] for x in (0, 170))
    assert left < right * 0.9


def test_a_view_between_two_pixels_lies_between_them() -> None:
    """Half a pixel of movement is half a pixel in the frame: nothing snaps to whole pixels."""
    step = 1 / 180  # half a pixel of the window
    views = [View(near=0.26, x=part * step) for part in (0, 1, 2)]
    start, half, whole = (luma(frame).crop(WITHOUT_MARK) for frame in frames(scene(), WINDOW, views))
    moved = difference(start, whole)
    assert 0.3 * moved < difference(start, half) < 0.8 * moved


@pytest.mark.parametrize("window", [(1280, 720), (404, 720), (180, 120), (48, 120), (80, 32)])
def test_the_mark_is_in_the_lower_right_corner_only(window: Size) -> None:
    grey = luma(still(Image.new("RGB", window, (120, 120, 120)), window))
    plain = Image.new("L", window, int(str(grey.getpixel((0, 0)))))
    box = ImageChops.difference(grey, plain).getbbox()
    assert box
    assert box[1] >= window[1] * 0.55 or window[1] < 60
    assert box[0] >= window[0] * 0.5 or window[0] < 200


@pytest.mark.parametrize("level", [0, 120, 255])
def test_the_mark_can_be_read_on_any_picture_and_has_no_colour(level: int) -> None:
    window = (640, 360)
    light, blue, red = planes(still(Image.new("RGB", window, (level, level, level)), window))
    darkest, brightest = light.getextrema()
    assert isinstance(darkest, int)
    assert isinstance(brightest, int)
    assert brightest - darkest > 60
    assert blue.getextrema() == red.getextrema() == (128, 128)
