"""What files that go to the service are by their first bytes: the store of the service knows five types of them."""

from __future__ import annotations

import re
from pathlib import Path

# By the type that the store is asked for, with the content type that it signs (QUEUE: jpeg, png, mp4, wav, mp3).
CONTENT_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "mp4": "video/mp4",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
}
_HEADS = (
    ("jpeg", rb"\xff\xd8\xff"),
    ("png", rb"\x89PNG\r\n\x1a\n"),
    ("mp4", rb"....ftyp"),
    ("wav", rb"RIFF....WAVE"),
    ("mp3", rb"ID3|\xff[\xe2-\xff]"),
)


def type_of(head: bytes) -> str | None:
    """The type of a file by its first bytes; None for one that the store does not take."""
    return next((name for name, pattern in _HEADS if re.match(pattern, head, re.DOTALL)), None)


def type_of_file(path: Path) -> str | None:
    """The same for a file. Raises OSError."""
    with path.open("rb") as file:
        return type_of(file.read(16))
