"""The frames of a clip as they are looked at: small, upright, and with square pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.filter.context import FilterContext

from runner.video.looking.lumas import Luma
from runner.video.looking.small_copy import HEIGHT

# The longer side of the lumas that are measured, and the most that a small frame is wide, in pixels.
_SIDE, _WIDEST = 320, 2048
# How a frame is set upright, by the degrees that it is to be turned against the clock.
_TURNS = {90: ("transpose", "cclock"), 180: ("rotate", "PI"), 270: ("transpose", "clock")}


class Look(NamedTuple):
    """A frame as high as the small copy (yuv420p), and its luma as large as it is measured."""

    small: av.VideoFrame
    luma: Luma


@dataclass(frozen=True, slots=True)
class _Size:
    wide: int
    high: int

    def turned(self, degrees: int) -> _Size:
        return _Size(self.high, self.wide) if degrees % 180 else self

    def __str__(self) -> str:
        return f"{self.wide}:{self.high}"


class ScaledFrames:
    """Makes all frames of a clip as large as the first one is made, also where a clip changes its size. `squeeze` is
    how wide a pixel is, where its height is 1."""

    def __init__(self, squeeze: float) -> None:
        self._squeeze = squeeze
        self._small: _Size | None = None
        self._kind: tuple[object, ...] = ()

    def of(self, frame: av.VideoFrame) -> Look:
        kind = (frame.width, frame.height, frame.format.name)
        if kind != self._kind:
            turn = frame.rotation % 360 if frame.rotation % 360 in _TURNS else 0
            self._small = self._small or _small_size(frame, self._squeeze, turn)
            self._kind, self._scaler = kind, _Scaler(frame, self._small, turn)
        return self._scaler.of(frame)


def _small_size(frame: av.VideoFrame, squeeze: float, turn: int) -> _Size:
    """Even sides, neither higher than the frame nor wider than is bearable. Pixels that are not square are made so."""
    upright = _Size(frame.width, frame.height).turned(turn)
    ratio = upright.wide / upright.high * (1 / squeeze if turn % 180 else squeeze)
    high = min(HEIGHT, upright.high, _WIDEST / ratio)
    return _Size(max(round(high * ratio / 2) * 2, 2), max(int(high) // 2 * 2, 2))


class _Scaler:
    """Makes a frame small, and then its luma smaller: so the large frame is passed over once."""

    def __init__(self, frame: av.VideoFrame, small: _Size, turn: int) -> None:
        self._graph = av.filter.Graph()
        self._buffer = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        )  # fmt: skip
        matrix = ":out_color_matrix=bt709" if frame.format.is_rgb else ""
        scale = f"{small.turned(turn)}:flags=area:out_range=limited{matrix}"
        turning = (_TURNS[turn],) if turn else ()
        steps = (("scale", scale), ("format", "yuv420p"), *turning, ("split", "2"))
        split = self._after(self._buffer, *steps)
        self._small = self._after(split, ("buffersink", ""))
        grey = self._after(split, ("extractplanes", "y"), output=1)
        self._luma = self._after(grey, ("scale", f"{_luma_size(small)}:flags=area"), ("buffersink", ""))
        self._graph.configure()

    def _after(self, before: FilterContext, *steps: tuple[str, str], output: int = 0) -> FilterContext:
        for name, arguments in steps:
            made = self._graph.add(name, arguments)
            before.link_to(made, output)
            before, output = made, 0
        return before

    def of(self, frame: av.VideoFrame) -> Look:
        self._buffer.push(frame)
        small, luma = _pulled(self._small), _pulled(self._luma)
        return Look(small, plane(luma))


def _luma_size(small: _Size) -> _Size:
    scale = min(1.0, _SIDE / max(small.wide, small.high))
    return _Size(max(round(small.wide * scale), 1), max(round(small.high * scale), 1))


def _pulled(sink: FilterContext) -> av.VideoFrame:
    frame = sink.pull()
    assert isinstance(frame, av.VideoFrame), "it comes from a filter of pictures"
    return frame


def plane(frame: av.VideoFrame, number: int = 0) -> Luma:
    """A plane of a frame: the first is its luma."""
    found = frame.planes[number]
    rows = np.frombuffer(memoryview(found), np.uint8).reshape(found.height, found.line_size)
    return np.ascontiguousarray(rows[:, : found.width])
