"""JPEG and PNG files: what is whole, and what is damaged."""

import errno
import io
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from runner.video.stills import DamagedError, check_whole, header, is_see_through, kind

SIDES = st.integers(1, 300)


def encoded(format, width, height, mode="RGB", **options):
    pixels = random.Random(width * 1000 + height).randbytes(width * height)
    buffer = io.BytesIO()
    Image.frombytes("L", (width, height), pixels).convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


def read(data, format):
    check_whole(io.BytesIO(data), format)
    seen = header(io.BytesIO(data), format)
    return seen.width, seen.height


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
    assert read(data, "JPEG") == (width, height)
    assert read(data + b"trailing bytes, as phones write them", "JPEG") == (width, height)


@settings(max_examples=40)
@given(SIDES, SIDES, st.sampled_from(["RGB", "L", "P", "1", "RGBA", "LA"]))
def test_png(width, height, mode):
    data = encoded("PNG", width, height, mode)
    assert kind(data) == "PNG"
    assert read(data, "PNG") == (width, height)


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
@settings(max_examples=50)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_damaged(format, tail):
    start = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n"}[format]
    assert damage(start + tail, format) != "an error without words"


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


PNG = b"\x89PNG\r\n\x1a\n"
SIZE = struct.pack(">IIBBBBB", 5, 5, 8, 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (PNG + chunk(b"tEXt", b"x" * 13), "it cannot be decoded"),
        (PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 5, 3, 2, 0, 0, 0)), "it cannot be decoded"),
        (PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0)), "it cannot be decoded"),
        (PNG + chunk(b"IHDR", SIZE)[:-1] + b"x", "a checksum in it is wrong"),
        (PNG + chunk(b"IHDR", SIZE) + chunk(b"IEND", b""), "it has no picture data"),
        (PNG + chunk(b"IHDR", SIZE) + struct.pack(">I", 2**31) + b"IDAT" + b"x", "it is cut short"),
        (PNG + chunk(b"IHDR", SIZE) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")[:-1], "it is cut short"),
        (b"\xff\xd8\xff\xd9", "it cannot be decoded"),
        (b"\xff\xd8\xff\xe0\x00\x01", "it cannot be decoded"),
        (b"\xff\xd8\xff\xe0\x00\x02xx", "it cannot be decoded"),
        (b"\xff\xd8\xff\xe0\x01\x00x", "it is cut short"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x05\x00\x05\x01\x01\x11\x00\xff\xd9", "it cannot be decoded"),
    ],
)
def test_damage_is_named(data, message):
    assert damage(data, "PNG" if data.startswith(PNG) else "JPEG").partition(" (")[0] == message


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_jpeg_that_is_zeros_from_some_byte_on_is_not_whole(progressive, share):
    """As a copy leaves it that was given its room at once, and was interrupted."""
    whole = encoded("JPEG", 200, 150, progressive=progressive)
    kept = int(len(whole) * share)
    assert damage(whole[:kept] + bytes(len(whole) - kept), "JPEG")


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg_of_scans(side, scans):
    """A progressive JPEG; each of its scans says in some bytes that the whole picture stays as it was."""
    blocks = (side // 8) ** 2
    runs = "".join("0" + "1" * 14 for _ in range(-(-blocks // 0x7FFF)))
    runs += "1" * (-len(runs) % 8)
    refinement = int(runs, 2).to_bytes(len(runs) // 8, "big").replace(b"\xff", b"\xff\0")
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xDB, b"\0" + b"\1" * 64),
            segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0"),
            segment(0xC4, b"\x00\1" + bytes(15) + b"\x00"),
            segment(0xC4, b"\x10\1" + bytes(15) + b"\xe0"),
            segment(0xDA, b"\1\1\0\0\0\0") + bytes(-(-blocks // 8)),
            (segment(0xDA, b"\1\1\0\x01\x3f\0") + refinement) * scans,
            b"\xff\xd9",
        ]
    )


def test_a_jpeg_that_would_take_a_decoder_hours_is_refused_at_once():
    assert read(jpeg_of_scans(800, 20), "JPEG") == (800, 800)
    bomb = jpeg_of_scans(13_000, 30_000)
    assert len(bomb) < 10 << 20, "no larger than a model takes"
    assert damage(bomb, "JPEG") == "it has too many scans"


ODD = Image.Exif()
ODD[0x011A] = 300.0


@pytest.mark.parametrize(
    "data",
    [
        encoded("JPEG", 9, 9, exif=ODD.tobytes()[:-3]),
        encoded("JPEG", 9, 9).replace(b"\xff\xdb", segment(0xE2, b"MPF\0MM\0*" + b"\xff" * 40) + b"\xff\xdb", 1),
        PNG + chunk(b"IHDR", SIZE) + chunk(b"acTL", bytes(8)) + chunk(b"IDAT", b"x") + chunk(b"IEND", b""),
    ],
    ids=["cut EXIF", "no second picture", "no animation"],
)
def test_what_pillow_would_warn_of_is_no_damage(data):
    """A warning would be an error here, and on the screen of a user."""
    assert damage(data, "PNG" if data.startswith(PNG) else "JPEG") == ""


def test_a_disk_that_fails_is_no_damage():
    class Failing(io.BytesIO):
        def read(self, size=-1):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        check_whole(Failing(), "PNG")


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


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(10))
def test_sizes_are_those_that_people_see(format, orientation):
    seen = header(io.BytesIO(encoded(format, 40, 20, exif=exif(orientation))), format)
    as_seen = (20, 40) if orientation in (5, 6, 7, 8) else (40, 20)
    assert (seen.width, seen.height) == as_seen
    assert seen.orientation == (orientation if 1 <= orientation <= 8 else 1)


@pytest.mark.parametrize(
    "note", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0II*\0\xff\xff\xff\xff", b"x" * 40]
)
def test_a_broken_note_does_no_harm(note):
    data = encoded("JPEG", 40, 20, exif=b"Exif\0\0" + note)
    assert read(data, "JPEG") == (40, 20)
    assert header(io.BytesIO(data), "JPEG").orientation == 1


def test_what_a_service_may_see_otherwise():
    plain = {"bits": 8, "is_cmyk": False, "has_alpha": False, "is_animated": False, "has_more": False}

    def told(data, format):
        seen = header(io.BytesIO(data), format)
        return {name for name, usual in plain.items() if getattr(seen, name) != usual}

    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    assert told(encoded("JPEG", 20, 20), "JPEG") == told(encoded("PNG", 20, 20), "PNG") == set()
    assert told(encoded("JPEG", 20, 20, "CMYK"), "JPEG") == {"is_cmyk"}
    assert told(encoded("PNG", 20, 20, "RGBA"), "PNG") == {"has_alpha"}
    assert told(encoded("PNG", 20, 20, "I;16"), "PNG") == {"bits"}
    assert told(encoded("PNG", 20, 20, save_all=True, append_images=frames), "PNG") == {"is_animated"}
    assert told(encoded("MPO", 20, 20, save_all=True, append_images=frames), "JPEG") == {"has_more"}


def test_transparency_counts_where_something_shows_through():
    opaque, clear = (Image.new("RGBA", (20, 20), (9, 9, 9, alpha)) for alpha in (255, 254))
    for picture, is_clear in ((opaque, False), (clear, True), (clear.convert("LA"), True), (clear.quantize(4), True)):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        assert is_see_through(buffer, "PNG") is is_clear


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x18ftyphevx\0\0\0\0", "a HEIC picture"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "an AVIF picture"),
        (b"\0\0\0\x1cftypavis\0\0\0\0", "an AVIF picture"),
        (b"\0\0\0\x1cftypisom\0\0\0\0avc1", "an MP4 video"),
    ],
)
def test_pictures_of_phones_by_their_first_bytes(head, said):
    assert kind(head) == said
