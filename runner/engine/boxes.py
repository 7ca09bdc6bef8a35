"""The header of an MP4 file, read box by box (ISO/IEC 14496-12) and without decoding anything."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from runner.engine.facts import VideoFacts

# Sample entries by the names that FFmpeg gives their codecs (https://mp4ra.org/registered-types/sampleentries).
_CODECS = {
    b"avc1": "h264",
    b"avc3": "h264",
    b"hvc1": "hevc",
    b"hev1": "hevc",
    b"av01": "av1",
    b"vp09": "vp9",
    b"mp4v": "mpeg4",
}
# The index of a video of ten seconds has some kilobytes. Where it comes first, one read finds it.
_MOST_INDEX = 16 << 20
_FIRST_READ = 1 << 15
_MOST_BOXES = 1000


def read_header(path: Path) -> VideoFacts | None:
    """What the index of a plain MP4 file tells of its first video; None where it does not tell all: a demuxer may.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        index = _index(descriptor)
    except (ValueError, struct.error):
        return None
    finally:
        os.close(descriptor)
    try:
        return next(filter(None, (_video(body) for kind, body in _boxes(index) if kind == b"trak")), None)
    except (ValueError, struct.error, ZeroDivisionError):
        return None


def _index(descriptor: int) -> bytes:
    """The content of the box `moov`. The boxes must fill the file, from its type on."""
    end, at, index = os.fstat(descriptor).st_size, 0, b""
    first = os.pread(descriptor, _FIRST_READ, 0)
    for number in range(_MOST_BOXES):
        if at == end:
            return index
        head, size, kind = _head(_read(descriptor, first, at, min(16, end - at)), end - at)
        if (kind == b"ftyp") != (number == 0) or (kind == b"moov" and (index or size > _MOST_INDEX)):
            break
        if kind == b"moov":
            index = _read(descriptor, first, at + head, size - head)
        at += size
    raise ValueError("no plain MP4 file")


def _read(descriptor: int, first: bytes, at: int, size: int) -> bytes:
    """So many bytes of a file from a place on; `first` are those that it begins with."""
    return first[at : at + size] if at + size <= len(first) else os.pread(descriptor, size, at)


def _head(content: bytes, room: int) -> tuple[int, int, bytes]:
    """The length of a box's head, that of the whole box, and its kind. Raises ValueError where it has no room."""
    size, kind = struct.unpack_from(">I4s", content)
    head = 8
    if size == 1:
        (size,), head = struct.unpack_from(">Q", content, 8), 16
    elif size == 0:
        size = room
    if not head <= size <= room:
        raise ValueError("a box does not fit")
    return head, size, kind


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes that fill the content of another one: kind and content of each."""
    at = 0
    while at < len(content):
        head, size, kind = _head(content[at : at + 16], len(content) - at)
        yield kind, content[at + head : at + size]
        at += size


def _inner(content: bytes, *path: bytes) -> bytes:
    """The content of the first box at a path. Raises ValueError where there is none."""
    for name in path:
        content = next((body for kind, body in _boxes(content) if kind == name), b"")
    if not content:
        raise ValueError("a box is missing")
    return content


def _video(track: bytes) -> VideoFacts | None:
    """The facts of a track that is a video; None for another one."""
    media = _inner(track, b"mdia")
    if _inner(media, b"hdlr")[8:12] != b"vide":
        return None
    clock = _inner(media, b"mdhd")
    (scale,) = struct.unpack_from(">I", clock, 20 if clock[0] else 12)
    table = _inner(media, b"minf", b"stbl")
    entry = _inner(table, b"stsd")[8:]
    width, height = struct.unpack_from(">2H", entry, 32)
    counts = list(_counts(_inner(table, b"stts")))
    frames, ticks = sum(count for count, _ in counts), sum(count * delta for count, delta in counts)
    codec = _CODECS.get(entry[4:8])
    if codec is None or not (frames and ticks and width and height):
        raise ValueError("a video of which the index does not tell all")
    return VideoFacts(round(ticks / scale, 3), width, height, round(frames * scale / ticks, 3), codec)


def _counts(table: bytes) -> Iterator[tuple[int, int]]:
    """The entries of a time-to-sample table: how many frames last so many ticks each."""
    (number,) = struct.unpack_from(">I", table, 4)
    return struct.iter_unpack(">2I", table[8 : 8 + 8 * number])
