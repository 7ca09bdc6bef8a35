"""A small label in the pictures themselves: the clip is encoded anew with it. Its sound is kept as it is."""

from __future__ import annotations

from dataclasses import dataclass
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
_FAST_START = {"movflags": "+faststart"}
# What is stored as all luma, then each colour for every four points, of 8 bits.
_PLAIN = ("yuv420p", "yuvj420p")


class LabelError(Exception):
    """A clip cannot be encoded anew."""


def burn_label(source: Path, target: Path, text: str) -> None:
    """Write an MP4 with the text in the lower left corner. Raises LabelError and OSError."""
    try:
        with av.open(str(source)) as clip, av.open(str(target), "w", format="mp4", options=_FAST_START) as made:
            _encode(clip, made, text)
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise LabelError(f"it cannot be encoded with a label: {error}") from None


def _encode(clip: InputContainer, made: OutputContainer, text: str) -> None:
    video = clip.streams.video[0]
    rate = video.average_rate or video.guessed_rate or Fraction(24)
    stream: Any = made.add_stream("libx264", rate=rate, options=_OPTIONS)
    stream.width, stream.height = video.codec_context.width // 2 * 2, video.codec_context.height // 2 * 2
    stream.pix_fmt = video.pix_fmt if video.pix_fmt in _PLAIN else "yuv420p"
    stream.time_base = video.time_base
    for name in ("color_primaries", "color_trc", "colorspace", "color_range"):
        setattr(stream.codec_context, name, getattr(video.codec_context, name))
    sounds: dict[int, Any] = {each.index: made.add_stream_from_template(each) for each in clip.streams.audio}
    label = _Label.of(text, stream.width, stream.height)
    for packet in clip.demux():
        if packet.stream.index in sounds and packet.dts is not None:
            packet.stream = sounds[packet.stream.index]
            made.mux(packet)
        elif packet.stream.index == video.index:
            for frame in packet.decode():
                made.mux(stream.encode(_painted(frame, label, stream)))
    made.mux(stream.encode())


def _painted(frame: Any, label: _Label, stream: Any) -> av.VideoFrame:
    """The frame with the label. All is done in the colours that the clip has: none is converted."""
    plain = frame.reformat(width=stream.width, height=stream.height, format=stream.pix_fmt)
    planes = plain.to_ndarray()
    label.paint(planes.reshape(-1), stream.width, stream.height)
    made = av.VideoFrame.from_ndarray(planes, format=stream.pix_fmt)
    made.pts, made.time_base = frame.pts, frame.time_base
    return made


@dataclass(frozen=True, slots=True)
class _Label:
    """How light each of its points is, as a luma, and how much of it is seen, 0 to 1; it has no colour. Its place and
    its size are even, as colours are stored once for four points."""

    light: np.ndarray[Any, Any]
    seen: np.ndarray[Any, Any]
    left: int
    top: int

    @classmethod
    def of(cls, text: str, width: int, height: int) -> _Label:
        """White letters on a dark plate that fits into the picture."""
        size = max(_LEAST, round(min(width, height) * _LETTERS))
        font, margin = letters(size), round(min(width, height) * _MARGIN)
        plate = Image.new("LA", (_even(font.getlength(text) + size), _even(size * 1.7)), (0, 0))
        draw = ImageDraw.Draw(plate)
        draw.rounded_rectangle((0, 0, plate.width - 1, plate.height - 1), size // 3, fill=(16, 150))
        draw.text((plate.width / 2, plate.height / 2), text, (235, 235), font, anchor="mm")
        if plate.width > width or plate.height > height:
            plate = plate.resize((min(plate.width, width), min(plate.height, height)))
        pixels = np.asarray(plate)
        left, top = min(_even(margin), width - plate.width), max(0, height - _even(margin) - plate.height)
        return cls(pixels[..., 0].astype(np.float32), pixels[..., 1] / np.float32(255), left, top)

    def paint(self, planes: np.ndarray[Any, Any], width: int, height: int) -> None:
        """Paint it into a picture that is stored as all luma, then each of the two colours."""
        luma, quarter = width * height, width * height // 4
        self._blend(planes[:luma].reshape(height, width), self.light, self.seen, 1)
        for start in (luma, luma + quarter):
            plane = planes[start : start + quarter].reshape(height // 2, width // 2)
            self._blend(plane, np.float32(128), self.seen[::2, ::2], 2)

    def _blend(self, plane: np.ndarray[Any, Any], value: Any, seen: np.ndarray[Any, Any], step: int) -> None:
        top, left = self.top // step, self.left // step
        part = plane[top : top + seen.shape[0], left : left + seen.shape[1]]
        part[:] = part * (1 - seen) + value * seen


def _even(length: float) -> int:
    return round(length / 2) * 2
