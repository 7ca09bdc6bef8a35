"""JPEG and PNG files: their size in pixels, and whether they are complete. Pillow reads them."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_CUR, BufferedReader, BytesIO
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

Stream: TypeAlias = BufferedReader | BytesIO

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_JPEG = b"\xff\xd8\xff"
_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"
# No picture is larger. A file without an end is read no further.
_MOST_BYTES = 1 << 28
# Pixels times scans. A few bytes of a progressive JPEG may hold one more scan, and decoding each scan passes over all
# pixels. This many take some seconds; photos need a hundredth of that.
_MOST_PASSES = 10_000_000_000
# All threads of the process share one list of warning filters.
_FILTERS = threading.Lock()
# Other kinds of files that come with the name of a picture, by their first bytes.
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
    """A picture is broken; the text says how."""


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


def header(stream: Stream, format: str) -> tuple[int, int]:
    """Width and height of a JPEG or PNG, in pixels, as its header says. Raises DamagedError and OSError."""
    with _opened(stream, format) as picture:
        return picture.size


def check_whole(stream: Stream, format: str) -> None:
    """Read a JPEG or PNG to its end. A JPEG must decode, and the checksums of a PNG must be right.

    Check the number of pixels before: decoding takes time in proportion. Raises DamagedError and OSError.
    """
    with _opened(stream, format) as picture:
        if format == "PNG":
            _check_png(stream, picture)
        else:
            _check_jpeg(stream, picture)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's warnings: an error reports what is wrong, and a warning would be on the screen beside it."""
    with _FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


@contextmanager
def _opened(stream: Stream, format: str) -> Iterator[ImageFile]:
    """A picture whose header is read. Errors of the picture, here or in the block, are raised as DamagedError."""
    # Not with `Image.open`: its own limit on pixels would raise before the number of pixels is known here.
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    stream.seek(0)
    try:
        with quiet():
            yield (PngImageFile if format == "PNG" else JpegImageFile)(stream)
    except (OSError, SyntaxError, ValueError) as error:
        # Only errors of the disk have an errno.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedError(_reason(str(error))) from error


def _reason(message: str) -> str:
    if re.search("truncated|incomplete", message, re.IGNORECASE):
        return "it is cut short"
    if "checksum" in message:
        return "a checksum in it is wrong"
    return f"it cannot be decoded ({message.partition(' (')[0]})"


def _check_png(stream: Stream, picture: ImageFile) -> None:
    if not picture.tile:
        raise DamagedError("it has no picture data")
    picture.verify()
    # Pillow stops reading after the name of the last chunk.
    stream.seek(-8, SEEK_CUR)
    if stream.read(len(_PNG_END)) != _PNG_END:
        raise DamagedError("it is cut short")


def _check_jpeg(stream: Stream, picture: ImageFile) -> None:
    rest = stream.read(_MOST_BYTES)
    # An interrupted copy may leave zeros, which decode as grey. So the end of the picture must be there.
    if _JPEG_END not in rest:
        raise DamagedError("it is cut short")
    if "progressive" in picture.info and picture.width * picture.height * rest.count(_JPEG_SCAN) > _MOST_PASSES:
        raise DamagedError("it has too many scans")
    # Decoding to grey at an eighth of the size still reads all data, in a fraction of the time and memory.
    picture.draft("L", (1, 1))
    picture.load()
