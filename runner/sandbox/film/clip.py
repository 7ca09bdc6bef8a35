"""The clip and the thumbnail as files."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
from av.video.reformatter import ColorRange
from PIL import Image

from runner.sandbox.film.frames import Size

RATE = 24  # frames a second
THUMBNAIL_WIDTH = 480  # pixels, at most
_THUMBNAIL_FRAME = RATE // 2
# threads=1: several clips are made at the same time, and none should slow down the others. subme=1: a finer search
# costs a third of the time and makes no visible difference if the whole picture moves alike. mbtree=0: with mbtree,
# x264 sometimes makes different files from equal frames.
_ENCODER = {
    "preset": "veryfast",
    "crf": "24",
    "maxrate": "8M",
    "bufsize": "16M",
    "threads": "1",
    "g": str(2 * RATE),
    "x264-params": "subme=1:mbtree=0",
}
# The codec, the kind of pixels and the options of the formats that do not hold H.264.
_CODECS = {
    "webm": ("libvpx", "yuv420p", {"deadline": "realtime", "cpu-used": "8", "threads": "1", "crf": "24", "b": "4M"}),
    "gif": ("gif", "rgb8", {}),
}
# The codec of the sound; none where the format has no sound.
_SOUND_CODECS = {"webm": "libopus", "gif": ""}
_SAMPLES_A_SECOND = 48_000
_SAMPLES = _SAMPLES_A_SECOND // RATE  # a frame
_WAVES = 10  # a frame: a tone of 240 Hz, the same in each frame
_LOUDNESS = 600  # of 32767
_BT709 = 1  # in H.264's tables of primaries, transfer and matrix


class AbandonedError(Exception):
    """The clip was abandoned halfway, because the sandbox stops."""


def encode(
    frames: Iterable[av.VideoFrame],
    size: Size,
    video: Path,
    thumbnail: Path,
    metadata: Mapping[str, str],
    stopped: Callable[[], bool],
    format: str = "mp4",
    has_sound: bool = False,
) -> None:
    """Write a clip of 24 frames a second, an MP4 so that it plays while it loads, and one of its frames as a JPEG.

    The sound is a quiet tone.

    Raises AbandonedError soon after `stopped` returns true. The half-written file stays where it is.
    """
    codec, pixels, options = _CODECS.get(format, ("libx264", "yuv420p", _ENCODER))
    flags = {"movflags": "+faststart"} if format == "mp4" else {}
    with av.open(video, "w", format=format, options=flags) as container:
        container.metadata.update(metadata)
        stream = container.add_stream(codec, RATE, options, width=size[0], height=size[1], pix_fmt=pixels)
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.color_range = ColorRange.MPEG
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        sound_codec = _SOUND_CODECS.get(format, "aac") if has_sound else ""
        sound = container.add_stream(sound_codec, _SAMPLES_A_SECOND, layout="mono") if sound_codec else None
        for number, frame in enumerate(frames):
            if stopped():
                raise AbandonedError
            if number == _THUMBNAIL_FRAME:
                _write_thumbnail(frame, thumbnail)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
            if isinstance(sound, av.AudioStream):
                container.mux(sound.encode(_tone(number)))
        container.mux(stream.encode(None))
        if isinstance(sound, av.AudioStream):
            container.mux(sound.encode(None))


def _tone(number: int) -> av.AudioFrame:
    """The sound of a frame."""
    frame = av.AudioFrame(format="s16", layout="mono", samples=_SAMPLES)
    frame.planes[0].update(_samples())
    frame.sample_rate, frame.pts, frame.time_base = _SAMPLES_A_SECOND, number * _SAMPLES, Fraction(1, _SAMPLES_A_SECOND)
    return frame


@cache
def _samples() -> bytes:
    waves = (math.sin(2 * math.pi * _WAVES * sample / _SAMPLES) for sample in range(_SAMPLES))
    return array("h", (round(_LOUDNESS * wave) for wave in waves)).tobytes()


def _write_thumbnail(frame: av.VideoFrame, path: Path) -> None:
    plane = frame.reformat(format="rgb24").planes[0]
    size = (frame.width, frame.height)
    picture = Image.frombytes("RGB", size, bytes(plane), "raw", "RGB", plane.line_size, 1)
    picture.thumbnail((THUMBNAIL_WIDTH, picture.height))
    picture.save(path, "JPEG", quality=88)
