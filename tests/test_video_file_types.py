"""What files are by their first bytes, and which of them the store of the service takes."""

from __future__ import annotations

import base64

import pytest

from runner.model import Image, Origin
from runner.video.file_types import STORED, content_type, opened
from tests.kit import picture_bytes, sound_bytes, video_bytes


def inline(data):
    return Image("x", Origin.INLINE, base64.b64encode(data).decode(), "", {}, ())


@pytest.mark.parametrize(
    ("data", "kind", "stored"),
    [
        (picture_bytes(kind="JPEG"), "image/jpeg", "jpeg"),
        (picture_bytes(kind="PNG"), "image/png", "png"),
        (picture_bytes(kind="WEBP"), "image/webp", None),
        (picture_bytes(kind="GIF"), "image/gif", None),
        (picture_bytes(kind="BMP"), "image/bmp", None),
        (video_bytes(), "video/mp4", "mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime", None),
        (b"\0\0\0\x1cftypavif\0\0\0\0", None, None),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 20, "video/webm", None),
        (sound_bytes(kind="wav"), "audio/wav", "wav"),
        (sound_bytes(kind="mp3"), "audio/mpeg", "mp3"),
        (b"hello", None, None),
        (b"", None, None),
    ],
)
def test_types_by_their_first_bytes(tmp_path, data, kind, stored):
    path = tmp_path / "file.bin"
    path.write_bytes(data)
    for image in (Image("x", Origin.FILE, str(path), "", {}, ()), inline(data)):
        assert content_type(image) == kind
        with opened(image) as file:
            assert file.read() == data
    assert STORED.get(kind) == stored


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        content_type(Image("x", Origin.FILE, str(tmp_path / "none"), "", {}, ()))
