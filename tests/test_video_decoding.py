"""What a file really is, found out by opening it."""

import contextlib
import io
import random
import re
import struct
import zlib
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from runner.video.decoding import inspect_video, jpeg_of
from runner.video.facts import UnfitFileError
from tests.kit import picture_bytes, video_bytes

PLAIN = video_bytes(5.0)


def saved(tmp_path, content, name="a.mp4"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def write_clip(path, codec="libx264", rate=8, size=(64, 36), frames=24, sound=False, times=None, movflags=None, *,
               format="mp4", pixels="yuv420p"):  # fmt: skip
    """A clip as other programs may write it; `times` are those of its frames, in ticks of the rate."""
    with av.open(str(path), "w", format=format, options={"movflags": movflags} if movflags else {}) as container:
        if sound:
            voice = container.add_stream("aac", rate=8000)
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, pixels, 8
        for index in range(frames):
            pixels = np.full((size[1], size[0], 3), index * 5 % 256, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = (index if times is None else times[index]), 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound:
            for _ in range(round(frames / rate * 8000 / 1024)):
                container.mux(voice.encode(silence()))
            container.mux(voice.encode())
    return path


def silence():
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
    frame.rate = 8000
    return frame


def boxes(content):
    """The top-level boxes of a file."""
    at = 0
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        yield content[at : at + size]
        at += size


def in_64_bits(content):
    """The same file with the size of its content written as a larger one would have it, where a box of 8 bytes was."""
    return b"".join(
        struct.pack(">I4sQ", 1, b"mdat", len(box) + 8) + box[8:] if box[4:8] == b"mdat" else box
        for box in boxes(content)
        if box[4:8] != b"free"
    )


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize(
    "content",
    [PLAIN, in_64_bits(PLAIN), PLAIN + struct.pack(">I4s", 0, b"free") + bytes(99), PLAIN + b"more"],
    ids=["plain", "64 bits", "a box to the end", "more"],
)
def test_the_facts_of_a_video(tmp_path, content, decode):
    facts = inspect_video(saved(tmp_path, content), 5.0, decode=decode)
    assert (facts.seconds, facts.width, facts.height, facts.fps, facts.codec) == (5.0, 64, 36, 8.0, "h264")


@pytest.mark.parametrize(
    "options",
    [
        {"rate": 24, "frames": 120},
        {"rate": Fraction(30000, 1001), "frames": 90},
        {"size": (1280, 720), "frames": 3},
        {"size": (36, 64)},
        {"frames": 1},
        {"codec": "mpeg4"},
        {"sound": True},
        {"movflags": "faststart"},
        {"movflags": "frag_keyframe"},
        {"movflags": "frag_keyframe+empty_moov", "sound": True},
        {"times": [index * index for index in range(24)]},
        {"times": range(40, 64)},
    ],
    ids=lambda options: " ".join(f"{name}={value}" for name, value in options.items())[:60],
)
def test_the_header_tells_what_decoding_tells(tmp_path, options):
    path = write_clip(tmp_path / "a.mp4", **options)
    assert inspect_video(path, None, decode=False) == inspect_video(path, None, decode=True)


def test_an_edit_list_that_hides_frames_is_no_damage(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=40)
    content = bytearray(path.read_bytes())
    # Two seconds from the fifth half on: a duration in milliseconds, and a start in ticks of the track.
    (ticks,) = struct.unpack_from(">I", content, content.find(b"mdhd") + 16)
    at = content.find(b"elst") + 12
    (start,) = struct.unpack_from(">I", content, at + 4)
    struct.pack_into(">2I", content, at, 2000, start + ticks * 5 // 2)
    path.write_bytes(content)
    assert inspect_video(path, 5.0, decode=False).seconds == 5.0
    assert inspect_video(path, 2.0, decode=True).seconds == 2.0


@pytest.mark.parametrize("movflags", [None, "faststart", "frag_keyframe", "frag_keyframe+empty_moov"])
@pytest.mark.parametrize("sound", [False, True])
def test_a_part_of_a_file_is_never_taken_for_the_whole(tmp_path, movflags, sound):
    path = write_clip(tmp_path / "a.mp4", frames=40, movflags=movflags, sound=sound)
    content = path.read_bytes()
    assert inspect_video(path, 5.0, decode=False).seconds == 5.0
    for percent in range(90):
        path.write_bytes(content[: len(content) * percent // 100])
        with pytest.raises(UnfitFileError):
            inspect_video(path, 5.0, decode=False)


def test_frames_that_the_header_declares_and_the_file_lacks_are_told(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=40, movflags="faststart", sound=True)
    content, told = path.read_bytes(), set()
    start = content.find(b"mdat") + 4
    for share in range(10):
        path.write_bytes(content[: start + (len(content) - start) * share // 10])
        with av.open(str(path)) as container:
            assert container.streams.video[0].frames == 40, "opening it alone shows nothing"
        with pytest.raises(UnfitFileError) as caught:
            inspect_video(path, 5.0, decode=False)
        told.add(re.sub("[0-9]+", "N", str(caught.value)))
    assert told == {"frame N is damaged", "N of its N frames are there"}


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize(
    ("seconds", "is_right"), [(4.25, False), (4.5, True), (5.5, True), (5.75, False), (10.0, False)]
)
def test_the_length_may_be_half_a_second_off(tmp_path, seconds, is_right, decode):
    path = saved(tmp_path, video_bytes(seconds))
    if is_right:
        assert inspect_video(path, 5.0, decode=decode).seconds == seconds
    else:
        with pytest.raises(UnfitFileError, match=r"it lasts .* 5 s were requested"):
            inspect_video(path, 5.0, decode=decode)
    assert inspect_video(path, None, decode=decode).seconds == seconds


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize("times", [None, [*range(20), *range(20, 40, 4)]], ids=["even", "uneven"])
@pytest.mark.parametrize(
    ("format", "codec", "pixels", "suffix"),
    [
        ("webm", "libvpx", "yuv420p", ".webm"),
        ("webm", "libvpx-vp9", "yuv420p", ".webm"),
        ("matroska", "libx264", "yuv420p", ".mkv"),
        ("mov", "libx264", "yuv420p", ".mov"),
        ("mp4", "libx264", "yuv420p", ".mp4"),
        ("gif", "gif", "rgb8", ".gif"),
        ("avi", "mpeg4", "yuv420p", ".avi"),
        ("mpegts", "libx264", "yuv420p", ".ts"),
        ("flv", "libx264", "yuv420p", ".flv"),
    ],
)
def test_a_container_is_told_by_what_it_is_and_its_length_by_its_frames(
    tmp_path, format, codec, pixels, suffix, times, decode
):
    times = range(40) if times is None or format == "avi" else times  # AVI has even frames alone
    path = write_clip(tmp_path / "a.part", codec, frames=len(times), times=times, format=format, pixels=pixels)
    facts = inspect_video(path, 5.0, decode=decode, wants_frame=True)
    assert (facts.suffix, facts.width, facts.height) == (suffix, 64, 36)
    assert facts.seconds == pytest.approx(5.0, abs=0.4)
    assert (facts.frame is None) is not decode
    with pytest.raises(UnfitFileError, match=r"it lasts .* 10 s were requested"):
        inspect_video(path, 10.0, decode=decode)


def still_gif():
    buffer = io.BytesIO()
    Image.new("RGB", (64, 36)).save(buffer, "GIF")
    return buffer.getvalue()


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (picture_bytes(1), "a JPEG picture"),
        (picture_bytes(1, kind="PNG"), "a PNG picture"),
        (picture_bytes(1, kind="WEBP"), "a WebP picture"),
        (still_gif(), "a GIF picture that does not move"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b'{"error": "gone"}', "a text file"),
        (b"#EXTM3U\n#EXTINF:5,\n/etc/passwd\n", "a text file"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "a text file"),
    ],
    ids=["empty", "jpeg", "png", "webp", "gif", "html", "json", "playlist", "list of files"],
)
def test_what_a_file_is_in_place_of_a_video_is_told(tmp_path, content, words, decode):
    """Whether or not a length was asked for."""
    for asked in (5.0, None):
        with pytest.raises(UnfitFileError, match=f"^it is {words}$"):
            inspect_video(saved(tmp_path, content), asked, decode=decode)


def sound_only():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        container.mux(stream.encode(silence()))
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
        PLAIN[:200],
        PLAIN[:-500],
        b"\0\0\0\x18ftypmp42",
        PLAIN.replace(b"avc1", b"what"),
        b"words and words\n" * 700,
        b"".join(box for box in boxes(PLAIN) if box[4:8] != b"moov"),
        b"".join(box for box in boxes(PLAIN) if box[4:8] != b"mdat"),
        struct.pack(">I4s", 8, b"ftyp") + struct.pack(">I4sQ", 1, b"moov", 8),
    ],
    ids=[
        *("empty", "zeros", "html", "sound", "head", "no index", "type", "unknown codec", "text", "no moov", "no mdat"),
        "an impossible size",
    ],
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


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    noise=st.binary(max_size=300) | st.sampled_from([b"\0" * 4, b"\xff" * 8, b"\0\0\0\1"]),
    at=st.integers(0, len(PLAIN)),
)
@example(noise=b"\0\0\0\0", at=6405)  # a codec that nobody knows
def test_any_bytes_in_a_video_give_facts_or_a_refusal(tmp_path, noise, at):
    content = bytearray(PLAIN)
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


def declaring(kind, width, height):
    """A thumbnail whose header says that it has so many pixels."""
    content = bytearray(picture_bytes(1, kind=kind))
    if kind == "PNG":
        struct.pack_into(">2I", content, 16, width, height)
        struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    elif kind == "WEBP":
        struct.pack_into("<2H", content, content.find(b"\x9d\x01\x2a") + 3, width, height)
    else:
        struct.pack_into(">2H", content, content.find(b"\xff\xc0") + 5, height, width)
    return bytes(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("side", "message"),
    [
        (6_000, "too many pixels"),
        (10_000, "too many pixels"),  # where Pillow warns
        (14_000, "too many pixels|no picture"),  # where it refuses
    ],
)
def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(kind, side, message):
    with pytest.raises(UnfitFileError, match=message):
        jpeg_of(declaring(kind, side, side))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_thumbnail_too_wide_for_a_jpeg_is_refused_without_a_word_on_the_screen(kind, capfd):
    content = made("L", "PNG", (65_501, 1)) if kind == "PNG" else declaring("JPEG", 65_501, 1)
    with pytest.raises(UnfitFileError, match="too many pixels"):
        jpeg_of(content)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=30)
@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.binary(max_size=40), st.integers(0, 3000))
@example("JPEG", b"\xff\xff\xff\xff", picture_bytes(1).find(b"\xff\xc0") + 5)  # more pixels than anything has
def test_any_bytes_in_a_thumbnail_give_a_jpeg_or_a_refusal(kind, noise, at):
    content = bytearray(picture_bytes(1, kind=kind))
    at %= len(content)
    content[at : at + len(noise)] = noise
    with contextlib.suppress(UnfitFileError):
        assert opened(jpeg_of(bytes(content))).format == "JPEG"


def clear_palette():
    buffer = io.BytesIO()
    Image.effect_noise((40, 30), 80).convert("P").save(buffer, "PNG", transparency=bytes(range(200)))
    return buffer.getvalue()


def cut_exif():
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x011A] = 300.0
    opened(picture_bytes(1)).save(buffer, "JPEG", exif=exif.tobytes()[:-3])
    return buffer.getvalue()


@pytest.mark.parametrize("content", [clear_palette(), cut_exif()], ids=["transparent", "cut EXIF"])
def test_what_pillow_would_warn_of_becomes_a_jpeg(content):
    """A warning would be an error here, and on the screen of a user."""
    assert jpeg_of(content).startswith(b"\xff\xd8")


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


@pytest.mark.parametrize("decode", [True, False])
def test_frames_without_an_end_are_not_read_to_it(tmp_path, decode):
    path = tmp_path / "long.mp4"
    write_clip(path, rate=1000, frames=1400)
    with pytest.raises(UnfitFileError, match="it has more than 360 frames"):
        inspect_video(path, 1.0, decode=decode)


def test_a_frame_of_too_many_pixels_is_not_decoded(tmp_path):
    path = tmp_path / "wide.mp4"
    write_clip(path, codec="mpeg4", size=(8002, 8002), frames=1)
    with pytest.raises(UnfitFileError, match="its frames have 8,002 x 8,002 pixels"):
        inspect_video(path, None, decode=True)
