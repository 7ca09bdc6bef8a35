"""Videos and thumbnails: what a file really is, found out by opening it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image as Pictures

# How far a video's length may be from what was asked.
_TOLERANCE = 0.5
_THUMBNAIL_SIDE = 480
# Far more than any thumbnail has, and what can be decoded without harm.
_MOST_PIXELS = 32_000_000


class UnfitFileError(Exception):
    """A file is not the video, or the picture, that it should be."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a video is: length in seconds, sizes in pixels, frames a second."""

    seconds: float
    width: int
    height: int
    fps: float
    codec: str


def inspect_video(path: Path, asked: float | None, *, decode: bool) -> VideoFacts:
    """Open a video, compare its length with the asked one, and decode every frame unless told otherwise.

    Raises UnfitFileError. What is compared is the stream's length, not what the container claims of itself.
    """
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = _video_stream(container)
            if decode:
                stream.thread_type = "AUTO"
                frames = _decoded(container, stream)
            else:
                frames = stream.frames
            facts = _facts(stream, container.duration, frames)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UnfitFileError(f"it cannot be decoded ({type(error).__name__})") from error
    if decode and frames == 0:
        raise UnfitFileError("it has no frames")
    if asked is not None and abs(facts.seconds - asked) > _TOLERANCE:
        raise UnfitFileError(f"it lasts {facts.seconds:.2f} s, asked were {asked:g} s")
    return facts


def _video_stream(container: av.container.InputContainer) -> av.VideoStream:
    # PyAV gives a stream of an unknown codec none of the attributes of a video.
    stream = next((each for each in container.streams.video if each.codec_context is not None), None)
    if stream is None:
        raise UnfitFileError("it has no video stream")
    return stream


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """How many frames there are. The decoder fills in what it cannot decode, and marks such frames."""
    frames = 0
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise UnfitFileError(f"frame {frames + 1} is damaged")
        frames += 1
    return frames


def _facts(stream: av.VideoStream, container_duration: int | None, frames: int) -> VideoFacts:
    fps = float(stream.average_rate or 0)
    if frames and fps:
        seconds = frames / fps
    elif stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container_duration or 0) / av.time_base
    return VideoFacts(round(seconds, 3), stream.width, stream.height, round(fps, 3), stream.codec_context.name)


def save_picture(source: Path, target: Path) -> None:
    """Check a downloaded thumbnail by decoding it, and write it as a JPEG. Raises UnfitFileError."""
    try:
        with Pictures.open(source, formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise UnfitFileError("it is no thumbnail: too many pixels")
            if picture.format == "JPEG":
                picture.load()
                target.write_bytes(source.read_bytes())
            else:
                picture.convert("RGB").save(target, "JPEG", quality=88)
    except (OSError, ValueError, SyntaxError, Pictures.DecompressionBombError) as error:
        raise UnfitFileError("it is no picture") from error


def save_frame(video: Path, target: Path) -> None:
    """Write a frame of a video, a third into it, as a JPEG thumbnail. Raises UnfitFileError."""
    try:
        with av.open(str(video), metadata_errors="replace") as container:
            stream = _video_stream(container)
            if stream.duration:
                container.seek(stream.duration // 3, stream=stream)
            frame = next(container.decode(stream))
            picture = frame.to_image()  # type: ignore[no-untyped-call]
    except (av.FFmpegError, OSError, ValueError, IndexError, StopIteration) as error:
        raise UnfitFileError("no frame of it can be decoded") from error
    picture.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    picture.save(target, "JPEG", quality=88)
