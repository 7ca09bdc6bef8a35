"""A small label in the pictures themselves: the clip is encoded anew with it. Its sound is kept as it is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from PIL import Image, ImageDraw

from runner.review.publishing.lettering import letters

# Of the height of the clip: the letters, and their distance from the corner.
_LETTERS, _MARGIN = 1 / 28, 1 / 40
_LEAST = 9
# Near to the original by the eye; a clip of our models stays about as large as it is.
_OPTIONS = {"crf": "17", "preset": "medium"}


class LabelError(Exception):
    """A clip cannot be encoded anew."""


def burn_label(source: Path, target: Path, text: str) -> None:
    """Write an MP4 with the text in the lower left corner. Raises LabelError and OSError."""
    try:
        with av.open(str(source)) as clip, av.open(str(target), "w", format="mp4", options=_FAST_START) as made:
            _encode(clip, made, text)
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise LabelError(f"it cannot be encoded with a label: {error}") from None


_FAST_START = {"movflags": "+faststart"}


def _encode(clip: InputContainer, made: OutputContainer, text: str) -> None:
    video = clip.streams.video[0]
    rate = video.average_rate or video.guessed_rate or Fraction(24)
    stream: Any = made.add_stream("libx264", rate=rate, options=_OPTIONS)
    stream.width, stream.height = (video.codec_context.width // 2 * 2, video.codec_context.height // 2 * 2)
    stream.pix_fmt, stream.time_base = "yuv420p", video.time_base
    for name in ("color_primaries", "color_trc", "colorspace", "color_range"):
        setattr(stream.codec_context, name, getattr(video.codec_context, name))
    sounds: dict[int, Any] = {each.index: made.add_stream_from_template(each) for each in clip.streams.audio}
    painted, place = _label(text, stream.width, stream.height)
    for packet in clip.demux():
        if packet.stream.index in sounds and packet.dts is not None:
            packet.stream = sounds[packet.stream.index]
            made.mux(packet)
        elif packet.stream.index == video.index:
            for frame in packet.decode():
                made.mux(stream.encode(_painted(frame, painted, place, stream)))
    made.mux(stream.encode())


def _painted(frame: Any, label: np.ndarray[Any, Any], place: tuple[int, int], stream: Any) -> av.VideoFrame:
    """The frame with the label, of which the last layer is how much of it is seen."""
    pixels = frame.to_ndarray(format="rgb24", width=stream.width, height=stream.height)
    (height, width), (x, y) = label.shape[:2], place
    part = pixels[y : y + height, x : x + width]
    seen = label[..., 3:] / 255
    part[:] = part * (1 - seen) + label[..., :3] * seen
    made = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    made.pts, made.time_base = frame.pts, frame.time_base
    return made


def _label(text: str, width: int, height: int) -> tuple[np.ndarray[Any, Any], tuple[int, int]]:
    """White letters on a dark plate, as an RGBA array that fits into the picture, and its place."""
    size = max(_LEAST, round(min(width, height) * _LETTERS))
    font, margin = letters(size), round(min(width, height) * _MARGIN)
    length = round(font.getlength(text)) + size
    plate = Image.new("RGBA", (length, round(size * 1.7)), (0, 0, 0, 0))
    draw = ImageDraw.Draw(plate)
    draw.rounded_rectangle((0, 0, plate.width - 1, plate.height - 1), size // 3, fill=(0, 0, 0, 150))
    draw.text((plate.width / 2, plate.height / 2), text, (255, 255, 255, 235), font, anchor="mm")
    if plate.width > width or plate.height > height:
        plate = plate.resize((min(plate.width, width), min(plate.height, height)))
    left, top = min(margin, width - plate.width), max(0, height - margin - plate.height)
    return np.asarray(plate), (left, top)
