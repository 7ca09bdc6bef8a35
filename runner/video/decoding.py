"""Opens videos and thumbnails to find out what a file really is.

This module loads FFmpeg and Pillow, which takes long. So import it inside the functions that need it.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import av
from PIL import Image as Pictures

from runner.video.facts import UnfitFileError, VideoFacts
from runner.video.stills import DamagedError, check_whole, header, kind, quiet

# In seconds: how far the length of a video may be from the requested length.
_TOLERANCE = 0.5
_THUMBNAIL_SIDE = 480
# The limits of a thumbnail: more than any has, and few enough to decode safely. No JPEG has a side above 65,500.
_MOST_PIXELS, _MOST_SIDE = 32_000_000, 16_000


def inspect_video(path: Path, asked: float | None, *, decode: bool, wants_frame: bool = False) -> VideoFacts:
    """Open a video, check that all of its frames are there, and compare its length with `asked`, in seconds.

    With `decode` every frame is decoded; without it, frames are only read. The length is that of the stream: what the
    container states is used only if the stream has no length. Raises UnfitFileError.
    """
    try:
        # An edit list may hide frames that the header counts. It is ignored when packets are counted.
        options = {} if decode else {"ignore_editlist": "1"}
        with av.open(str(path), metadata_errors="replace", options=options) as container:
            stream = _video_stream(container)
            frames, frame = _decoded(container, stream) if decode else (_packets(container, stream), None)
            if frames == 0:
                raise UnfitFileError("it has no frames")
            facts = _facts(stream, container.duration, frames)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnfitFileError(f"it cannot be decoded ({type(error).__name__})") from error
    if asked is not None and abs(facts.seconds - asked) > _TOLERANCE:
        raise UnfitFileError(f"it lasts {facts.seconds:.2f} s, {asked:g} s were requested")
    return replace(facts, frame=_thumbnail(frame)) if wants_frame and frame is not None else facts


def _video_stream(container: av.container.InputContainer) -> av.VideoStream:
    # If the codec is unknown, PyAV's stream has no codec context, and none of the attributes of a video.
    stream = next((each for each in container.streams.video if each.codec_context is not None), None)
    if stream is None:
        raise UnfitFileError("it has no video stream")
    return stream


def _packets(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """How many frames the file holds: at least as many as its header declares. A header does not count fragments."""
    frames = 0
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise UnfitFileError(f"frame {frames + 1} is damaged")
        # The last packet is empty: its purpose is to flush a decoder.
        frames += packet.size > 0
    if frames < stream.frames:
        raise UnfitFileError(f"{frames} of its {stream.frames} frames are there")
    return frames


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> tuple[int, av.VideoFrame | None]:
    """How many frames there are, and the frame at a third of the video.

    The decoder makes up what it cannot decode, and marks such frames as corrupt.
    """
    frames, kept = 0, None
    stream.thread_type = "AUTO"
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise UnfitFileError(f"frame {frames + 1} is damaged")
        if frames == stream.frames // 3:
            kept = frame
        frames += 1
    return frames, kept


def _facts(stream: av.VideoStream, container_duration: int | None, frames: int) -> VideoFacts:
    fps = float(stream.average_rate or 0)
    if fps:
        seconds = frames / fps
    elif stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container_duration or 0) / av.time_base
    return VideoFacts(round(seconds, 3), stream.width, stream.height, round(fps, 3), stream.codec_context.name)


def _thumbnail(frame: av.VideoFrame) -> bytes | None:
    """A frame as a JPEG, made smaller if it is large; None if it cannot be converted."""
    scale = min(1.0, _THUMBNAIL_SIDE / max(frame.width, frame.height, 1))
    try:
        width, height = max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)
        picture = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]
    except (av.FFmpegError, OSError, ValueError, IndexError):
        return None
    return _saved(picture)


def jpeg_of(content: bytes) -> bytes:
    """Check a downloaded thumbnail by decoding it. Returns it as a JPEG; a JPEG is unchanged. Raises UnfitFileError."""
    stream = io.BytesIO(content)
    try:
        if kind(content[:512]) == "JPEG":
            _check_pixels(*header(stream, "JPEG"))
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
