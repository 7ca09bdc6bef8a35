"""The pictures that were sent. Each is kept once, and opened for a clip."""

from __future__ import annotations

import base64
import os
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps
from starlette.exceptions import HTTPException

# What Pillow's decoders raise for broken files.
BROKEN = (OSError, SyntaxError, ValueError, TypeError, IndexError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True)
class Album:
    """A folder of pictures named by their sha256, so that each is kept once."""

    folder: Path

    def path(self, digest: str) -> Path:
        return self.folder / digest

    def add(self, data: bytes, digest: str) -> None:
        """Keep the picture. It is on the disk when this returns."""
        if self.path(digest).exists():
            return
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, self.path(digest))

    def base64(self, digest: str) -> str:
        return base64.b64encode(self.path(digest).read_bytes()).decode()


def is_url(text: str) -> bool:
    """Whether a picture in a payload is given by its URL."""
    return text[:8].lower().startswith(("http://", "https://"))


def opened(source: Path | IO[bytes], field: str, shortest: int | None = None) -> Image.Image:
    """The picture as it should be seen: upright, in RGB, with white in place of transparency.

    With `shortest`, a larger picture may be scaled down, but its shorter side keeps at least that many pixels. Raises
    HTTPException (400) for a picture that cannot be decoded.
    """
    try:
        with Image.open(source) as picture:
            if shortest:
                share = min(1.0, shortest / min(picture.size))
                picture.draft("RGB", (round(picture.width * share), round(picture.height * share)))
            return _rgb(ImageOps.exif_transpose(picture))
    except BROKEN:
        raise HTTPException(400, f"{field}: the picture is damaged or not complete") from None


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel; a plain conversion would clip them at 255
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, clear).convert("RGB")
    return picture.convert("RGB")
