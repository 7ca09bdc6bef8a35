"""The structure of JPEG and PNG files; Pillow is the measure."""

import io
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from runner.manifest.formats import DamagedError, Header, check_whole, header, kind

SIDES = st.integers(1, 300)


def encoded(format, width, height, mode="RGB", **options):
    pixels = random.Random(width * 1000 + height).randbytes(width * height)
    buffer = io.BytesIO()
    Image.frombytes("L", (width, height), pixels).convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


def read(data, format):
    check_whole(io.BytesIO(data), format)
    return header(io.BytesIO(data), format)


def damage(data, format):
    """What is wrong with a file; empty where nothing is."""
    try:
        read(data, format)
    except DamagedError as error:
        return str(error) or "an error without words"
    return ""


@settings(max_examples=40)
@given(SIDES, SIDES, st.sampled_from(["RGB", "L", "CMYK"]), st.booleans(), st.integers(0, 3))
def test_jpeg(width, height, mode, progressive, restart):
    data = encoded("JPEG", width, height, mode, progressive=progressive, restart_marker_blocks=restart)
    assert kind(data) == "JPEG"
    assert read(data, "JPEG") == Header("JPEG", width, height)
    assert read(data + b"trailing bytes, as phones write them", "JPEG") == Header("JPEG", width, height)


@settings(max_examples=40)
@given(SIDES, SIDES, st.sampled_from(["RGB", "L", "P", "1", "RGBA", "LA"]))
def test_png(width, height, mode):
    data = encoded("PNG", width, height, mode)
    assert kind(data) == "PNG"
    assert read(data, "PNG") == Header("PNG", width, height)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@settings(max_examples=60)
@given(data=st.data())
def test_a_file_that_is_cut_anywhere_is_not_whole(format, data):
    whole = encoded(format, 70, 50)
    cut = whole[: data.draw(st.integers(8, len(whole) - 1))]
    assert damage(cut, format)


@settings(max_examples=60)
@given(st.data())
def test_a_changed_bit_of_a_png_is_found(data):
    whole = bytearray(encoded("PNG", 40, 40))
    whole[data.draw(st.integers(8, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert damage(bytes(whole), "PNG")


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_damaged(format, tail):
    start = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n"}[format]
    assert damage(start + tail, format) != "an error without words"


def test_a_marker_across_two_blocks():
    scan = b"\x00" * (2**16 - 1)
    data = b"\xff\xd8" + b"\xff\xda\x00\x04\x00\x00" + scan + b"\xff\xd9"
    check_whole(io.BytesIO(data), "JPEG")
    assert data[2 + 6 + 2**16 - 1] == 0xFF


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


PNG = b"\x89PNG\r\n\x1a\n"
SIZE = struct.pack(">IIBBBBB", 5, 5, 8, 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (PNG + chunk(b"tEXt", b"x" * 13), "it has no PNG header"),
        (
            PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 5, 3, 2, 0, 0, 0)),
            "its header says colour type 2 with 3 bits",
        ),
        (PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0)), "its header says 0 x 5 px"),
        (b"\xff\xd8\xff\xd9", "it has no frame header"),
        (b"\xff\xd8\xff\xe0\x00\x01", "a segment of it has no length"),
        (b"\xff\xd8\xff\xe0\x00\x02xx", "its segments do not follow one another"),
    ],
)
def test_damage_is_named(data, message):
    format = "PNG" if data.startswith(PNG) else "JPEG"
    with pytest.raises(DamagedError, match=message):
        header(io.BytesIO(data), format)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (PNG + chunk(b"IHDR", SIZE) + chunk(b"IEND", b""), "it has no picture data"),
        (PNG + chunk(b"IHDR", SIZE) + struct.pack(">I", 2**31) + b"IDAT" + b"x", "it is cut short"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x05\x00\x05\x01\x01\x11\x00\xff\xd9", "it has no picture data"),
    ],
)
def test_what_follows_a_sound_header(data, message):
    assert damage(data, "PNG" if data.startswith(PNG) else "JPEG") == message


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (encoded("WEBP", 9, 9), "a WebP picture"),
        (encoded("GIF", 9, 9), "a GIF picture"),
        (encoded("BMP", 9, 9), "a BMP picture"),
        (encoded("TIFF", 9, 9), "a TIFF picture"),
        (b"\0\0\0\x18ftypheic", "a HEIC picture"),
        (b"\0\0\0\x18ftypisom", "an MP4 video"),
        (b"%PDF-1.4", "a PDF document"),
        (b'<?xml version="1.0"?>\n<svg>', "an SVG drawing"),
        (b"<!DOCTYPE html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer (run git lfs pull)"),
        (b"hello\n", "a text file"),
        (b"", "an empty file"),
        (b"\x00\x01\x02", ""),
    ],
)
def test_other_kinds(data, what):
    assert kind(data[:512]) == what
