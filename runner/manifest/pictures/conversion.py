"""Makes a copy of a picture that looks the same to everyone: upright, sRGB, 8 bits, opaque, within a model's rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from runner.manifest.pictures.inspection import MAX_PIXELS, Rules, inspect
from runner.video.stills import HEIC, kind, quiet

if TYPE_CHECKING:
    from PIL.Image import Image

# The most that a picture is made larger, and that its sides are changed against each other: nobody sees less.
_MOST_SCALE, _MOST_STRETCH = 2.0, 1.02
_QUALITIES = (95, 90, 85)
_SHRINK = 0.85
_READABLE = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_WHITE = (255, 255, 255)
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png"}


class UnfixableError(Exception):
    """No copy can be made of a picture. The text continues a sentence that begins with its name."""


class MissingHeifError(Exception):
    """HEIC pictures cannot be read without the extra."""


@dataclass(frozen=True, slots=True)
class FixedPicture:
    """The bytes of a copy, the suffix of its name, and its size in pixels."""

    content: bytes
    suffix: str
    width: int
    height: int


def converted(data: bytes, rules: Sequence[Rules], note: str) -> FixedPicture:
    """A copy of a picture, with a note in it. Raises UnfixableError and MissingHeifError."""
    seems = kind(data[:512])
    if seems == HEIC:
        _register_heif()
    picture = _within_sides(_read(data), rules)
    is_lossless = seems not in ("JPEG", HEIC)
    formats = [each for each in _formats(is_lossless) if all(each in rule.formats for rule in rules)]
    content, format = _within_bytes(picture, formats, rules, note)
    found = inspect(BytesIO(content), len(content), rules)
    if found.diagnostics:
        raise UnfixableError(found.diagnostics[0].message)
    return FixedPicture(content, _SUFFIXES[format], found.width, found.height)


def note_in(data: bytes) -> str:
    """The note in a copy; empty if there is none."""
    from PIL import Image as Pictures

    try:
        with quiet(), Pictures.open(BytesIO(data), formats=("JPEG", "PNG")) as picture:
            found = picture.info.get("comment", picture.info.get("Comment", ""))
    except (OSError, SyntaxError, ValueError, Pictures.DecompressionBombError):
        return ""
    return found.decode("ascii", "replace") if isinstance(found, bytes) else str(found)


def _register_heif() -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise MissingHeifError from None
    register_heif_opener(thumbnails=False)


def _read(data: bytes) -> Image:
    """The first picture of a file: upright, in sRGB with 8 bits a channel, on white, and nothing else."""
    from PIL import Image as Pictures
    from PIL import ImageOps

    Pictures.init()
    formats = [each for each in _READABLE if each in Pictures.OPEN]
    try:
        with quiet(), Pictures.open(BytesIO(data), formats=formats) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise UnfixableError(f"has too many pixels ({picture.width:,} x {picture.height:,})")
            picture.load()
            plain = _plain(ImageOps.exif_transpose(picture))
    except (OSError, SyntaxError, ValueError, Pictures.DecompressionBombError) as error:
        raise UnfixableError(f"cannot be read ({str(error).partition(' (')[0] or type(error).__name__})") from error
    # What else was told of it, such as its place and its camera, stays behind.
    plain.info = {}
    return plain


def _plain(picture: Image) -> Image:
    from PIL import Image as Pictures

    if picture.mode.startswith(("I", "F")):
        # 16 bits of grey. Converted directly, all but the darkest would be white.
        picture = picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if not picture.has_transparency_data:
        return _in_srgb(picture)
    clear = picture.convert("RGBA")
    paper = Pictures.new("RGB", clear.size, _WHITE)
    paper.paste(_in_srgb(clear.convert("RGB")), mask=clear.getchannel("A"))
    return paper


def _in_srgb(picture: Image) -> Image:
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "CMYK", "L"):
        return picture.convert("RGB")
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, own, srgb, outputMode="RGB") or picture.convert("RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A profile that is broken, or of other colours than the picture, says nothing.
        return picture.convert("RGB")


def _within_sides(picture: Image, rules: Sequence[Rules]) -> Image:
    """The picture scaled to the least side, and to the nearest ratio if that is close enough not to be seen."""
    least = max((rule.min_side or 0 for rule in rules), default=0)
    low = max((rule.aspect_ratio[0] for rule in rules if rule.aspect_ratio), default=0.0)
    high = min((rule.aspect_ratio[1] for rule in rules if rule.aspect_ratio), default=math.inf)
    most = min((rule.max_side for rule in rules if rule.max_side), default=math.inf)
    scale = min(max(1.0, least / min(picture.size)), most / max(picture.size))
    if min(picture.size) * scale < least:
        raise UnfixableError(f"is too long and narrow ({picture.width} x {picture.height} px): crop it by hand")
    if scale > _MOST_SCALE:
        raise UnfixableError(f"is too small ({picture.width} x {picture.height} px): a larger one is needed")
    ratio = picture.width / picture.height
    wanted = min(max(ratio, low), high)
    if max(ratio / wanted, wanted / ratio) > _MOST_STRETCH:
        raise UnfixableError(f"is too long and narrow ({picture.width} x {picture.height} px): crop it by hand")
    # The longer side is made shorter, or stays: rounded down, the ratio is within its range.
    if ratio >= 1:
        height = math.ceil(picture.height * scale)
        size = (math.floor(min(picture.width * scale, height * wanted)), height)
    else:
        width = math.ceil(picture.width * scale)
        size = (width, math.floor(min(picture.height * scale, width / wanted)))
    return picture if size == picture.size else _scaled(picture, size)


def _scaled(picture: Image, size: tuple[int, int]) -> Image:
    from PIL import Image as Pictures

    return picture.resize(size, Pictures.Resampling.LANCZOS)


def _formats(is_lossless: bool) -> tuple[str, ...]:
    return ("PNG", "JPEG") if is_lossless else ("JPEG", "PNG")


def _within_bytes(picture: Image, formats: Sequence[str], rules: Sequence[Rules], note: str) -> tuple[bytes, str]:
    """The picture saved in the first format that is small enough; made smaller where none is."""
    if not formats:
        raise UnfixableError("is for models that take no format in common")
    limit = min((rule.max_bytes for rule in rules if rule.max_bytes is not None), default=None)
    while True:
        for format in formats:
            for save in _WRITERS[format]:
                content = save(picture, note)
                if limit is None or len(content) <= limit:
                    return content, format
        picture = _smaller(picture, rules)


def _smaller(picture: Image, rules: Sequence[Rules]) -> Image:
    width, height = (max(round(side * _SHRINK), 1) for side in picture.size)
    found = _within_sides(_scaled(picture, (width, height)), rules)
    if found.width * found.height >= picture.width * picture.height:
        raise UnfixableError("has too many bytes even where its sides are as short as may be")
    return found


def _as_png(picture: Image, note: str) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    buffer, info = BytesIO(), PngInfo()
    info.add_text("Comment", note)
    picture.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def _jpeg_writer(quality: int) -> Callable[[Image, str], bytes]:
    def write(picture: Image, note: str) -> bytes:
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=quality, subsampling=0, comment=note)
        return buffer.getvalue()

    return write


_WRITERS: dict[str, Sequence[Callable[[Image, str], bytes]]] = {
    "PNG": (_as_png,),
    "JPEG": tuple(map(_jpeg_writer, _QUALITIES)),
}
