from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from runner.sandbox.album import Album, is_url, opened
from tests.test_sandbox_kit import encoded, in_base64, scene

FIELD = "payload.image"


@pytest.mark.parametrize("url", ["http://a/b.jpg", "https://a/b.jpg", "HTTPS://A"])
def test_urls(url: str) -> None:
    assert is_url(url)


@pytest.mark.parametrize("text", ["", "ftp://a", "data:image/png;base64,AA", "/9j/4AAQ", "http:/a"])
def test_what_is_no_url(text: str) -> None:
    assert not is_url(text)


def test_an_album_keeps_each_picture_once(tmp_path: Path) -> None:
    album = Album(tmp_path)
    digest = "d" * 64
    for _ in range(2):
        album.add(b"picture", digest)
    assert [path.name for path in tmp_path.iterdir()] == [digest]
    assert album.base64(digest) == in_base64(b"picture")


def test_a_picture_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    buffer = io.BytesIO()
    scene(480, 320).save(buffer, "JPEG", exif=exif)
    assert opened(buffer, FIELD).size == (320, 480)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I"])
def test_pictures_of_every_mode_become_rgb(mode: str) -> None:
    grey = Image.new("L", (60, 60), 128)
    picture = Image.new(mode, (60, 60), 128 * 256) if mode.startswith("I") else grey.convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, "TIFF")
    shown = opened(buffer, FIELD)
    assert shown.mode == "RGB"
    level = shown.getpixel((30, 30))
    assert isinstance(level, tuple)
    assert mode == "1" or all(120 <= part <= 136 for part in level)


def test_what_is_transparent_lies_on_white() -> None:
    buffer = io.BytesIO(encoded(Image.new("RGBA", (60, 60), (255, 0, 0, 0))))
    assert opened(buffer, FIELD).getpixel((5, 5)) == (255, 255, 255)


def test_a_large_jpeg_may_come_smaller_but_not_too_small() -> None:
    large = io.BytesIO(encoded(Image.new("RGB", (3200, 1600)), "JPEG"))
    small = opened(large, FIELD, shortest=300)
    assert 300 <= small.height < 1600
    assert small.width == 2 * small.height
