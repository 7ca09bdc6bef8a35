"""Files that go to the service: their bytes, and what they are by the first of these."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import BinaryIO

from runner.model import Image, Origin

# The store of the service: its name for each content type that it takes. It signs the content type, too.
STORED = {
    "image/jpeg": "jpeg",
    "image/png": "png",
    "video/mp4": "mp4",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
}
# What the names of files of these content types end with.
SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "video/quicktime": ".mov",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "video/mp2t": ".ts",
    "video/x-flv": ".flv",
    "audio/wav": ".wav",
    "audio/mpeg": ".mp3",
}
# Of pictures, videos and sounds, by what their names end with.
TYPES = {suffix: name for name, suffix in SUFFIXES.items()}
_HEAD = 16
_HEADS = (
    ("image/jpeg", rb"\xff\xd8\xff"),
    ("image/png", rb"\x89PNG\r\n\x1a\n"),
    ("image/webp", rb"RIFF....WEBP"),
    ("image/gif", rb"GIF8[79]a"),
    ("image/bmp", rb"BM"),
    ("video/quicktime", rb"....ftypqt"),
    ("video/mp4", rb"....ftyp(?!avi|hei|hev|mif|msf|M4A)"),
    ("video/webm", rb"\x1a\x45\xdf\xa3"),
    ("audio/wav", rb"RIFF....WAVE"),
    ("audio/mpeg", rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"),
)


def opened(image: Image) -> BinaryIO:
    """The bytes of a file of the manifest. Raises OSError."""
    if image.origin is Origin.INLINE:
        return io.BytesIO(base64.b64decode(image.location))
    return Path(image.location).open("rb")


def content_type(image: Image) -> str | None:
    """The content type of a file of the manifest, None for one that is not known. Raises OSError."""
    with opened(image) as file:
        head = file.read(_HEAD)
    return next((name for name, pattern in _HEADS if re.match(pattern, head, re.DOTALL)), None)
