"""Opens videos and thumbnails to find out what a file really is.

This module loads FFmpeg and Pillow, which takes long. So import it inside the functions that need it.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import av
from av.container import InputContainer
from PIL import Image as Pictures

from runner.video.facts import UnfitFileError, VideoFacts
from runner.video.stills import DamagedError, check_whole, header, kind, quiet

# In seconds: how far the length of a video may be from the requested length.
_TOLERANCE = 0.5
# The containers that are taken, as FFmpeg names them, and the suffix of each. FFmpeg would also open pictures, texts,
# and lists of other files.
_SUFFIXES = {"mov": ".mp4", "matroska": ".mkv", "gif": ".gif", "avi": ".avi", "mpegts": ".ts", "flv": ".flv"}
# What the first bytes may seem to be. Other known kinds are refused by their names.
_VIDEOS = ("", "an MP4 video", "a GIF picture")
# The element DocType of the header of a Matroska file: WebM is a kind of it (RFC 9559, 11.2).
_WEBM = re.compile(rb"\x1a\x45\xdf\xa3.*\x42\x82[^a-z]{1,8}webm", re.DOTALL)
_HEAD = 512
_THUMBNAIL_SIDE = 480
# The most frames of a second, and of a video whose length is not known; the most pixels of a frame (8K has 33 million).
_MOST_FPS, _MOST_FRAMES, _MOST_FRAME_PIXELS = 240, 100_000, 64_000_000
# The limits of a thumbnail: more than any has, and few enough to decode safely. No JPEG has a side above 65,500.
_MOST_PIXELS, _MOST_SIDE = 32_000_000, 16_000


class Viewer(Protocol):
    """Looks at the frames of a video that is decoded anyway."""

    def begin(self, container: InputContainer, stream: av.VideoStream) -> None: ...
    def wants_sound(self) -> bool: ...
    def see(self, frame: av.VideoFrame) -> None: ...
    def hear(self, packet: av.Packet[Any]) -> None: ...


def inspect_video(
    path: Path,
    asked: float | None,
    *,
    decode: bool,
    wants_frame: bool = False,
    viewer: Viewer | None = None,
    threads: int = 0,
) -> VideoFacts:
    """Open a video, check that all of its frames are there, and compare its length with `asked`, in seconds.

    With `decode` every frame is decoded, by so many threads (0: as many as FFmpeg finds good), and shown to the viewer;
    without it, frames are only read. Raises UnfitFileError.
    """
    try:
        head = _head(path)
        # An edit list may hide frames that the header counts. It is ignored when packets are counted.
        options = {"format_whitelist": ",".join(_SUFFIXES)} | ({} if decode else {"ignore_editlist": "1"})
        with av.open(str(path), metadata_errors="replace", options=options) as container:
            stream = _video_stream(container)
            most = _MOST_FRAMES if asked is None else math.ceil((asked + _TOLERANCE) * _MOST_FPS)
            seen = _decoded(container, stream, most, viewer, threads) if decode else _packets(container, stream, most)
            if seen.frames == 0:
                raise UnfitFileError("it has no frames")
            facts = _facts(container, stream, seen, _suffix(container, head))
            if facts.suffix == ".gif" and seen.frames == 1:
                raise UnfitFileError("it is a GIF picture that does not move")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnfitFileError(f"it cannot be decoded ({type(error).__name__})") from error
    if asked is not None and abs(facts.seconds - asked) > _TOLERANCE:
        raise UnfitFileError(f"it lasts {facts.seconds:.2f} s, {asked:g} s were requested")
    return replace(facts, frame=_thumbnail(seen.frame)) if wants_frame and seen.frame is not None else facts


def _head(path: Path) -> bytes:
    """The first bytes of a file. Raises UnfitFileError if they are not those of a video."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    seems = kind(head)
    if seems not in _VIDEOS:
        raise UnfitFileError(f"it is {seems if ' ' in seems else f'a {seems} picture'}")
    return head


def _suffix(container: InputContainer, head: bytes) -> str:
    """By what the file is: its link may say something else, or nothing."""
    name = container.format.name.split(",")[0]
    if name == "matroska" and _WEBM.match(head):
        return ".webm"
    is_quicktime = name == "mov" and container.metadata.get("major_brand", "").startswith("qt")
    return ".mov" if is_quicktime else _SUFFIXES[name]


@dataclass(slots=True)
class _Seen:
    """What was seen of a stream: how many frames, from when to when, in its time base, and one of them.

    A small file may have frames without end: `most` are looked at.
    """

    most: int
    frames: int = 0
    first: int | None = None
    last: int | None = None
    end: int = 0
    frame: av.VideoFrame | None = None

    def add(self, piece: av.Packet[av.VideoStream] | av.VideoFrame) -> None:
        self.frames += 1
        if self.frames > self.most:
            raise UnfitFileError(f"it has more than {self.most:,} frames")
        if piece.pts is not None:
            self.first = piece.pts if self.first is None else min(self.first, piece.pts)
            self.last = piece.pts if self.last is None else max(self.last, piece.pts)
            self.end = max(self.end, piece.pts + (piece.duration or 0))

    @property
    def length(self) -> float:
        """From the start of the first frame to the end of the last; 0 if that is not known."""
        if self.first is None or self.last is None:
            return 0.0
        if self.end > self.last:
            return float(self.end - self.first)
        # How long the last frame lasts is not told: as long as the others.
        return (self.last - self.first) * self.frames / max(self.frames - 1, 1)


