"""Picture files: their size in pixels, and whether they are complete. Pillow reads them."""

from __future__ import annotations

import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_CUR, BufferedReader, BytesIO
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

Stream: TypeAlias = BufferedReader | BytesIO

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_JPEG = b"\xff\xd8\xff"
_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"
# Where the bits of a channel stand in a PNG.
_PNG_BITS = 24
# The tag of EXIF, and the last of its values for which width stays width.
_ORIENTATION, _LAST_UNTURNED = 0x0112, 4
_OPAQUE, _MOST_DECODED = 255, 50_000_000
# No picture is larger. A file without an end is read no further.
_MOST_BYTES = 1 << 28
# Pixels times scans. A few bytes of a progressive JPEG may hold one more scan, and decoding each scan passes over all
# pixels. This many take some seconds; photos need a hundredth of that.
_MOST_PASSES = 10_000_000_000
# All threads of the process share one list of warning filters.
_FILTERS = threading.Lock()
HEIC = "a HEIC picture"
# Other kinds of files that come with the name of a picture, by their first bytes.
_TEXT = re.compile(rb"[\t\n\r -~]+")
_OTHERS = (
    (rb"RIFF....WEBP", "a WebP picture"),
    (rb"GIF8[79]a", "a GIF picture"),
    (rb"BM.{4}\0\0\0\0", "a BMP picture"),
    (rb"II\*\0|MM\0\*", "a TIFF picture"),
    (rb"....ftyp(?:avi[fs]|mif1.{4}.{0,40}avif)", "an AVIF picture"),
    (rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", HEIC),
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


@dataclass(frozen=True, slots=True)
class Still:
    """What the header of a picture tells. Width and height are in pixels, as people see the picture.

    `orientation` is that of EXIF, 1 for upright; `bits` are those of a channel. `has_more` says that further pictures
    are in the file: a gain map, a preview.
    """

    width: int
    height: int
    orientation: int = 1
    bits: int = 8
    is_cmyk: bool = False
    has_alpha: bool = False
    is_animated: bool = False
    has_more: bool = False


def header(stream: Stream, format: str) -> Still:
    """What the header of a picture tells. `format` is Pillow's name. Raises DamagedError and OSError."""
    with _opened(stream, format) as picture:
        orientation = _orientation(picture)
        width, height = picture.size if orientation <= _LAST_UNTURNED else picture.size[::-1]
        return Still(
            width,
            height,
            orientation,
            bits=_bits(stream) if format == "PNG" else 8,
            is_cmyk=picture.mode == "CMYK",
            has_alpha=picture.has_transparency_data,
            is_animated=getattr(picture, "is_animated", False),
            # Multi-Picture Format, CIPA DC-007: what Ultra HDR keeps its gain map in.
            has_more="mp" in picture.info,
        )


def _orientation(picture: ImageFile) -> int:
    """By EXIF, from 1 to 8. What cannot be read there does no harm to the picture."""
    # Without EXIF in front, Pillow would decode a whole PNG to look for it behind.
    if "exif" not in picture.info:
        return 1
    try:
        found = picture.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return 1
    return found if found in range(1, 9) else 1


def _bits(stream: Stream) -> int:
    """The bits of a channel of a PNG (PNG specification, 11.2.1: the header comes first)."""
    stream.seek(_PNG_BITS)
    return stream.read(1)[0]


def is_see_through(stream: Stream, format: str) -> bool:
    """Whether a picture with transparency really has parts that are not opaque: many editors save it for nothing.

    A very large one is not decoded for that. Raises DamagedError and OSError.
    """
    with _opened(stream, format) as picture:
        if picture.width * picture.height > _MOST_DECODED:
            return True
        least, _ = picture.convert("RGBA").getchannel("A").getextrema()
        return isinstance(least, (int, float)) and least < _OPAQUE


def check_whole(stream: Stream, format: str) -> None:
    """Read a picture to its end. It must decode; of a PNG the checksums must be right.

    Check the number of pixels before: decoding takes time in proportion. Raises DamagedError and OSError.
    """
    with _opened(stream, format) as picture:
        if format == "PNG":
            _check_png(stream, picture)
        elif format == "JPEG":
            _check_jpeg(stream, picture)
        else:
            picture.load()


@contextmanager
def quiet(module: str = r"PIL\.") -> Iterator[None]:
    """Silence a library's warnings: an error reports what is wrong, and a warning would be on the screen beside it."""
    with _FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=module)
        yield


@contextmanager
def _opened(stream: Stream, format: str) -> Iterator[ImageFile]:
    """A picture whose header is read. Errors of the picture, here or in the block, are raised as DamagedError."""
    # Not with `Image.open`: its own limit on pixels would raise before the number of pixels is known here.
    stream.seek(0)
    try:
        with quiet():
            yield _reader(format)(stream)
    except (OSError, SyntaxError, ValueError) as error:
        # Only errors of the disk have an errno.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedError(_reason(str(error))) from error


def _reader(format: str) -> type[ImageFile]:
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    readers: dict[str, type[ImageFile]] = {
        "JPEG": JpegImagePlugin.JpegImageFile,
        "PNG": PngImagePlugin.PngImageFile,
        "WEBP": WebPImagePlugin.WebPImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
    }
    return readers[format]


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
