"""Looks at the frames of a clip while they are decoded: measures them, and makes the previews.

Nothing that goes wrong here is an error of the clip, which was paid for: it ends the looking, and is told as a note.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.filter.context import FilterContext

from runner.errors import DiskError
from runner.model import Image, Measure, Measured
from runner.video.looking.colours import Lab, difference, lab_of
from runner.video.looking.likeness import likeness
from runner.video.looking.lumas import MOST_FRAMES, Luma, Lumas
from runner.video.looking.previews import SMALL, SPRITE, PreviewFiles
from runner.video.looking.small_copy import HEIGHT, SmallCopy
from runner.video.looking.sprite import Sprite
from runner.video.measures import MEASURES, VERSION, ViewOrder, unmeasured

if TYPE_CHECKING:
    from runner.video.looking.camera_path import CameraPath

Made = TypeVar("Made")

# All that the libraries raise for a file that they cannot take.
_FAULTS = (av.FFmpegError, ArithmeticError, DiskError, LookupError, MemoryError, OSError, RuntimeError, TypeError,
           ValueError)  # fmt: skip
# The longer side of the frames that are measured, in pixels.
_SIDE = 320
_USUAL_RATE = Fraction(24)
# How colours may be stored (H.264, table E-5), and the height from which on BT.709 is usual.
_IS_RGB, _BT709, _UNTOLD, _BT601, _HIGH = 0, 1, 2, 6, 720
# Start and end of a clip are so many frames of so many seconds.
_END_SECONDS, _END_FRAMES = 0.2, 4
# Sound that is louder than this (of 1) is heard.
_AUDIBLE = 0.001


class _Guard:
    """Does one part of the looking until something goes wrong in it: from then on nothing, and `note` says what."""

    def __init__(self) -> None:
        self.note = ""

    def __call__(self, act: Callable[[], Made]) -> Made | None:
        if self.note:
            return None
        try:
            return act()
        except _FAULTS as error:
            self.note = f"{type(error).__name__}: {error}"
            return None


class Viewing:
    """One clip that is looked at: `begin`, `see` each frame and `hear` each packet of sound, then `finish`.

    What is not finished when the block ends is deleted.
    """

    def __init__(self, order: ViewOrder) -> None:
        self._order = order
        self._files = PreviewFiles(order.output_dir, order.sha256) if order.output_dir is not None else None
        self._scaling, self._measuring, self._previewing = _Guard(), _Guard(), _Guard()
        self._scaled: _Scaled | None = None
        self._measurer: _Measurer | None = None
        self._previews: _Previews | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._files is not None:
            self._files.discard()

    def begin(self, container: InputContainer, stream: av.VideoStream) -> None:
        if self._order.measures:
            self._measurer = self._measuring(lambda: _Measurer(self._order, container, stream))
        files = self._files
        if files is not None:
            self._previews = self._previewing(lambda: _Previews(files, container, stream))

    def wants_sound(self) -> bool:
        return self._measurer is not None and self._measurer.hearing.is_open

    def see(self, frame: av.VideoFrame) -> None:
        scaled = self._scaling(lambda: self._at_once(frame))
        if scaled is not None and self._previews is not None:
            self._previewing(partial(self._previews.add, scaled[0]))
        if scaled is not None and self._measurer is not None:
            self._measuring(partial(self._measurer.see, *scaled))

    def _at_once(self, frame: av.VideoFrame) -> tuple[av.VideoFrame, Luma]:
        self._scaled = self._scaled or _Scaled(frame)
        return self._scaled.of(frame)

    def hear(self, packet: av.Packet[Any]) -> None:
        if self._measurer is not None:
            self._measurer.hearing.hear(packet)

    def finish(self) -> Measured:
        """Complete the previews. The measures, or why there are none."""
        measured = None
        if not self._scaling.note and self._previews is not None:
            self._previewing(self._previews.finish)
        if not self._scaling.note and self._measurer is not None:
            measured = self._measuring(self._measurer.measured)
        faults = [f"not measured ({self._measuring.note})"] if self._measuring.note else []
        faults += [f"no previews ({self._previewing.note})"] if self._previewing.note else []
        if self._scaling.note:
            faults = [f"neither measured nor previewed ({self._scaling.note})"]
        return replace(measured or unmeasured(), note="; ".join(faults))


class _Hearing:
    """Listens for the first sound that is loud enough. What cannot be decoded is not heard."""

    def __init__(self, is_open: bool) -> None:
        self.is_open = is_open
        self.is_heard = False

    def hear(self, packet: av.Packet[av.AudioStream]) -> None:
        try:
            self.is_heard = any(_loudness(frame) > _AUDIBLE for frame in packet.decode())
        except _FAULTS:
            self.is_open = False
        self.is_open = self.is_open and not self.is_heard


class _Measurer:
    """Measures frames one by one, and keeps some of the first and of the last."""

    def __init__(self, order: ViewOrder, container: InputContainer, stream: av.VideoStream) -> None:
        self._order = order
        self._rate = float(_rate_of(stream))
        self.hearing = _Hearing(bool(container.streams.audio))
        self._lumas = Lumas()
        self._camera = _camera(self._rate)
        self._every = max(1, round(_END_SECONDS * self._rate / _END_FRAMES))
        self._start: list[av.VideoFrame] = []
        self._end: deque[av.VideoFrame] = deque(maxlen=_END_FRAMES)
        self._lumas_at_ends: tuple[Luma, Luma] | None = None

    def see(self, small: av.VideoFrame, luma: Luma) -> None:
        if len(self._lumas.blocks) >= MOST_FRAMES:
            raise ValueError(f"it has more than {MOST_FRAMES:,} frames")
        if len(self._lumas.blocks) % self._every == 0:
            self._start += [small] * (len(self._start) < _END_FRAMES)
            self._end.append(small)
        self._lumas.see(luma)
        if self._camera is not None:
            self._camera.see(luma)
        self._lumas_at_ends = (self._lumas_at_ends or (luma,))[0], luma

    def measured(self) -> Measured:
        if self._lumas_at_ends is None:
            raise ValueError("it has no frames")
        found, spans = self._lumas.values(self._rate)
        end = list(self._end)
        found |= {
            "sharpness": _ratio(self._start, end),
            "drift": difference(_colour(self._start), _colour(end)),
            "first_frame": _likeness(self._lumas_at_ends[0], self._order.first),
            "last_frame": _likeness(self._lumas_at_ends[1], self._order.last),
            "sound": self.hearing.is_heard,
        }
        if self._camera is not None:
            found |= self._camera.values()
        values = {name: _kept(found.get(name)) for name in MEASURES}
        has_flow = self._camera is not None
        return Measured(values, spans, self._lumas.signature(), version=VERSION, has_flow=has_flow)


class _Previews:
    """The small copy and the sprite while they are made."""

    def __init__(self, files: PreviewFiles, container: InputContainer, stream: av.VideoStream) -> None:
        rate = _rate_of(stream)
        self._files = files
        self._part = files.part(SMALL)
        self._copy = SmallCopy(self._part, rate, _matrix_of(stream))
        self._sprite = Sprite(stream.frames or int((container.duration or 0) / av.time_base * rate))

    def add(self, small: av.VideoFrame) -> None:
        self._sprite.add(small)
        self._copy.add(small)

    def finish(self) -> None:
        self._copy.close()
        self._files.finish(self._part, SMALL)
        part = self._files.part(SPRITE)
        part.write_bytes(self._sprite.picture())
        self._files.finish(part, SPRITE)


class _Scaled:
    """Makes a frame as high as the small copy, and its luma as large as it is measured: one after the other, so that
    the large frame is passed over once."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._graph = av.filter.Graph()
        buffer = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        )  # fmt: skip
        wide, high = _small_size(frame)
        scale = min(1.0, _SIDE / max(wide, high))
        luma = f"{max(round(wide * scale), 1)}:{max(round(high * scale), 1)}"
        matrix = ":out_color_matrix=bt709" if frame.format.is_rgb else ""
        scaled = self._after(buffer, "scale", f"{wide}:{high}:flags=area:out_range=limited{matrix}")
        small = self._after(self._after(scaled, "format", "yuv420p"), "split", "2")
        self._small = self._after(small, "buffersink")
        grey = self._after(small, "extractplanes", "y", output=1)
        self._luma = self._after(self._after(grey, "scale", f"{luma}:flags=area"), "buffersink")
        self._buffer = buffer
        self._graph.configure()
        self._number = 0

    def _after(self, before: FilterContext, name: str, arguments: str = "", *, output: int = 0) -> FilterContext:
        made = self._graph.add(name, arguments)
        before.link_to(made, output)
        return made

    def of(self, frame: av.VideoFrame) -> tuple[av.VideoFrame, Luma]:
        self._buffer.push(frame)
        small, luma = self._small.pull(), self._luma.pull()
        assert isinstance(small, av.VideoFrame), "it comes from a filter of pictures"
        assert isinstance(luma, av.VideoFrame), "it comes from a filter of pictures"
        return small, _plane(luma)


