"""How like a frame is to a picture: SSIM of luma."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageOps

from runner.model import Image, Origin
from runner.video.file_types import opened
from runner.video.stills import quiet

if TYPE_CHECKING:
    from runner.video.looking.lumas import Luma

_Plane = npt.NDArray[np.float64]

# The side of the window, and the constants that keep flat parts from dividing by nothing (Wang et al. 2004).
_WINDOW = 7
_FLAT, _PLAIN = (0.01 * 255) ** 2, (0.03 * 255) ** 2
# A service crops a picture to the frame, or stretches it, or pads it; and it may crop a little more.
_CLOSER = (1.0, 1.03, 1.06)
_MOST_PIXELS = 100_000_000


def likeness(luma: Luma, picture: Image) -> float | None:
    """The SSIM of a frame and a picture that was cropped, padded or stretched to it; None if it cannot be read."""
    size = luma.shape[1], luma.shape[0]
    grey = _read(picture, size)
    if grey is None:
        return None
    frame = luma.astype(np.float64)
    return round(max(0.0, *(ssim(frame, np.asarray(each, np.float64)) for each in _fitted(grey, size))), 4)


def _read(picture: Image, size: tuple[int, int]) -> Pictures.Image | None:
    """The luma of a picture, not much larger than it is needed."""
    if picture.origin is Origin.URL:
        return None
    try:
        with opened(picture) as file, quiet(), Pictures.open(file) as found:
            if found.width * found.height > _MOST_PIXELS:
                return None
            found.draft("L", (2 * size[0], 2 * size[1]))
            return ImageOps.exif_transpose(found).convert("L")
    except (OSError, ValueError, SyntaxError, Pictures.DecompressionBombError):
        return None


def _fitted(grey: Pictures.Image, size: tuple[int, int]) -> list[Pictures.Image]:
    area = Pictures.Resampling.BOX
    closer = [ImageOps.fit(grey, size, area, bleed=(1 - 1 / each) / 2) for each in _CLOSER]
    return [*closer, grey.resize(size, area), ImageOps.pad(grey, size, area)]


def ssim(one: _Plane, other: _Plane) -> float:
    """The mean structural similarity of two planes of one size."""
    window = min(_WINDOW, *one.shape)
    mean_one, mean_other = _mean(one, window), _mean(other, window)
    spread_one = _mean(one * one, window) - mean_one**2
    spread_other = _mean(other * other, window) - mean_other**2
    shared = _mean(one * other, window) - mean_one * mean_other
    above = (2 * mean_one * mean_other + _FLAT) * (2 * shared + _PLAIN)
    below = (mean_one**2 + mean_other**2 + _FLAT) * (spread_one + spread_other + _PLAIN)
    return float((above / below).mean())


def _mean(plane: _Plane, window: int) -> _Plane:
    """The mean of each window of the plane, from running sums."""
    sums = np.pad(plane.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inner = sums[window:, window:] - sums[:-window, window:] - sums[window:, :-window] + sums[:-window, :-window]
    return np.asarray(inner / window**2)
