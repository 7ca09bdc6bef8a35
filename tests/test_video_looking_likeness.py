"""How like frames are to pictures that a service cropped, padded or stretched to them."""

import numpy as np
import pytest
from PIL import Image as Pictures
from PIL import ImageOps

from runner.model import Image, Origin
from runner.video.looking.likeness import likeness, ssim
from tests.measures.clips import scene

SCENE = scene(3, (640, 480)).convert("L")
WIDE = (320, 180)


def saved(path, picture):
    picture.save(path)
    return Image("p", Origin.FILE, str(path), "", {}, ())


@pytest.mark.parametrize("shape", [ImageOps.fit, ImageOps.pad, Pictures.Image.resize])
def test_a_picture_is_known_again_however_it_was_made_to_fit(tmp_path, shape):
    frame = np.asarray(shape(SCENE, WIDE))
    assert likeness(frame, saved(tmp_path / "a.png", SCENE)) > 0.9
    assert likeness(frame, saved(tmp_path / "b.png", scene(4, (640, 480)))) < 0.5


def test_a_photo_that_lies_on_its_side_is_set_upright(tmp_path):
    exif = Pictures.Exif()
    exif[0x0112] = 6
    SCENE.rotate(90, expand=True).save(tmp_path / "a.jpg", exif=exif)
    picture = Image("p", Origin.FILE, str(tmp_path / "a.jpg"), "", {}, ())
    assert likeness(np.asarray(SCENE.resize((320, 240))), picture) > 0.9


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_not_compared(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    assert likeness(np.zeros((4, 4), np.uint8), Image("p", Origin.FILE, str(tmp_path / "a.png"), "", {}, ())) is None


@pytest.mark.parametrize("size", [(1, 1), (2, 50), (180, 320)])
def test_planes_of_any_size(size):
    one = np.random.default_rng(1).integers(0, 255, size).astype(float)
    assert ssim(one, one) == pytest.approx(1.0)
    assert ssim(one, np.zeros(size)) < 0.5