def _small_size(frame: av.VideoFrame) -> tuple[int, int]:
    """Even sides, not higher than the frame. Pixels that are not square are made so."""
    ratio = float(getattr(frame, "sample_aspect_ratio", None) or 1)
    high = max(min(HEIGHT, frame.height) // 2 * 2, 2)
    return max(round(high * frame.width * ratio / frame.height / 2) * 2, 2), high


def _rate_of(stream: av.VideoStream) -> Fraction:
    rate = stream.average_rate
    return Fraction(rate) if rate and 1 <= rate <= 240 else _USUAL_RATE


def _matrix_of(stream: av.VideoStream) -> int:
    """How the colours are stored. Where a clip does not say it, players go by its height, which the copy has not."""
    told = int(stream.codec_context.colorspace)
    if told in (_IS_RGB, _UNTOLD):
        return _BT709 if told == _IS_RGB or stream.height >= _HIGH else _BT601
    return told


def _camera(fps: float) -> CameraPath | None:
    """Follows the camera, where OpenCV is installed."""
    try:
        from runner.video.looking.camera_path import CameraPath
    except ImportError:
        return None
    return CameraPath(fps)


def _plane(frame: av.VideoFrame, number: int = 0) -> Luma:
    """A plane of a frame: the first is its luma."""
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return np.ascontiguousarray(rows[:, : plane.width])


def _loudness(frame: av.AudioFrame) -> float:
    """The loudest sample, of 1."""
    samples = frame.to_ndarray()
    kind, bits = samples.dtype.kind, 8 * samples.dtype.itemsize
    if kind == "f":
        return float(np.abs(samples).max(initial=0.0))
    # Unsigned samples rest in the middle.
    half = float(2 ** (bits - 1))
    return float(np.abs(samples - (half if kind == "u" else 0.0)).max(initial=0.0)) / half


def _ratio(start: list[av.VideoFrame], end: list[av.VideoFrame]) -> float | None:
    """How sharp the end is, where the start is 1; None where there is nothing to be sharp."""
    before, after = (float(np.mean([_sharpness(_plane(each)) for each in frames])) for frames in (start, end))
    return round(after / before, 4) if before and after else None


def _sharpness(luma: Luma) -> float:
    """The mean change of slope from pixel to pixel, in shares of the contrast."""
    plane = luma.astype(np.float32)
    middle = plane[1:-1, 1:-1]
    bend = 4 * middle - plane[:-2, 1:-1] - plane[2:, 1:-1] - plane[1:-1, :-2] - plane[1:-1, 2:]
    contrast = float(plane.std())
    return float(np.abs(bend).mean()) / contrast if contrast >= 1.0 else 0.0


def _colour(frames: list[av.VideoFrame]) -> Lab:
    """The mean colour, from the means of the three planes (BT.709, limited range)."""
    y, u, v = (float(np.mean([_plane(each, number).mean() for each in frames])) for number in range(3))
    light, blue, red = (y - 16) * 255 / 219, (u - 128) * 255 / 224, (v - 128) * 255 / 224
    mixed = light + 1.5748 * red, light - 0.1873 * blue - 0.4681 * red, light + 1.8556 * blue
    return lab_of(*(min(max(each, 0.0), 255.0) for each in mixed))


def _likeness(luma: Luma, picture: Image | None) -> float | None:
    return None if picture is None else likeness(luma, picture)


def _kept(value: Measure) -> Measure:
    """A measure as it is kept: what is no number is not known."""
    if value is None or isinstance(value, (bool, int)):
        return value
    return round(value, 4) if math.isfinite(value) else None
