"""The boxes at the top of an MP4 file, by their headers alone (ISO 14496-12, 4.2)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Size and type; then the long size, or the id of a `uuid` box.
_SHORT, _LONG, _UUID = 8, 16, 24


@dataclass(frozen=True, slots=True)
class Box:
    """A box from `start` on. `is_open`: it says that it reaches to the end of the file. `id` is that of a `uuid`."""

    kind: bytes
    start: int
    size: int
    is_open: bool
    id: bytes


def boxes(file: BinaryIO) -> Iterator[Box]:
    """Each box, from first to last. Raises ValueError where they do not fill the file."""
    end, start = os.fstat(file.fileno()).st_size, 0
    while start < end:
        file.seek(start)
        box = _box(file.read(_UUID), start, end)
        yield box
        start += box.size


def _box(header: bytes, start: int, end: int) -> Box:
    if len(header) < _SHORT:
        raise ValueError("its boxes do not fill it")
    size, kind = struct.unpack(">I4s", header[:_SHORT])
    is_long, is_open = size == 1 and len(header) >= _LONG, size == 0
    if is_long:
        size = int.from_bytes(header[_SHORT:_LONG])
    size = end - start if is_open else size
    if size < (_LONG if is_long else _SHORT) or start + size > end:
        raise ValueError("its boxes do not fill it")
    return Box(kind, start, size, is_open, header[_SHORT:] if kind == b"uuid" and not is_long else b"")


def uuid_box(identifier: bytes, content: bytes) -> bytes:
    """A box of a kind that only its id names."""
    return struct.pack(">I4s16s", _UUID + len(content), b"uuid", identifier) + content
