"""The camera of a clip: its zoom, pan, tilt and roll, and what of the flow they do not explain. By OpenCV."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from runner.model import Measure

if TYPE_CHECKING:
    from runner.video.looking.lumas import Luma

_Points = npt.NDArray[np.float32]

# So many pairs of frames a second are compared.
STEPS_A_SECOND = 8.0
_MOST_POINTS, _LEAST_POINTS = 180, 12
_QUALITY, _DISTANCE = 0.01, 8.0
_WINDOW, _LEVELS = (11, 11), 3
_ENOUGH = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 10, 0.03)
# Pixels: how far from where it began a point may come out that is followed there and back, and how far a point of the
# picture may be from where the camera takes it. Where fewer than this share follow one camera, all of them count.
_ASTRAY, _OFF, _AGREED = 0.5, 1.0, 0.5
# No step of a camera makes the picture as small as this.
_SMALLEST = 0.2


@dataclass(slots=True)
class CameraPath:
    """Follows points from frame to frame, and fits a similarity (shift, scale and turn) to each step."""

    fps: float
    scale: float = 0.0
    turn: float = 0.0
    across: float = 0.0
    down: float = 0.0
    lengths: list[float] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)
    seconds: float = 0.0
    _last: Luma | None = None
    _number: int = 0
    _passed: int = 0

    def see(self, luma: Luma) -> None:
        self._passed += 1
        if self._last is not None and self._passed < max(1, round(self.fps / STEPS_A_SECOND)):
            return
        if self._last is not None:
            self._step(self._last, luma, self._passed / self.fps)
        self._last, self._passed = luma, 0

    def _step(self, before: Luma, after: Luma, seconds: float) -> None:
        starts, ends = _followed(before, after)
        high, wide = before.shape
        fit = None if len(starts) < _LEAST_POINTS else _fit(starts, ends)
        if fit is None:
            return
        flow = ends - starts
        explained = starts @ fit[:, :2].T + fit[:, 2] - starts
        self.lengths.append(float(np.linalg.norm(flow, axis=1).mean()) / wide / seconds)
        self.rests.append(float(np.linalg.norm(flow - explained, axis=1).mean()) / wide / seconds)
        middle = np.array([wide / 2, high / 2])
        way = fit[:, :2] @ middle + fit[:, 2] - middle
        self.scale += math.log(math.hypot(fit[0, 0], fit[1, 0]))
        self.turn += math.degrees(math.atan2(fit[1, 0], fit[0, 0]))
        # The camera goes against what is seen.
        self.across -= way[0] / wide
        self.down -= way[1] / high
        self.seconds += seconds

    def values(self) -> dict[str, Measure]:
        """The measures of the camera; none where no step could be fitted."""
        if not self.lengths:
            return {}
        return {
            "motion": float(np.mean(self.lengths)),
            "zoom": math.exp(self.scale),
            "pan": self.across,
            "tilt": -self.down,
            "roll": -self.turn,
            "wobble": float(np.mean(self.rests)),
        }


def _followed(before: Luma, after: Luma) -> tuple[_Points, _Points]:
    """Where points of a frame are in the next. What does not come back from there to where it was is left out."""
    # Without any corner it gives None, which its types do not say.
    found: object = cv2.goodFeaturesToTrack(before, _MOST_POINTS, _QUALITY, _DISTANCE)
    starts = np.asarray([] if found is None else found, np.float32).reshape(-1, 2)
    if not starts.size:
        return starts, starts
    ends, are_there = _tracked(before, after, starts)
    back, are_back = _tracked(after, before, ends)
    good = are_there & are_back & (np.linalg.norm(back - starts, axis=1) < _ASTRAY)
    return starts[good], ends[good]


def _tracked(before: Luma, after: Luma, starts: _Points) -> tuple[_Points, npt.NDArray[np.bool_]]:
    """Where points went, and whether they were found."""
    ends, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, starts, np.empty_like(starts), winSize=_WINDOW, maxLevel=_LEVELS, criteria=_ENOUGH
    )
    return np.asarray(ends, np.float32), np.asarray(found).ravel() == 1


def _fit(starts: _Points, ends: _Points) -> npt.NDArray[np.float64] | None:
    """The similarity, as a matrix of two rows, that takes most of the points from where they were to where they are."""
    fit, kept = cv2.estimateAffinePartial2D(starts, ends, method=cv2.RANSAC, ransacReprojThreshold=_OFF)
    if fit is None or not np.isfinite(fit).all() or kept.mean() < _AGREED:
        return _least_squares(starts, ends)
    return np.asarray(fit)


def _least_squares(starts: _Points, ends: _Points) -> npt.NDArray[np.float64] | None:
    """The similarity that fits all points best. As complex numbers, it is a factor and a sum."""
    one, other = (points[:, 0].astype(float) + 1j * points[:, 1] for points in (starts, ends))
    centred = one - one.mean()
    size = float((abs(centred) ** 2).sum())
    if not size:
        return None
    factor = complex((centred.conj() * (other - other.mean())).sum() / size)
    moved = complex(other.mean() - factor * one.mean())
    if abs(factor) < _SMALLEST:
        return None
    return np.array([[factor.real, -factor.imag, moved.real], [factor.imag, factor.real, moved.imag]])
