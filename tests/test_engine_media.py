"""What a file really is, found out by opening it."""

import contextlib
import io
import random

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from runner.engine import media
from runner.engine.media import UnfitFileError, inspect_video, save_frame, save_picture
from tests.kit import picture_bytes, video_bytes


def saved(tmp_path, content, name="a.mp4"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("decode", [True, False])
def test_the_facts_of_a_video(tmp_path, decode):
    facts = inspect_video(saved(tmp_path, video_bytes(5.0)), 5.0, decode=decode)
    assert (facts.seconds, facts.width, facts.height, facts.fps, facts.codec) == (5.0, 64, 36, 8.0, "h264")


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize(
    ("seconds", "is_right"), [(4.25, False), (4.5, True), (5.5, True), (5.75, False), (10.0, False)]
)
def test_the_length_may_be_half_a_second_off(tmp_path, seconds, is_right, decode):
    path = saved(tmp_path, video_bytes(seconds))
    if is_right:
        assert inspect_video(path, 5.0, decode=decode).seconds == seconds
    else:
        with pytest.raises(UnfitFileError, match=r"it lasts .* asked were 5 s"):
            inspect_video(path, 5.0, decode=decode)
    assert inspect_video(path, None, decode=decode).seconds == seconds


def sound_only():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        b"<html>",
        sound_only(),
        video_bytes(5.0)[:200],
        video_bytes(5.0)[:-500],
        b"\0\0\0\x18ftypmp42",
    ],
    ids=["empty", "zeros", "html", "sound", "head", "no index", "type"],
)
def test_what_is_no_video_is_refused(tmp_path, content, decode):
    with pytest.raises(UnfitFileError):
        inspect_video(saved(tmp_path, content), 5.0, decode=decode)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_frame_in_the_middle_is_refused(tmp_path, seed):
    """The decoder would fill it in and say nothing."""
    chance = random.Random(seed)
    content = bytearray(video_bytes(5.0))
    at = chance.randrange(content.find(b"mdat") + 900, content.find(b"moov") - 60)
    content[at : at + 40] = chance.randbytes(40)
    path = saved(tmp_path, bytes(content))
    with pytest.raises(UnfitFileError):
        inspect_video(path, 5.0, decode=True)
    assert inspect_video(path, 5.0, decode=False).seconds == 5.0, "verify: header is the cheap way"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=300), at=st.integers(0, 8000))
@example(noise=b"\0\0\0\0", at=6405)  # a codec that nobody knows
def test_any_bytes_in_a_video_give_facts_or_a_refusal(tmp_path, noise, at):
    content = bytearray(video_bytes(5.0))
    content[at : at + len(noise)] = noise
    path = saved(tmp_path, bytes(content))
    for decode in (True, False):
        with contextlib.suppress(UnfitFileError):
            assert inspect_video(path, 5.0, decode=decode).seconds == pytest.approx(5.0, abs=0.5)
    with contextlib.suppress(UnfitFileError):
        save_frame(path, tmp_path / "t.jpg")


def test_a_jpeg_is_kept_byte_for_byte(tmp_path):
    source = saved(tmp_path, picture_bytes(1), "a.raw")
    save_picture(source, tmp_path / "t.jpg")
    assert (tmp_path / "t.jpg").read_bytes() == picture_bytes(1)


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB"), ("PNG", "L")]
)
def test_other_pictures_become_jpegs(tmp_path, kind, mode):
    Image.new(mode, (40, 30)).save(tmp_path / "a.raw", kind)
    save_picture(tmp_path / "a.raw", tmp_path / "t.jpg")
    with Image.open(tmp_path / "t.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (40, 30))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg/>",
        picture_bytes(1)[:-200],
        picture_bytes(1, kind="PNG")[:-200],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
    ],
)
def test_what_is_no_whole_picture_is_refused(tmp_path, content):
    with pytest.raises(UnfitFileError):
        save_picture(saved(tmp_path, content, "a.raw"), tmp_path / "t.jpg")
    assert not (tmp_path / "t.jpg").exists()


def test_a_picture_of_other_kinds_is_refused(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.raw", "TIFF")
    with pytest.raises(UnfitFileError):
        save_picture(tmp_path / "a.raw", tmp_path / "t.jpg")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch, kind):
    Image.new("L", (3000, 3000)).save(tmp_path / "a.raw", kind)
    monkeypatch.setattr(media, "_MOST_PIXELS", 8_999_999)
    with pytest.raises(UnfitFileError, match="pixels"):
        save_picture(tmp_path / "a.raw", tmp_path / "t.jpg")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.binary(max_size=40), st.integers(0, 3000))
def test_any_bytes_in_a_thumbnail_give_a_jpeg_or_a_refusal(tmp_path, kind, noise, at):
    content = bytearray(picture_bytes(1, kind=kind))
    at %= len(content)
    content[at : at + len(noise)] = noise
    target = tmp_path / "t.jpg"
    try:
        save_picture(saved(tmp_path, bytes(content), "a.raw"), target)
    except UnfitFileError:
        return
    with Image.open(target) as picture:
        assert picture.format == "JPEG"


def test_a_frame_of_the_video_makes_a_thumbnail(tmp_path):
    save_frame(saved(tmp_path, video_bytes(5.0)), tmp_path / "t.jpg")
    with Image.open(tmp_path / "t.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 36))


@pytest.mark.parametrize("content", [b"", b"nonsense", sound_only()])
def test_no_frame_no_thumbnail(tmp_path, content):
    with pytest.raises(UnfitFileError):
        save_frame(saved(tmp_path, content), tmp_path / "t.jpg")
