"""The header of an MP4 file by its boxes, held against what FFmpeg's demuxer says of the same file."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.engine.boxes import read_header
from runner.engine.decoding import examine
from runner.engine.facts import UnfitFileError
from tests.kit import video_bytes

PLAIN = video_bytes(5.0)


def write_clip(path, codec="libx264", rate=8, size=(64, 36), frames=24, sound=False, times=None, **options):
    """A clip as other programs may write it; `times` are those of its frames, in ticks of the rate."""
    with av.open(str(path), "w", format="mp4", options=options) as container:
        if sound:
            voice = container.add_stream("aac", rate=8000)
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index in range(frames):
            pixels = np.full((size[1], size[0], 3), index * 5 % 256, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = (index if times is None else times[index]), 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound:
            wave = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
            wave.rate = 8000
            container.mux(voice.encode(wave))
            container.mux(voice.encode())
    return path


def saved(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    return path


def boxes(content):
    """The top-level boxes of a file."""
    at = 0
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        yield content[at : at + size]
        at += size


def facts(found):
    return found.seconds, found.width, found.height, found.fps, found.codec


@pytest.mark.parametrize(
    "clip",
    [
        {},
        {"rate": 24, "frames": 120},
        {"rate": Fraction(30000, 1001), "frames": 90},
        {"size": (1280, 720), "frames": 3},
        {"size": (36, 64)},
        {"frames": 1},
        {"codec": "mpeg4"},
        {"sound": True},
        {"movflags": "faststart"},
        {"times": [index * index for index in range(24)]},
    ],
    ids=lambda clip: " ".join(clip) or "plain",
)
def test_it_tells_what_the_demuxer_tells(tmp_path, clip):
    path = write_clip(tmp_path / "a.mp4", **clip)
    assert facts(read_header(path)) == facts(examine(path, decode=False, wants_frame=False))


def test_boxes_of_64_bits_and_one_that_lasts_to_the_end_are_read(tmp_path):
    whole = b""
    for box in boxes(PLAIN):
        kind, body = box[4:8], box[8:]
        whole += struct.pack(">I4sQ", 1, kind, len(body) + 16) + body if kind == b"mdat" else box
    for content in (whole, PLAIN + struct.pack(">I4s", 0, b"free") + b"\0" * 99):
        assert facts(read_header(saved(tmp_path, content))) == (5.0, 64, 36, 8.0, "h264")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 4000,
        b"<html>",
        PLAIN[:-1],
        PLAIN + b"\0",
        PLAIN[: PLAIN.find(b"moov") - 4],
        PLAIN + next(box for box in boxes(PLAIN) if box[4:8] == b"moov"),
        b"".join(box for box in boxes(PLAIN) if box[4:8] != b"ftyp"),
        PLAIN.replace(b"avc1", b"what"),
        PLAIN.replace(b"vide", b"text"),
        PLAIN.replace(b"stts", b"xxxx"),
        struct.pack(">I4s", 8, b"ftyp") + struct.pack(">I4s", 8, b"free") * 2000 + PLAIN,
        struct.pack(">I4s", 8, b"ftyp") + struct.pack(">I4sQ", 1, b"moov", 8),
    ],
    ids=[
        *("empty", "zeros", "html", "cut", "more", "no index", "two indexes", "no type", "unknown codec", "no video"),
        *("no times", "too many boxes", "an impossible size"),
    ],
)
def test_what_is_not_plain_is_left_to_the_demuxer(tmp_path, content):
    assert read_header(saved(tmp_path, content)) is None


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.integers(PLAIN.find(b"moov") - 4, len(PLAIN) - 1),
    noise=st.binary(min_size=1, max_size=12) | st.sampled_from([b"\0" * 4, b"\xff" * 8, b"\0\0\0\x01"]),
)
def test_any_bytes_in_the_index_give_facts_or_nothing(tmp_path, at, noise):
    content = PLAIN[:at] + noise + PLAIN[at + len(noise) :]
    found = read_header(saved(tmp_path, content[: len(PLAIN)]))
    assert found is None or (found.seconds >= 0 and found.width > 0 and found.height > 0 and found.fps >= 0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(PLAIN)))
def test_half_a_file_is_never_read_as_a_whole_one(tmp_path, cut):
    path = saved(tmp_path, PLAIN[:cut])
    if cut < len(PLAIN):
        assert read_header(path) is None
    else:
        assert read_header(path) is not None


@pytest.mark.parametrize("at", [-40, -16, -15, -8, -1, 0, 1])
def test_an_index_may_begin_anywhere(tmp_path, at):
    """Also where the first read of the file ends."""
    first, *others = boxes(PLAIN)
    padding = (1 << 15) + at - len(first)
    whole = first + struct.pack(">I4s", padding, b"free") + bytes(padding - 8) + b"".join(others)
    assert read_header(saved(tmp_path, whole)) == read_header(saved(tmp_path, PLAIN))


def test_fragments_are_left_to_the_demuxer(tmp_path):
    path = write_clip(tmp_path / "a.mp4", movflags="frag_keyframe+empty_moov")
    assert read_header(path) is None
    assert examine(path, decode=False, wants_frame=False).width == 64


def test_a_file_that_cannot_be_opened_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        read_header(tmp_path / "none.mp4")
    with pytest.raises(UnfitFileError):
        examine(tmp_path / "none.mp4", decode=False, wants_frame=False)
