"""Decoding: every frame of a video, and pictures. This is all that needs FFmpeg and Pillow."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import av
from PIL import Image as Pictures

from runner.engine.facts import UnfitFileError, VideoFacts

_THUMBNAIL_SIDE = 480
# Far more than any thumbnail has, and what can be decoded without harm.
_MOST_PIXELS = 32_000_000


def examine(path: Path, *, decode: bool, wants_frame: bool) -> VideoFacts:
    """Open a video, and decode every frame of it unless told otherwise. Raises UnfitFileError."""
    frame = None
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = _video_stream(container)
            frames = stream.frames
            if decode:
                stream.thread_type = "AUTO"
                frames, frame = _decoded(container, stream)
            facts = _facts(stream, container.duration, frames)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnfitFileError(f"it cannot be decoded ({type(error).__name__})") from error
    if decode and frames == 0:
        raise UnfitFileError("it has no frames")
    return replace(facts, frame=_thumbnail(frame)) if wants_frame and frame is not None else facts


def _video_stream(container: av.container.InputContainer) -> av.VideoStream:
    # PyAV gives a stream of an unknown codec none of the attributes of a video.
    stream = next((each for each in container.streams.video if each.codec_context is not None), None)
    if stream is None:
        raise UnfitFileError("it has no video stream")
    return stream


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> tuple[int, av.VideoFrame | None]:
    """How many frames there are, and the one at a third. The decoder fills in what it cannot decode, and marks such
    frames."""
    frames, kept = 0, None
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise UnfitFileError(f"frame {frames + 1} is damaged")
        if frames == stream.frames // 3:
            kept = frame
        frames += 1
    return frames, kept


def _thumbnail(frame: av.VideoFrame) -> bytes | None:
    """A frame as a JPEG, made smaller where it is large."""
    scale = min(1.0, _THUMBNAIL_SIDE / max(frame.width, frame.height, 1))
    try:
        width, height = max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)
        picture = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]
    except (av.FFmpegError, OSError, ValueError, IndexError):
        return None
    return _saved(picture)


def _saved(picture: Pictures.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _facts(stream: av.VideoStream, container_duration: int | None, frames: int) -> VideoFacts:
    fps = float(stream.average_rate or 0)
    if frames and fps:
        seconds = frames / fps
    elif stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container_duration or 0) / av.time_base
    return VideoFacts(round(seconds, 3), stream.width, stream.height, round(fps, 3), stream.codec_context.name)


def as_jpeg(content: bytes) -> bytes:
    """Check a downloaded thumbnail by decoding it; its JPEG, byte for byte where it is one. Raises UnfitFileError."""
    try:
        with Pictures.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise UnfitFileError("it is no thumbnail: too many pixels")
            if picture.format != "JPEG":
                return _saved(picture.convert("RGB"))
            picture.load()
            return content
    except (OSError, ValueError, SyntaxError, Pictures.DecompressionBombError) as error:
        raise UnfitFileError("it is no picture") from error
