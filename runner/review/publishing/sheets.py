"""All clips at a glance: a grid that plays them side by side, and a contact sheet of one frame each, with labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
from PIL import Image, ImageDraw

from runner.review.publishing.lettering import fitting, letters
from runner.review.publishing.shown_clip import Shown

# In pixels: the widest a place is, the widest a grid is, the height of the letters.
_WIDEST, _GRID, _LETTERS = 384, 1920, 15
_GAP = 8
_PAPER, _INK, _SOFT, _FILM = (245, 243, 238), (28, 26, 23), (98, 93, 85), (18, 17, 16)
_FPS = 24
MOST = 100

_Pixels: TypeAlias = np.ndarray[Any, Any]
# Each with the time at which it is shown.
_Frames: TypeAlias = Iterator[tuple[float, _Pixels]]


class SheetError(Exception):
    """A clip cannot be shown on a sheet."""


class _Layout:
    """Where the clips are. The places have the shape of the first clip; other shapes stand in the middle of theirs."""

    def __init__(self, clips: Sequence[Shown]) -> None:
        self.columns = math.ceil(math.sqrt(len(clips)))
        self.rows = math.ceil(len(clips) / self.columns)
        self.width = _even(min(_WIDEST, _GRID // self.columns - _GAP))
        self.height = _even(self.width * clips[0].height / max(1, clips[0].width))
        self.under = _LETTERS * 3
        wide, high = self.width + _GAP, self.height + self.under + _GAP
        self.size = _even(self.columns * wide + _GAP), _even(self.rows * high + _GAP)

    def corner(self, number: int) -> tuple[int, int]:
        row, column = divmod(number, self.columns)
        return _GAP + column * (self.width + _GAP), _GAP + row * (self.height + self.under + _GAP)

    def fit(self, clip: Shown) -> tuple[int, int]:
        scale = min(self.width / max(1, clip.width), self.height / max(1, clip.height))
        return max(2, _even(clip.width * scale)), max(2, _even(clip.height * scale))

    def put(self, page: _Pixels, number: int, picture: _Pixels) -> None:
        x, y = self.corner(number)
        height, width = picture.shape[:2]
        left, top = x + (self.width - width) // 2, y + (self.height - height) // 2
        page[top : top + height, left : left + width] = picture


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def contact_sheet(clips: Sequence[Shown], target: Path) -> None:
    """Write a PNG with the frame in the middle of each clip. Raises SheetError and OSError."""
    layout = _Layout(clips)
    page = _page(clips, layout)
    for number, clip in enumerate(clips):
        with _reading(clip):
            layout.put(page, number, _Running(_frames(clip, layout.fit(clip))).at(clip.seconds / 2))
    Image.fromarray(page).save(target, "PNG")


def grid(clips: Sequence[Shown], target: Path) -> None:
    """Write an MP4 that plays all clips at once; shorter ones stay on their last frame.

    Raises SheetError and OSError.
    """
    layout = _Layout(clips)
    page = _page(clips, layout)
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as made:
        stream: Any = made.add_stream("libx264", rate=_FPS, options={"crf": "23", "preset": "fast"})
        (stream.width, stream.height), stream.pix_fmt = layout.size, "yuv420p"
        running = [_running(clip, layout) for clip in clips]
        for index in range(math.ceil(max(clip.seconds for clip in clips) * _FPS)):
            for number, clip in enumerate(clips):
                with _reading(clip):
                    layout.put(page, number, running[number].at(index / _FPS))
            frame = av.VideoFrame.from_ndarray(page, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, _FPS)
            made.mux(stream.encode(frame))
        made.mux(stream.encode())


def _running(clip: Shown, layout: _Layout) -> _Running:
    with _reading(clip):
        return _Running(_frames(clip, layout.fit(clip)))


def _page(clips: Sequence[Shown], layout: _Layout) -> _Pixels:
    """The sheet with labels and dark places, still without pictures."""
    sheet = Image.new("RGB", layout.size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = letters(_LETTERS)
    for number, clip in enumerate(clips):
        x, y = layout.corner(number)
        draw.rectangle((x, y, x + layout.width - 1, y + layout.height - 1), fill=_FILM)
        for line, (text, colour) in enumerate(((clip.title, _INK), (clip.below, _SOFT))):
            place = (x, y + layout.height + 2 + line * round(_LETTERS * 1.3))
            draw.text(place, fitting(text, _LETTERS, layout.width), colour, font)
    return np.array(sheet)


class _Running:
    """A clip that plays: the frame at a time that only grows."""

    def __init__(self, frames: _Frames) -> None:
        self._frames = frames
        self._shown: _Pixels = np.zeros((2, 2, 3), np.uint8)
        self._next = next(frames, None)

    def at(self, time: float) -> _Pixels:
        while self._next is not None and self._next[0] <= time + 1e-6:
            self._shown, self._next = self._next[1], next(self._frames, None)
        return self._shown


def _frames(clip: Shown, size: tuple[int, int]) -> _Frames:
    with av.open(str(clip.file)) as container:
        for frame in container.decode(video=0):
            yield frame.time or 0.0, frame.to_ndarray(format="rgb24", width=size[0], height=size[1])


@contextmanager
def _reading(clip: Shown) -> Iterator[None]:
    """Turns what FFmpeg raises into a SheetError that names the clip."""
    try:
        yield
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise SheetError(f"{clip.title} cannot be shown: {error}") from None
