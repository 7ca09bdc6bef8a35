"""Measures of brightness: frozen and black frames, cuts, flashes and flicker. From blocks of each frame's luma."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from runner.model import Measure, Span

Luma: TypeAlias = npt.NDArray[np.uint8]
Series: TypeAlias = npt.NDArray[np.float32]
_Marks: TypeAlias = npt.NDArray[np.bool_]

# Blocks are this many pixels wide and high; a frame is 320 pixels wide (or high).
_BLOCK = 10
# A frame stands still if no block differs by more than this (of 255), on average, from the first one that stood still
# with it: the grain of a camera is more, what a codec leaves of a still picture is less, and a slow move adds up. It
# counts from so many seconds on.
_STILL, _STILL_SECONDS = 0.9, 0.4
# Black is darker than this nearly everywhere (as FFmpeg's blackdetect has it).
_BLACK, _BLACK_SHARE = 40, 0.98
# How alike two frames are is the correlation of their blocks. A cut falls below this, and so far below its neighbours.
_UNLIKE, _FALL, _AROUND = 0.55, 0.3, 4
# A flash is a pair of opposite changes of at least this much of the relative luminance, where the darker is below the
# second figure, over so much of the area (WCAG 2.2, general flash threshold).
_CHANGE, _DARKER, _AREA = 0.1, 0.8, 0.25
_SIGNATURE_FRAMES, _SIGNATURE_SIDE = 8, 8
# More frames are not measured: what is kept of each takes memory.
MOST_FRAMES = 20_000


@dataclass(slots=True)
class Lumas:
    """Keeps the blocks of each frame, how much of it is dark, and where it stands still: `starts` has for each frame
    the number of the first one that it equals."""

    blocks: list[Series] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    dark: list[float] = field(default_factory=list)
    _first: Luma | None = None

    def see(self, luma: Luma) -> None:
        self.blocks.append(_blocks(luma))
        self.dark.append(float(np.count_nonzero(luma < _BLACK)) / luma.size)
        if self._first is None or float(_blocks(_difference(luma, self._first)).max()) > _STILL:
            self._first = luma
            self.starts.append(len(self.starts))
        else:
            self.starts.append(self.starts[-1])

    def values(self, fps: float) -> tuple[dict[str, Measure], dict[str, tuple[Span, ...]]]:
        """The measures, and where the faults are."""
        blocks = np.stack(self.blocks)
        black = np.asarray(self.dark) >= _BLACK_SHARE
        frozen = _held(np.asarray(self.starts), max(2, round(_STILL_SECONDS * fps)))
        cuts = _cuts(blocks, black)
        flashes = _flashes(blocks)
        values: dict[str, Measure] = {
            "frozen": _share(frozen),
            "black": _share(black),
            "cuts": len(cuts),
            "flash": _worst_second(flashes, fps),
            "flicker": _flicker(blocks, [*cuts, *_edges(black)]),
        }
        spans = {
            "frozen": tuple(_spans(frozen, fps)),
            "black": tuple(_spans(black, fps)),
            "cuts": tuple(_span(at, at + 1, fps) for at in cuts),
            "flash": tuple(_span(start, end, fps) for start, end in _pairs(flashes)),
        }
        return values, {name: found for name, found in spans.items() if found}

    def signature(self) -> bytes:
        """A few frames in a few blocks: equal for clips that look the same."""
        places = np.linspace(0, len(self.blocks) - 1, _SIGNATURE_FRAMES).round().astype(int)
        return b"".join(_coarse(self.blocks[place]).tobytes() for place in places)


def _difference(left: Luma, right: Luma) -> Luma:
    """The absolute difference; unsigned bytes would wrap around."""
    return np.maximum(left, right) - np.minimum(left, right)


def _blocks(luma: Luma) -> Series:
    """The mean of each block. What is left over at the right and below is left out."""
    high, wide = (max(side // _BLOCK, 1) for side in luma.shape)
    tall, broad = (min(side, _BLOCK) for side in luma.shape)
    whole = luma[: high * tall, : wide * broad]
    rows = whole.reshape(high, tall, wide * broad).sum(axis=1, dtype=np.uint16)
    return np.asarray(rows.reshape(high, wide, broad).sum(axis=2, dtype=np.float32) / np.float32(tall * broad))


def _coarse(blocks: Series) -> Luma:
    rows, columns = (np.linspace(0, side, _SIGNATURE_SIDE, endpoint=False).astype(int) for side in blocks.shape)
    sums = np.add.reduceat(np.add.reduceat(blocks, rows, axis=0), columns, axis=1)
    counts = np.add.reduceat(np.add.reduceat(np.ones_like(blocks), rows, axis=0), columns, axis=1)
    return np.asarray((sums / counts).round(), dtype=np.uint8)


def _share(marks: _Marks) -> float:
    return float(marks.mean())


def _runs(marks: _Marks) -> Iterator[tuple[int, int]]:
    """From where to where the marks are true."""
    edges = _edges(np.concatenate(([False], marks, [False])))
    yield from ((start - 1, end - 1) for start, end in zip(edges[::2], edges[1::2], strict=True))


def _edges(marks: _Marks) -> list[int]:
    """The frames that differ from the one before."""
    return (np.flatnonzero(marks[1:] != marks[:-1]) + 1).tolist()


def _held(starts: npt.NDArray[np.int_], least: int) -> _Marks:
    """The frames of which at least so many are equal."""
    _, places, counts = np.unique(starts, return_inverse=True, return_counts=True)
    return np.asarray(counts[places] >= least)


def _span(start: int, end: int, fps: float) -> Span:
    return round(start / fps, 3), round(end / fps, 3)


def _spans(marks: _Marks, fps: float) -> Iterator[Span]:
    return (_span(start, end, fps) for start, end in _runs(marks))


def _cuts(blocks: Series, black: _Marks) -> list[int]:
    """The frames that begin another shot. To black, and back from it, is none."""
    if len(blocks) < 3:
        return []
    flat = blocks.reshape(len(blocks), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6
    alike = np.concatenate(([1.0], np.einsum("ij,ij->i", flat[1:], flat[:-1])))
    found: list[int] = []
    for at in np.flatnonzero(alike < _UNLIKE).tolist():
        around = np.delete(alike[max(at - _AROUND, 1) : at + _AROUND + 1], min(at - 1, _AROUND))
        # After a flash the picture is the one before it again.
        after, before = flat[min(at + 2, len(flat) - 1)], flat[max(at - 1, 0)]
        is_back = float(after @ before) > _UNLIKE
        is_fall = around.size > 0 and alike[at] < float(np.median(around)) - _FALL
        if is_fall and not is_back and not black[at] and not black[at - 1]:
            found.append(at)
    return found


def _flashes(blocks: Series) -> list[tuple[int, int]]:
    """The large changes of brightness: the frame, and 1 for brighter or -1 for darker, each opposite to the last."""
    light = (np.clip(blocks - 16, 0, 219) / 219) ** 2.2
    extreme, last, found = light[0].copy(), 0, []
    for at, now in enumerate(light[1:], 1):
        change = now - extreme
        large = (np.abs(change) >= _CHANGE) & (np.minimum(now, extreme) < _DARKER)
        net = float(np.where(large, np.sign(change), 0).mean())
        way = int(np.sign(net)) if abs(net) >= _AREA else 0
        if way and way != last:
            found.append((at, way))
            last = way
        # Of what goes on in one direction, the end counts.
        moved = large | ((change * last) > 0)
        extreme = np.where(moved, now, extreme)
    return found


def _pairs(changes: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Each flash: where it begins and ends."""
    for (start, _), (end, _) in zip(changes[::2], changes[1::2], strict=False):
        yield start, end


def _worst_second(changes: list[tuple[int, int]], fps: float) -> int:
    frames = [at for at, _ in changes]
    return max((sum(start <= at < start + fps for at in frames) // 2 for start in frames), default=0)


def _flicker(blocks: Series, breaks: list[int]) -> float:
    """Motion changes the mean brightness little by little, and in some places up and in others down: so the median
    change of the blocks counts, less what goes on over some frames. `breaks` are frames of another picture."""
    if len(blocks) < 4:
        return 0.0
    flat = blocks.reshape(len(blocks), -1)
    steps = np.median(np.diff(flat, axis=0), axis=1)
    steps[[at - 1 for at in breaks]] = 0.0
    # Two steps to and fro are none, so that the median does not follow what changes from frame to frame.
    padded = np.pad(steps, 1, mode="edge")
    paired = np.pad((padded[:-2] + 2 * steps + padded[2:]) / 4, 2, mode="edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(paired, 5), axis=1)
    return round(float(np.abs(steps - smooth).mean()), 4)
