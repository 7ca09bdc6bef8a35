"""What is compared between the start and the end of a clip: sharpness and colour."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import av
import numpy as np

from runner.model import Measure
from runner.video.looking.colours import Lab, difference, lab_of
from runner.video.looking.lumas import Luma
from runner.video.looking.scaled_frames import plane

# Start and end are so many frames of so many seconds.
_SECONDS, _FRAMES = 0.2, 4


class ClipEnds:
    """Keeps a few of the first frames, and of the last."""

    def __init__(self, fps: float) -> None:
        self._every = max(1, round(_SECONDS * fps / _FRAMES))
        self._start: list[av.VideoFrame] = []
        self._end: deque[av.VideoFrame] = deque(maxlen=_FRAMES)
        self._passed = 0

    def see(self, small: av.VideoFrame) -> None:
        if self._passed % self._every == 0:
            self._start += [small] * (len(self._start) < _FRAMES)
            self._end.append(small)
        self._passed += 1

    def values(self) -> dict[str, Measure]:
        return {
            "sharpness": _ratio(self._start, self._end),
            "drift": difference(_colour(self._start), _colour(self._end)),
        }


def _ratio(start: Iterable[av.VideoFrame], end: Iterable[av.VideoFrame]) -> float | None:
    """How sharp the end is, where the start is 1; None where there is nothing to be sharp."""
    before, after = (float(np.mean([_sharpness(plane(each)) for each in frames])) for frames in (start, end))
    return after / before if before and after else None


def _sharpness(luma: Luma) -> float:
    """The mean change of slope from pixel to pixel, in shares of the contrast."""
    values = luma.astype(np.float32)
    middle = values[1:-1, 1:-1]
    if not middle.size:
        return 0.0
    bend = 4 * middle - values[:-2, 1:-1] - values[2:, 1:-1] - values[1:-1, :-2] - values[1:-1, 2:]
    contrast = float(values.std())
    return float(np.abs(bend).mean()) / contrast if contrast >= 1.0 else 0.0


def _colour(frames: Iterable[av.VideoFrame]) -> Lab:
    """The mean colour, from the means of the three planes (BT.709, limited range)."""
    kept = list(frames)
    y, u, v = (float(np.mean([plane(each, number).mean() for each in kept])) for number in range(3))
    light, blue, red = (y - 16) * 255 / 219, (u - 128) * 255 / 224, (v - 128) * 255 / 224
    mixed = light + 1.5748 * red, light - 0.1873 * blue - 0.4681 * red, light + 1.8556 * blue
    return lab_of(*(min(max(each, 0.0), 255.0) for each in mixed))
