"""The clip and the thumbnail as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream
from PIL import Image

from runner.sandbox.lens import Size
from runner.sandbox.planes import Planes

RATE = 24  # frames a second
THUMBNAIL_WIDTH = 480  # pixels, at most
# One thread a clip: several clips are made at the same time, and none should slow the others. subme=1: a finer search
# costs a third of the time and shows no difference where the whole picture moves alike. mbtree=0: with it, x264 now and
# then makes different files from equal frames.
_ENCODER = {
    "preset": "veryfast",
    "crf": "24",
    "maxrate": "8M",
    "bufsize": "16M",
    "threads": "1",
    "g": str(2 * RATE),
    "x264-params": "subme=1:mbtree=0",
}
_BT709 = 1  # in H.264's tables of primaries, transfer and matrix


class AbandonedError(Exception):
    """The clip was given up half way, because the sandbox stops."""


def encode(
    frames: Iterable[Planes], size: Size, path: Path, metadata: Mapping[str, str], stopped: Callable[[], bool]
) -> None:
    """Write an MP4 that plays while it loads: H.264, yuv420p, 24 frames a second.

    Raises AbandonedError soon after `stopped` says so; the half-written file stays where it is.
    """
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata.update(metadata)
        stream = _stream(container, size)
        for number, planes in enumerate(frames):
            if stopped():
                raise AbandonedError
            frame = planes.frame()
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def thumbnail(planes: Planes, path: Path) -> None:
    """Write one frame as a JPEG."""
    picture = planes.picture()
    picture.thumbnail((THUMBNAIL_WIDTH, picture.height), Image.Resampling.LANCZOS)
    picture.save(path, "JPEG", quality=88, optimize=True)


def _stream(container: OutputContainer, size: Size) -> VideoStream:
    stream = container.add_stream("libx264", rate=RATE, options=_ENCODER)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.color_range = ColorRange.MPEG
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    return stream