def _video_stream(container: InputContainer) -> av.VideoStream:
    # If the codec is unknown, PyAV's stream has no codec context, and none of the attributes of a video.
    stream = next((each for each in container.streams.video if each.codec_context is not None), None)
    if stream is None:
        raise UnfitFileError("it has no video stream")
    if stream.width * stream.height > _MOST_FRAME_PIXELS:
        raise UnfitFileError(f"its frames have {stream.width:,} x {stream.height:,} pixels")
    return stream


def _packets(container: InputContainer, stream: av.VideoStream, most: int) -> _Seen:
    """The frames that the file holds: at least as many as its header declares. A header does not count fragments."""
    seen = _Seen(most)
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise UnfitFileError(f"frame {seen.frames + 1} is damaged")
        # The last packet is empty: its purpose is to flush a decoder.
        if packet.size > 0:
            seen.add(packet)
    if seen.frames < stream.frames:
        raise UnfitFileError(f"{seen.frames} of its {stream.frames} frames are there")
    return seen


def _decoded(
    container: InputContainer, stream: av.VideoStream, most: int, viewer: Viewer | None, threads: int
) -> _Seen:
    """All frames, with the one at a third of the video, or the first where the file does not say how many it has.

    The decoder makes up what it cannot decode, and marks such frames as corrupt.
    """
    seen = _Seen(most)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    for frame in _frames(container, stream, viewer):
        if frame.is_corrupt:
            raise UnfitFileError(f"frame {seen.frames + 1} is damaged")
        if seen.frames == stream.frames // 3:
            seen.frame = frame
        seen.add(frame)
        if viewer is not None:
            viewer.see(frame)
    return seen


def _frames(container: InputContainer, stream: av.VideoStream, viewer: Viewer | None) -> Iterator[av.VideoFrame]:
    """Every frame. A viewer hears the sound between them."""
    if viewer is None:
        yield from container.decode(stream)
        return
    viewer.begin(container, stream)
    # If the codec is unknown, a stream has no codec context.
    sound = next((each for each in container.streams.audio if each.codec_context is not None), None)
    for packet in container.demux(*filter(None, (stream, sound))):
        if packet.stream is stream:
            yield from (frame for frame in packet.decode() if isinstance(frame, av.VideoFrame))
        elif viewer.wants_sound():
            viewer.hear(packet)


def _facts(container: InputContainer, stream: av.VideoStream, seen: _Seen, suffix: str) -> VideoFacts:
    fps, seconds = float(stream.average_rate or 0), seen.length * float(stream.time_base or 0)
    if not seconds:
        seconds = seen.frames / fps if fps else (container.duration or 0) / av.time_base
    elif suffix not in (".mp4", ".mov"):
        # The rates of other containers are guesses from their first frames.
        fps = seen.frames / seconds
    codec = stream.codec_context.name
    return VideoFacts(round(seconds, 3), stream.width, stream.height, round(fps, 3), codec, suffix)


def _thumbnail(frame: av.VideoFrame) -> bytes | None:
    """A frame as a JPEG, made smaller if it is large; None if it cannot be converted."""
    scale = min(1.0, _THUMBNAIL_SIDE / max(frame.width, frame.height, 1))
    try:
        width, height = max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)
        picture = frame.to_image(width=width, height=height).rotate(frame.rotation, expand=True)  # type: ignore[no-untyped-call]
    except (av.FFmpegError, OSError, ValueError, IndexError):
        return None
    return _saved(picture)


def jpeg_of(content: bytes) -> bytes:
    """Check a downloaded thumbnail by decoding it. Returns it as a JPEG; a JPEG is unchanged. Raises UnfitFileError."""
    stream = io.BytesIO(content)
    try:
        if kind(content[:512]) == "JPEG":
            seen = header(stream, "JPEG")
            _check_pixels(seen.width, seen.height)
            check_whole(stream, "JPEG")
            return content
        with quiet(), Pictures.open(stream, formats=("PNG", "WEBP")) as picture:
            _check_pixels(*picture.size)
            return _saved(picture.convert("RGB"))
    except (DamagedError, OSError, ValueError, SyntaxError, Pictures.DecompressionBombError) as error:
        raise UnfitFileError("it is no picture") from error


def _check_pixels(width: int, height: int) -> None:
    if width * height > _MOST_PIXELS or max(width, height) > _MOST_SIDE:
        raise UnfitFileError("it is no thumbnail: too many pixels")


def _saved(picture: Pictures.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
