from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from runner.sandbox.catalog import PictureRules
from runner.sandbox.errors import RefusedError
from runner.sandbox.pictures import MOST_PIXELS, Album, check_picture, decoded, is_url, opened, sha256
from tests.test_sandbox_kit import MOST_BYTES, encoded, in_base64, picture_bytes, refused, scene

RULES = PictureRules(MOST_BYTES, 300, 0.4, 2.5, ("JPEG", "PNG"))
FIELD = "payload.image"


def plain(width: int, height: int, format_name: str = "PNG") -> bytes:
    return encoded(Image.new("RGB", (width, height), "teal"), format_name)


def refusal(data: bytes) -> str:
    with pytest.raises(RefusedError) as caught:
        check_picture(data, RULES, FIELD)
    assert caught.value.status == 400
    assert caught.value.message.startswith("payload.image: ")
    return caught.value.message


def png_of(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, and holds nothing of it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b""), b"IEND"]
    packed = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("url", ["http://a/b.jpg", "https://a/b.jpg", "HTTPS://A"])
def test_urls(url: str) -> None:
    assert is_url(url)


@pytest.mark.parametrize("text", ["", "ftp://a", "data:image/png;base64,AA", "/9j/4AAQ", "http:/a"])
def test_what_is_no_url(text: str) -> None:
    assert not is_url(text)


@given(st.binary(min_size=1))
def test_base64_comes_back(data: bytes) -> None:
    assert decoded(in_base64(data), FIELD) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64!",
        "QUJ",  # padding missing
        "QUJD\n",
        " QUJD",
        "QU JD",
        "QUI_",  # the URL alphabet
        "QR==",  # decodes to the same byte as QQ==
        "QUJD=",
        "Ü" * 4,
    ],
)
def test_wrong_base64_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match=r"payload\.image: must be a URL or raw Base64, but is neither"):
        decoded(text, FIELD)


@pytest.mark.parametrize("text", ["data:image/png;base64,QUJD", "DATA:,x"])
def test_a_data_prefix_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(RefusedError, match="without a data: prefix"):
        decoded(text, FIELD)


@pytest.mark.parametrize("size", [(300, 300), (300, 750), (750, 300), (301, 303), (4000, 1600)])
@pytest.mark.parametrize("format_name", ["PNG", "JPEG"])
def test_pictures_at_the_limits_are_accepted(size: tuple[int, int], format_name: str) -> None:
    check_picture(plain(*size, format_name), RULES, FIELD)


@pytest.mark.parametrize("size", [(299, 300), (300, 299), (299, 299), (10, 600)])
def test_too_small_pictures_are_refused_with_their_size(size: tuple[int, int]) -> None:
    assert f"is {size[0]} x {size[1]} pixels; both sides must be at least 300" in refusal(plain(*size))


@pytest.mark.parametrize("size", [(300, 751), (751, 300), (1000, 2501), (2501, 1000)])
def test_too_long_pictures_are_refused_with_their_ratio(size: tuple[int, int]) -> None:
    assert f"has an aspect ratio of {size[0] / size[1]:.3f}; allowed is 0.4 to 2.5" in refusal(plain(*size))


@pytest.mark.parametrize(("more", "accepted"), [(-1, True), (0, True), (1, False)])
def test_the_limit_of_bytes_is_exact(more: int, accepted: bool) -> None:
    data = plain(300, 300)
    data += b"\0" * (MOST_BYTES - len(data) + more)
    if accepted:
        check_picture(data, RULES, FIELD)
    else:
        assert refusal(data) == f"payload.image: has {MOST_BYTES + 1} bytes; at most {MOST_BYTES} are allowed"


@pytest.mark.parametrize("format_name", ["WEBP", "GIF", "BMP", "TIFF"])
def test_other_formats_are_refused_whatever_they_are_called(format_name: str) -> None:
    assert refusal(plain(400, 400, format_name)) == "payload.image: must be JPEG or PNG by its content"


def test_text_is_not_a_picture() -> None:
    assert refusal(b"hello") == "payload.image: must be JPEG or PNG by its content"


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
@pytest.mark.parametrize("kept", [10, 100, 2000])
def test_a_cut_off_picture_is_refused(format_name: str, kept: int) -> None:
    refusal(picture_bytes(480, 320, format_name)[:kept])


def test_a_bomb_is_refused_by_its_header() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    assert "pixels; at most" in refusal(png_of(side, side))
    assert "pixels; at most" in refusal(png_of(40000, 40000))


def test_a_bomb_of_few_pixels_is_decoded_in_full() -> None:
    assert "damaged" in refusal(png_of(400, 400))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from(["JPEG", "PNG"]))
def test_damaged_bytes_are_refused_or_accepted_and_nothing_else(seed: int, format_name: str) -> None:
    dice = random.Random(seed)
    data = bytearray(picture_bytes(320, 300, format_name))
    for _ in range(dice.randint(1, 12)):
        data[dice.randrange(min(len(data), dice.choice([60, 600, 100_000])))] = dice.randrange(256)
    error = refused(lambda: check_picture(bytes(data), RULES, FIELD))
    assert error is None or error.status == 400


def test_an_album_keeps_each_picture_once(tmp_path: Path) -> None:
    album = Album(tmp_path)
    digest = sha256(b"picture")
    assert not album.has(digest)
    for _ in range(2):
        album.add(b"picture", digest)
    assert [path.name for path in tmp_path.iterdir()] == [digest]
    assert album.has(digest)
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
