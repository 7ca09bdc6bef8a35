"""All measures of a clip, taken frame by frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runner.model import Image, Measure, Measured
from runner.video.looking.clip_ends import ClipEnds
from runner.video.looking.likeness import likeness
from runner.video.looking.lumas import MOST_FRAMES, Luma, Lumas
from runner.video.looking.scaled_frames import Look
from runner.video.measures import MEASURES, VERSION, ViewOrder

if TYPE_CHECKING:
    from runner.video.looking.camera_path import CameraPath


class FrameMeasures:
    """Measures frames one by one, at so many a second."""

    def __init__(self, order: ViewOrder, fps: float) -> None:
        self._order = order
        self._fps = fps
        self._lumas = Lumas()
        self._camera = _camera(fps)
        self._ends = ClipEnds(fps)
        self._first: Luma | None = None
        self._last: Luma | None = None
        self._frames = 0

    def see(self, look: Look) -> None:
        if self._frames >= MOST_FRAMES:
            raise ValueError(f"it has more than {MOST_FRAMES:,} frames")
        self._frames += 1
        self._lumas.see(look.luma)
        self._ends.see(look.small)
        if self._camera is not None:
            self._camera.see(look.luma)
        self._first, self._last = look.luma if self._first is None else self._first, look.luma

    def measured(self, sound: bool | None) -> Measured:
        if self._first is None or self._last is None:
            raise ValueError("it has no frames")
        found, spans = self._lumas.values(self._fps)
        found |= self._ends.values()
        found |= self._camera.values() if self._camera is not None else {}
        found["first_frame"] = _likeness(self._first, self._order.first)
        found["last_frame"] = _likeness(self._last, self._order.last)
        found["sound"] = sound
        values = {name: _kept(found.get(name)) for name in MEASURES}
        has_flow = self._camera is not None
        return Measured(values, spans, self._lumas.signature(), version=VERSION, has_flow=has_flow)


def _camera(fps: float) -> CameraPath | None:
    """Follows the camera, where OpenCV is installed."""
    try:
        from runner.video.looking.camera_path import CameraPath
    except ImportError:
        return None
    return CameraPath(fps)


def _likeness(luma: Luma, picture: Image | None) -> float | None:
    return None if picture is None else likeness(luma, picture)


def _kept(value: Measure) -> Measure:
    """A measure as it is kept: what is no number is not known."""
    if value is None or isinstance(value, (bool, int)):
        return value
    return round(float(value), 4) if math.isfinite(value) else None
