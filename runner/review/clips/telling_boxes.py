"""The boxes of an MP4 that tell how it was made (names, comments, provenance): reviewers see pictures, not those.

ISO/IEC 14496-12, 4.2: a box is its size, its type, and its content.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Boxes of any content that players do not need; and those in which they may stand.
_TELLING = (b"udta", b"meta", b"uuid", b"jumb", b"XMP_")
_AROUND = (b"moov", b"trak", b"mdia")
_HEAD = 8
_DEEPEST = 4
_MOST = 10_000


def telling_boxes(path: Path) -> list[tuple[int, int]]:
    """Where such boxes are, each from its type to its end. A file of another kind has none."""
    if path.suffix.lower() not in (".mp4", ".m4v", ".mov"):
        return []
    with path.open("rb") as file:
        return list(_found(file, 0, file.seek(0, 2), _DEEPEST))


def _found(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[int, int]]:
    for _ in range(_MOST):
        file.seek(start)
        head = file.read(_HEAD)
        if len(head) < _HEAD or start >= end:
            return
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
        box_end = end if size == 0 else start + size
        if box_end < start + _HEAD or box_end > end:
            return
        if kind in _TELLING:
            yield start + 4, box_end
        elif kind in _AROUND and depth:
            yield from _found(file, start + _HEAD, box_end, depth - 1)
        start = box_end


def blanked(piece: bytes, at: int, boxes: list[tuple[int, int]]) -> bytes:
    """A piece of a file, which begins at `at`, with these boxes made empty space of the same size."""
    for start, end in boxes:
        low, high = max(start, at), min(end, at + len(piece))
        if low < high:
            empty = (b"free" + bytes(end - start - 4))[low - start : high - start]
            piece = piece[: low - at] + empty + piece[high - at :]
    return piece
