"""The sprite of a clip: frames of it side by side in one picture, which a page shows one at a time."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import av
from av.video.reformatter import Interpolation
from PIL import Image as Pictures

CELLS, HEIGHT = 24, 120
# No side of a WebP is longer.
_LONGEST = 16_383
# How many frames there are is known at the end alone: a header may say anything. When so many are kept, every other one
# stays, and of the next ones fewer are kept.
_MOST_KEPT = 4 * CELLS
_QUALITY, _METHOD = 70, 1


@dataclass(slots=True)
class Sprite:
    """Keeps frames at even distances: the first, and each `every`-th after it."""

    _kept: list[av.VideoFrame] = field(default_factory=list)
    _every: int = 1
    _frames: int = 0

    def add(self, frame: av.VideoFrame) -> None:
        if self._frames % self._every == 0:
            self._kept.append(_reduced(frame))
            if len(self._kept) == _MOST_KEPT:
                self._kept, self._every = self._kept[::2], self._every * 2
        self._frames += 1

    def picture(self) -> bytes:
        """A WebP of equal cells in one row, each with the frame in the middle of its part of the clip."""
        wanted = [(cell + 0.5) * self._frames / CELLS - 0.5 for cell in range(CELLS)]
        frames = [self._kept[min(max(round(at / self._every), 0), len(self._kept) - 1)] for at in wanted]
        width, height = frames[0].width, frames[0].height
        strip = Pictures.new("RGB", (CELLS * width, height))
        for cell, frame in enumerate(frames):
            strip.paste(frame.to_image(), (cell * width, 0))  # type: ignore[no-untyped-call]
        buffer = io.BytesIO()
        strip.save(buffer, "WEBP", quality=_QUALITY, method=_METHOD)
        return buffer.getvalue()


def _reduced(frame: av.VideoFrame) -> av.VideoFrame:
    scale = min(HEIGHT / frame.height, _LONGEST / CELLS / frame.width)
    width, height = max(int(frame.width * scale + 0.5), 1), max(int(frame.height * scale + 0.5), 1)
    width = min(width, _LONGEST // CELLS)
    return frame.reformat(width=width, height=height, format="rgb24", interpolation=Interpolation.AREA)
