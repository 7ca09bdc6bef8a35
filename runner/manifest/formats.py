"""The structure of JPEG and PNG files: their size in pixels, and whether they are whole. Nothing is decoded."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from io import SEEK_CUR, BufferedReader, BytesIO
from typing import TypeAlias

Stream: TypeAlias = BufferedReader | BytesIO

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_BLOCK = 1 << 16
# ITU T.81, table B.1: the frame headers (SOF), which tell the size, and the markers that stand alone.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_START_OF_SCAN, _END = 0xDA, 0xD9
# In a scan a byte 0xFF is data when 0x00 follows, and no end of the data when a restart marker follows (B.1.1.5).
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
# PNG 1.2, 4.1.1: the bit depths of each colour type.
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
# What else comes in under the name of a picture, by its first bytes.
_TEXT = re.compile(rb"[\t\n\r -~]+")
_OTHERS = (
    (rb"RIFF....WEBP", "a WebP picture"),
    (rb"GIF8[79]a", "a GIF picture"),
    (rb"BM.{4}\0\0\0\0", "a BMP picture"),
    (rb"II\*\0|MM\0\*", "a TIFF picture"),
    (rb"....ftyp(?:heic|heix|hevc|mif1|msf1)", "a HEIC picture"),
    (rb"....ftypavif", "an AVIF picture"),
    (rb"....ftyp", "an MP4 video"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "a JPEG XL picture"),
    (rb"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (rb"%PDF", "a PDF document"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\s*(?:<\?xml[^>]*>\s*)?<svg", "an SVG drawing"),
    (rb"\s*<(?:!doctype html|html)", "an HTML page"),
    (rb"version https://git-lfs", "a Git LFS pointer (run git lfs pull)"),
)


class DamagedError(Exception):
    """The structure of a picture is broken; the text says where."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture's first bytes say of it. Sizes are in pixels."""

    format: str
    width: int
    height: int


def kind(head: bytes) -> str:
    """`JPEG` or `PNG` by the first bytes of a file, else what it seems to be: `a GIF picture`; empty if unknown."""
    if head.startswith(_JPEG):
        return "JPEG"
    if head.startswith(_PNG):
        return "PNG"
    if not head:
        return "an empty file"
    found = (words for pattern, words in _OTHERS if re.match(pattern, head, re.DOTALL | re.IGNORECASE))
    return next(found, "a text file" if _TEXT.fullmatch(head) else "")


def header(stream: Stream, format: str) -> Header:
    """Read the header of a JPEG or PNG from its start. Raises DamagedError."""
    stream.seek(0)
    width, height = _png_size(stream) if format == "PNG" else _jpeg_size(stream)
    if not width or not height:
        raise DamagedError(f"its header says {width} x {height} px")
    return Header(format, width, height)


def check_whole(stream: Stream, format: str) -> None:
    """Follow the structure of a JPEG or PNG to its end. Raises DamagedError."""
    stream.seek(0)
    if format == "PNG":
        _check_png(stream)
    else:
        _check_jpeg(stream)


def _number(stream: Stream, size: int) -> int:
    data = stream.read(size)
    if len(data) < size:
        raise DamagedError("it is cut short")
    return int.from_bytes(data, "big")


def _png_size(stream: Stream) -> tuple[int, int]:
    stream.seek(len(_PNG))
    length, name = _number(stream, 4), stream.read(4)
    if (length, name) != (13, b"IHDR"):
        raise DamagedError("it has no PNG header")
    width, height = _number(stream, 4), _number(stream, 4)
    depth, colour = _number(stream, 1), _number(stream, 1)
    if depth not in _DEPTHS.get(colour, ()):
        raise DamagedError(f"its header says colour type {colour} with {depth} bits")
    return width, height


def _check_png(stream: Stream) -> None:
    """PNG 1.2, 3.2: chunks of a length, a name, data and a CRC, from IHDR over IDAT to IEND."""
    stream.seek(len(_PNG))
    names = set()
    while b"IEND" not in names:
        left, name = _number(stream, 4), stream.read(4)
        checksum = zlib.crc32(name)
        while left > 0:
            block = stream.read(min(left, _BLOCK))
            if not block:
                raise DamagedError("it is cut short")
            checksum = zlib.crc32(block, checksum)
            left -= len(block)
        if _number(stream, 4) != checksum:
            raise DamagedError("a checksum in it is wrong")
        names.add(name)
    if b"IDAT" not in names:
        raise DamagedError("it has no picture data")


def _jpeg_size(stream: Stream) -> tuple[int, int]:
    stream.seek(2)
    while True:
        marker = _marker(stream)
        if marker in _FRAMES:
            # T.81, B.2.2: length, precision, lines, samples a line.
            _number(stream, 3)
            height, width = _number(stream, 2), _number(stream, 2)
            return width, height
        if marker in (_START_OF_SCAN, _END):
            raise DamagedError("it has no frame header")
        _skip(stream, marker)


def _check_jpeg(stream: Stream) -> None:
    stream.seek(2)
    scans = 0
    while (marker := _marker(stream)) != _END:
        _skip(stream, marker)
        if marker == _START_OF_SCAN:
            scans += 1
            _to_next_marker(stream)
    if not scans:
        raise DamagedError("it has no picture data")


def _marker(stream: Stream) -> int:
    if _number(stream, 1) != 0xFF:
        raise DamagedError("its segments do not follow one another")
    code = 0xFF
    while code == 0xFF:
        code = _number(stream, 1)
    return code


def _skip(stream: Stream, marker: int) -> None:
    """Go past the segment of a marker."""
    if marker in _ALONE:
        return
    length = _number(stream, 2)
    if length < 2:
        raise DamagedError("a segment of it has no length")
    stream.seek(length - 2, SEEK_CUR)


def _to_next_marker(stream: Stream) -> None:
    """Go past the data of a scan."""
    while True:
        start = stream.tell()
        block = stream.read(_BLOCK)
        found = _MARKER.search(block)
        if found is not None:
            stream.seek(start + found.start())
            return
        if len(block) < 2:
            raise DamagedError("it is cut short")
        # A marker may lie across the border of two blocks.
        if block.endswith(b"\xff"):
            stream.seek(-1, SEEK_CUR)
