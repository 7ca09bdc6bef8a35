"""Pictures: taken out of Base64, held to their rules, kept once each, and opened for a clip."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image, ImageFile, ImageOps

from runner.sandbox.catalog import PictureRules
from runner.sandbox.errors import RefusedError

# A few kilobytes can decode to gigabytes. Below the number of pixels at which Pillow begins to warn.
MOST_PIXELS = 80_000_000
# What Pillow's decoders raise for broken files.
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, IndexError, EOFError, struct.error, zlib.error)


def is_url(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))


def decoded(text: str, field: str) -> bytes:
    """The bytes of a picture that stands in a payload. Raises RefusedError (400)."""
    if text[:5].lower() == "data:":
        raise RefusedError(400, f"{field}: must be a URL or raw Base64, without a data: prefix")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    # Several texts decode to the same bytes; only one of them is their Base64.
    if not data or base64.b64encode(data).decode() != text:
        raise RefusedError(400, f"{field}: must be a URL or raw Base64, but is neither")
    return data


def check_picture(data: bytes, rules: PictureRules, field: str, decode: bool = True) -> None:
    """Hold a picture to its rules; `decode` says whether to read all of it. Raises RefusedError (400)."""
    if len(data) > rules.max_bytes:
        raise RefusedError(400, f"{field}: has {len(data)} bytes; at most {rules.max_bytes} are allowed")
    try:
        picture = _opened(data, rules.formats)
    except _BROKEN:
        raise RefusedError(400, f"{field}: cannot be read as a picture") from None
    if picture is None:
        raise RefusedError(400, f"{field}: must be {' or '.join(rules.formats)} by its content")
    width, height = picture.size
    if min(width, height) < rules.min_side:
        raise RefusedError(400, f"{field}: is {width} x {height} pixels; both sides must be at least {rules.min_side}")
    if not rules.narrowest <= width / height <= rules.widest:
        allowed = f"{rules.narrowest:g} to {rules.widest:g}"
        raise RefusedError(400, f"{field}: has an aspect ratio of {width / height:.3f}; allowed is {allowed}")
    if width * height > MOST_PIXELS:
        raise RefusedError(400, f"{field}: has {width * height} pixels; at most {MOST_PIXELS} are allowed")
    if decode:
        opened(io.BytesIO(data), field)


def _opened(data: bytes, formats: tuple[str, ...]) -> ImageFile.ImageFile | None:
    """The picture with its header read, or None when it has none of the formats.

    Not by `Image.open`, which warns on the screen about many pixels before anyone can look at their number.
    """
    Image.init()
    for name in formats:
        factory, accept = Image.OPEN.get(name, (None, None))
        if factory and (accept is None or accept(data[:16])):
            return factory(io.BytesIO(data), "")
    return None


@dataclass(frozen=True, slots=True)
class Album:
    """A folder of pictures named by their sha256, so that each is kept once."""

    folder: Path

    def path(self, digest: str) -> Path:
        return self.folder / digest

    def has(self, digest: str) -> bool:
        return self.path(digest).exists()

    def add(self, data: bytes, digest: str) -> None:
        """Keep the picture; it is on the disk when this returns."""
        if self.has(digest):
            return
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, self.path(digest))

    def base64(self, digest: str) -> str:
        return base64.b64encode(self.path(digest).read_bytes()).decode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def opened(source: Path | IO[bytes], field: str, shortest: int | None = None) -> Image.Image:
    """The picture as it should be seen: upright, RGB, on white where it is transparent.

    With `shortest`, a larger picture may come smaller, its shorter side no less than so many pixels. Raises
    RefusedError (400) for a picture that cannot be decoded.
    """
    try:
        with Image.open(source) as picture:
            if shortest:
                share = min(1.0, shortest / min(picture.size))
                picture.draft("RGB", (round(picture.width * share), round(picture.height * share)))
            return _rgb(ImageOps.exif_transpose(picture))
    except _BROKEN:
        raise RefusedError(400, f"{field}: the picture is damaged or not complete") from None


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel, which a plain conversion would cut off at 255
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, clear).convert("RGB")
    return picture.convert("RGB")
