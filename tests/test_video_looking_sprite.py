"""The strip of frames: which are in it, whatever their number and size."""

import io

import av
import numpy as np
import pytest
from PIL import Image as Pictures

from runner.video.looking.sprite import CELLS, HEIGHT, Sprite


def strip(count, size=(64, 36)):
    """The sprite of frames that get brighter from the first to the last."""
    sprite = Sprite()
    for number in range(count):
        shade = np.full((size[1], size[0], 3), 250 * number // max(count - 1, 1), np.uint8)
        sprite.add(av.VideoFrame.from_ndarray(shade, format="rgb24").reformat(format="yuv420p"))
    return Pictures.open(io.BytesIO(sprite.picture()))


@pytest.mark.parametrize("count", [1, 2, 23, 24, 25, 95, 96, 191, 192, 300])
def test_each_cell_shows_its_part_of_the_clip(count):
    picture = strip(count)
    wide = picture.width // CELLS
    cells = [picture.convert("L").getpixel((wide * cell + wide // 2, HEIGHT // 2)) for cell in range(CELLS)]
    places = [(cell + 0.5) * count / CELLS - 0.5 for cell in range(CELLS)]
    shades = [250 * min(max(place, 0), count - 1) / max(count - 1, 1) for place in places]
    # A frame at most half a step away, and what WebP leaves.
    near = 250 / max(count - 1, 1) / 2 + 250 / CELLS / 4 + 6
    assert cells == pytest.approx(shades, abs=near)


@pytest.mark.parametrize(
    ("size", "cell"), [((640, 360), (213, 120)), ((360, 640), (68, 120)), ((2048, 2), (682, 1)), ((2, 360), (1, 120))]
)
def test_cells_have_the_shape_of_the_frames_and_fit_into_a_webp(size, cell):
    assert strip(3, size).size == (CELLS * cell[0], cell[1])
