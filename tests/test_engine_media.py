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

from runner.engine import decoding
from runner.engine.facts import UnfitFileError
from runner.engine.media import inspect_video, jpeg_of
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
            facts = inspect_video(path, 5.0, decode=decode, wants_frame=True)
            assert facts.seconds == pytest.approx(5.0, abs=0.5)
            assert facts.frame is None or opened(facts.frame).format == "JPEG"


def opened(content):
    return Image.open(io.BytesIO(content))


def test_a_jpeg_is_kept_byte_for_byte():
    assert jpeg_of(picture_bytes(1)) == picture_bytes(1)


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB"), ("PNG", "L")]
)
def test_other_pictures_become_jpegs(kind, mode):
    picture = opened(jpeg_of(made(mode, kind)))
    assert (picture.format, picture.size) == ("JPEG", (40, 30))


def made(mode, kind, size=(40, 30)):
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg/>",
        picture_bytes(1)[:-200],
        picture_bytes(1, kind="PNG")[:-200],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
        made("RGB", "TIFF"),
    ],
    ids=["empty", "gif", "svg", "half a jpeg", "half a png", "head of a png", "tiff"],
)
def test_what_is_no_whole_picture_of_a_known_kind_is_refused(content):
    with pytest.raises(UnfitFileError):
        jpeg_of(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(monkeypatch, kind):
    monkeypatch.setattr(decoding, "_MOST_PIXELS", 8_999_999)
    with pytest.raises(UnfitFileError, match="pixels"):
        jpeg_of(made("L", kind, (3000, 3000)))


@settings(max_examples=100)
@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.binary(max_size=40), st.integers(0, 3000))
def test_any_bytes_in_a_thumbnail_give_a_jpeg_or_a_refusal(kind, noise, at):
    content = bytearray(picture_bytes(1, kind=kind))
    at %= len(content)
    content[at : at + len(noise)] = noise
    with contextlib.suppress(UnfitFileError):
        assert opened(jpeg_of(bytes(content))).format == "JPEG"


def test_a_frame_of_the_video_makes_a_thumbnail_where_it_is_decoded_and_wanted(tmp_path):
    path = saved(tmp_path, video_bytes(5.0))
    picture = opened(inspect_video(path, 5.0, decode=True, wants_frame=True).frame)
    assert (picture.format, picture.size) == ("JPEG", (64, 36))
    assert inspect_video(path, 5.0, decode=True).frame is None
    assert inspect_video(path, 5.0, decode=False, wants_frame=True).frame is None


def brightening(size, frames=12):
    """A clip whose frames grow brighter, from black to white."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index in range(frames):
            pixels = np.full((size[1], size[0], 3), round(255 * index / (frames - 1)), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


@pytest.mark.parametrize(("size", "shown"), [((960, 540), (480, 270)), ((180, 1200), (72, 480)), ((480, 8), (480, 8))])
def test_the_frame_is_a_third_into_the_video_and_small(tmp_path, size, shown):
    path = saved(tmp_path, brightening(size))
    picture = opened(inspect_video(path, None, decode=True, wants_frame=True).frame)
    assert picture.size == shown
    assert picture.convert("L").getpixel((0, 0)) == pytest.approx(255 * 4 / 11, abs=25)
