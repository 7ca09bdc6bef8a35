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
# Where it is not known how many frames there are, so many are kept, and then every other one.
_MOST_KEPT = 4 * CELLS
_QUALITY, _METHOD = 70, 1


@dataclass(slots=True)
class Sprite:
    """Keeps frames at even distances. `expected` is how many there are by the header, 0 if that is not known."""

    expected: int
    _kept: list[tuple[int, av.VideoFrame]] = field(default_factory=list)
    _every: float = 0.0
    _frames: int = 0

    def add(self, frame: av.VideoFrame) -> None:
        self._every = self._every or max(1.0, self.expected / CELLS)
        if self._frames >= int((len(self._kept) + 0.5) * self._every):
            self._kept.append((self._frames, _reduced(frame)))
            if len(self._kept) >= _MOST_KEPT:
                self._kept, self._every = self._kept[::2], self._every * 2
        self._frames += 1

    def picture(self) -> bytes:
        """A WebP of equal cells in one row, each with the frame in the middle of its part of the clip."""
        wanted = [(cell + 0.5) * self._frames / CELLS - 0.5 for cell in range(CELLS)]
        frames = [min(self._kept, key=lambda kept: abs(kept[0] - place))[1] for place in wanted]
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
