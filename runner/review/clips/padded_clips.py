"""Clips as reviewers get them: what is compared has one length, and nothing in it tells how it was made.

After a clip stands a box that players skip, so that all clips of an image are as long as the longest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from runner.review.clips.reviewed_clips import ReviewedClip
from runner.review.clips.telling_boxes import blanked, telling_boxes

_PIECE = 256 * 1024
# Lengths are multiples of it. The box needs at least 16 bytes.
_STEP = 64 * 1024
_LEAST_BOX = 16
_TYPES = {
    **dict.fromkeys((".mp4", ".m4v"), "video/mp4"),
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".png": "image/png",
    **dict.fromkeys((".jpg", ".jpeg"), "image/jpeg"),
}
_ZEROS = bytes(_PIECE)


def content_type(path: Path) -> str:
    return _TYPES.get(path.suffix.lower(), "application/octet-stream")


def padded_lengths(clips: Iterable[ReviewedClip]) -> dict[str, int]:
    """The length that each image's clips are served with: clips are compared within an image."""
    longest: dict[str, int] = {}
    for clip in clips:
        longest[clip.image] = max(longest.get(clip.image, 0), clip.bytes)
    return {image: -(-(size + _LEAST_BOX) // _STEP) * _STEP for image, size in longest.items()}


def padded(path: Path, length: int, start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` up to, without, `end` of a clip of this length in all."""
    boxes = telling_boxes(path)
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(min(start, size))
        at = start
        while at < min(end, size) and (piece := file.read(min(_PIECE, end - at))):
            yield blanked(piece, at, boxes)
            at += len(piece)
    box = _box(path.suffix.lower(), length - size)
    while at < end:
        piece = box[max(0, at - size) :][: end - at] or _ZEROS[: end - at]
        at += len(piece)
        yield piece


def _box(suffix: str, length: int) -> bytes:
    """The head of a box of this length, whose content is zeros; nothing where a format takes zeros as they are."""
    if suffix in (".mp4", ".m4v", ".mov"):
        # ISO/IEC 14496-12, 4.2 and 8.1.2: size 1, free, then the size in 64 bits.
        return b"\0\0\0\1free" + length.to_bytes(8, "big")
    if suffix in (".webm", ".mkv"):
        # RFC 8794, 11.3.2: Void, then the length of its content in 56 bits.
        return b"\xec\x01" + (length - 9).to_bytes(7, "big")
    return b""
