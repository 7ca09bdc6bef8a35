from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageStat

from runner.sandbox.planes import Planes
from tests.test_sandbox_kit import scene


@pytest.mark.parametrize(
    ("colour", "expected"),
    # BT.709, limited range: the values of ITU-R BT.709-6, table 4, for 8 bits.
    [((255, 255, 255), (235, 128, 128)), ((0, 0, 0), (16, 128, 128)), ((255, 0, 0), (63, 102, 240))],
)
def test_colours_become_those_of_the_standard(colour: tuple[int, int, int], expected: tuple[int, ...]) -> None:
    planes = Planes.of(Image.new("RGB", (20, 10), colour))
    assert tuple(plane.getpixel((3, 3)) for plane in (planes.luma, planes.blue, planes.red)) == expected


@pytest.mark.parametrize("size", [(480, 320), (102, 50), (334, 78)])
def test_a_picture_comes_back(size: tuple[int, int]) -> None:
    """Odd strides too: planes are padded to the encoder's line size."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    back = Planes.of(picture).picture()
    assert back.size == size
    assert max(ImageStat.Stat(ImageChops.difference(picture, back)).mean) < 1


def test_colour_has_half_the_size() -> None:
    planes = Planes.of(scene())
    assert (planes.luma.size, planes.blue.size, planes.red.size) == ((480, 320), (240, 160), (240, 160))


def test_the_frame_for_the_encoder_says_what_it_is() -> None:
    frame = Planes.of(scene()).frame()
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 480, 320)
    assert (int(frame.colorspace), int(frame.color_range)) == (1, 1)
