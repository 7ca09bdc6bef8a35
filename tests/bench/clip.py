"""Files for the benchmarks: a small real video padded to a size, and pictures of a size."""

from __future__ import annotations

import io
import random
import struct
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
from PIL import Image

_WIDTH, _HEIGHT, _RATE = 320, 180, 8
# The largest content of a JPEG comment: its length has 16 bits and counts itself.
_COMMENT = 0xFFFF - 2


@cache
def clip(seconds: int = 5) -> bytes:
    """An H.264 clip of a few kilobytes."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for index in range(seconds * _RATE):
            shade = (4 * index, 90, 160 - index)
            frame = av.VideoFrame.from_image(Image.new("RGB", (_WIDTH, _HEIGHT), shade))  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = index, Fraction(1, _RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def head_of(name: str, size: int) -> bytes:
    """The first bytes of a video of `size` bytes that bears a name: the clip, and the head of a `free` box at its end
    (ISO/IEC 14496-12, 8.1.2). The rest are zeros."""
    video = clip()
    padding = size - len(video)
    label = name.encode()
    if padding < 8 + len(label):
        raise ValueError(f"a video has {len(video) + 8 + len(label)} bytes or more")
    return video + struct.pack(">I4s", padding, b"free") + label


def name_in(path: Path, length: int) -> str:
    """The name of `length` characters that a video bears."""
    with path.open("rb") as file:
        file.seek(len(clip()) + 8)
        return file.read(length).decode("ascii", "replace")


def write_picture(path: Path, size: int, seed: int) -> None:
    """A JPEG of `size` bytes with a content of its own for each seed; comments make up its size."""
    buffer = io.BytesIO()
    Image.new("RGB", (320, 320), (seed * 40 % 256, seed % 256, 99)).save(buffer, "JPEG")
    picture, drawn = buffer.getvalue(), random.Random(seed)
    left = size - len(picture)
    with path.open("wb") as file:
        file.write(picture[:2])
        while left > 4:
            # What would be left must be none, or have room for the head of another comment.
            length = left - 4 if left - 4 <= _COMMENT else min(_COMMENT, left - 8)
            file.write(struct.pack(">HH", 0xFFFE, length + 2) + drawn.randbytes(length))
            left -= length + 4
        file.write(picture[2:])
