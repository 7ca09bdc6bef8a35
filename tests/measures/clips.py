"""Clips of four kinds, clean or with one fault: a still scene, a pan, a handheld camera, and noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Picture: TypeAlias = npt.NDArray[np.uint8]
Fault: TypeAlias = Callable[[Sequence[Picture]], Sequence[Picture]]
FPS, SECONDS = 24, 5
SIZE = (640, 360)


@cache
def scene(seed: int, size: tuple[int, int] = (1280, 720)) -> Image.Image:
    """A picture with soft and hard shapes, large and small, in colours of its own."""
    drawn = np.random.default_rng(seed)
    wide, high = size
    picture = np.zeros((high, wide, 3))
    for cells, strength in ((6, 55), (24, 28), (96, 14), (320, 6)):
        grey = drawn.normal(0, 1, (cells * high // wide, cells, 1))
        layer = np.clip(128 + 40 * (0.4 * drawn.normal(0, 1, (*grey.shape[:2], 3)) + 0.8 * grey), 0, 255)
        large = Image.fromarray(layer.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
        picture += (np.asarray(large, dtype=float) - 128) * strength / 40
    made = Image.fromarray(np.clip(picture + drawn.uniform(90, 150, 3), 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(made)
    for _ in range(90):
        x, y, w, h = (int(each) for each in drawn.uniform((0, 0, 6, 6), (wide, high, 90, 90)))
        shade = tuple(int(each) for each in drawn.uniform(40, 210, 3))
        (pen.rectangle if drawn.random() < 0.5 else pen.ellipse)((x, y, x + w, y + h), fill=shade)
    return made


def seen(picture: Image.Image, x: float, y: float, zoom: float, size: tuple[int, int], base: float = 0.7) -> Picture:
    """What a camera sees that looks at (x, y), in shares of the picture, at a zoom; at 1 it sees `base` of it."""
    wide, high = picture.size
    half_x, half_y = base * wide / zoom / 2, base * high / zoom / 2
    box = (x * wide - half_x, y * high - half_y, x * wide + half_x, y * high + half_y)
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box))


def grain(frames: Iterable[Picture], strength: float, seed: int = 7) -> Iterator[Picture]:
    drawn = np.random.default_rng(seed)
    for frame in frames:
        noise = drawn.normal(0, strength, (*frame.shape[:2], 1))
        yield np.clip(frame + noise, 0, 255).astype(np.uint8)


def _walker(frames: Sequence[Picture]) -> list[Picture]:
    """Something small walks through the picture."""
    found = []
    for number, frame in enumerate(frames):
        frame = frame.copy()
        high, wide = frame.shape[:2]
        x = int(wide * (0.2 + 0.5 * number / len(frames)))
        y = int(high * 0.55)
        frame[y : y + high // 8, x : x + wide // 14] = frame[y : y + high // 8, x : x + wide // 14] // 3 + 120
        found.append(frame)
    return found


def still(seed: int, size: tuple[int, int] = SIZE, frames: int = FPS * SECONDS) -> list[Picture]:
    one = seen(scene(seed), 0.5, 0.5, 1.0, size)
    return list(grain(_walker([one] * frames), 2.0, seed))


def pan(seed: int, size: tuple[int, int] = SIZE, frames: int = FPS * SECONDS, way: float = 0.3) -> list[Picture]:
    picture = scene(seed)
    places = [0.5 + 0.7 * way * (number / (frames - 1) - 0.5) for number in range(frames)]
    return list(grain((seen(picture, x, 0.5, 1.0, size) for x in places), 1.5, seed))


def moved(
    seed: int,
    *,
    zoom: float = 1.0,
    across: float = 0.0,
    up: float = 0.0,
    size: tuple[int, int] = SIZE,
    frames: int = FPS * SECONDS,
) -> list[Picture]:
    """A camera that zooms by a factor and goes by these shares of what it sees at first, without haste at both ends."""
    picture = scene(seed)
    found = []
    for number in range(frames):
        part = number / (frames - 1)
        eased = part * part * (3 - 2 * part)
        x, y = 0.5 + 0.5 * across * (eased - 0.5), 0.5 - 0.5 * up * (eased - 0.5)
        found.append(seen(picture, x, y, zoom**eased, size, base=0.5))
    return list(grain(found, 1.5, seed))


def handheld(seed: int, size: tuple[int, int] = SIZE, frames: int = FPS * SECONDS) -> list[Picture]:
    picture = scene(seed)
    found = []
    for number in range(frames):
        t = number / FPS
        x = 0.5 + 0.012 * math.sin(2 * math.pi * 0.4 * t + seed) + 0.004 * math.sin(2 * math.pi * 1.7 * t)
        y = 0.5 + 0.016 * math.sin(2 * math.pi * 0.3 * t + 1) + 0.005 * math.sin(2 * math.pi * 2.1 * t)
        found.append(seen(picture, x, y, 1.0 + 0.01 * math.sin(t), size))
    return list(grain(found, 1.5, seed))


def noise(seed: int, size: tuple[int, int] = SIZE, frames: int = FPS * SECONDS) -> list[Picture]:
    one = seen(scene(seed), 0.5, 0.5, 1.0, size)
    return list(grain([one] * frames, 14.0, seed))


KINDS: dict[str, Callable[..., list[Picture]]] = {"still": still, "pan": pan, "handheld": handheld, "noise": noise}


@lru_cache(maxsize=1)
def clean(kind: str, seed: int, size: tuple[int, int], frames: int) -> Sequence[Picture]:
    """A clip of a kind. The last one is kept: it gets one fault after the other."""
    return tuple(KINDS[kind](seed, size, frames))


def _freeze(frames: Sequence[Picture]) -> Sequence[Picture]:
    start = len(frames) // 2
    return [*frames[:start], *[frames[start]] * (len(frames) - start)]


def _black(frames: Sequence[Picture]) -> Sequence[Picture]:
    start, length = len(frames) // 3, len(frames) // 8
    return [frame if not start <= n < start + length else np.zeros_like(frame) + 3 for n, frame in enumerate(frames)]


def _cut(frames: Sequence[Picture]) -> Sequence[Picture]:
    high, wide = frames[0].shape[:2]
    other = list(grain([seen(scene(991), 0.5, 0.5, 1.0, (wide, high))] * len(frames), 2.0))
    middle = len(frames) // 2
    return [*frames[:middle], *other[middle:]]


def _flash(frames: Sequence[Picture]) -> Sequence[Picture]:
    return [
        np.clip(frame.astype(int) + (110 if n % 8 < 3 else 0), 0, 255).astype(np.uint8)
        if len(frames) // 3 <= n < len(frames) // 3 + 24
        else frame
        for n, frame in enumerate(frames)
    ]


def _flicker(frames: Sequence[Picture]) -> Sequence[Picture]:
    """Brighter and darker by 3 % from frame to frame, at random."""
    drawn = np.random.default_rng(3)
    return [np.clip(f * (1 + 0.03 * drawn.choice([-1, 1])), 0, 255).astype(np.uint8) for f in frames]


def _blur(frames: Sequence[Picture]) -> Sequence[Picture]:
    high = frames[0].shape[0]
    found = []
    for number, frame in enumerate(frames):
        radius = 6.0 * high / 720 * number / len(frames)
        found.append(np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(radius))))
    return found


def _drift(frames: Sequence[Picture]) -> Sequence[Picture]:
    cast = np.array([30.0, 4.0, -26.0])
    return [np.clip(f + cast * n / len(frames), 0, 255).astype(np.uint8) for n, f in enumerate(frames)]


def _wobble(frames: Sequence[Picture]) -> Sequence[Picture]:
    """Rows and columns shift to and fro like jelly."""
    found = []
    for number, frame in enumerate(frames):
        high, wide = frame.shape[:2]
        t = number / FPS
        rows = np.arange(high)[:, None]
        columns = np.arange(wide)[None, :]
        x = columns + 0.012 * wide * np.sin(2 * np.pi * (1.6 * t + 3 * rows / high))
        y = rows + 0.012 * wide * np.sin(2 * np.pi * (1.3 * t + 3 * columns / wide))
        found.append(_sampled(frame, x, y))
    return found


def _sampled(frame: Picture, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Picture:
    """The frame at other places, between its pixels."""
    high, wide = frame.shape[:2]
    x, y = (
        np.clip(np.broadcast_to(x, (high, wide)), 0, wide - 1.001),
        np.clip(np.broadcast_to(y, (high, wide)), 0, high - 1.001),
    )
    left, top = x.astype(int), y.astype(int)
    u, v = (x - left)[..., None], (y - top)[..., None]
    f = frame.astype(np.float32)
    upper = f[top, left] * (1 - u) + f[top, left + 1] * u
    lower = f[top + 1, left] * (1 - u) + f[top + 1, left + 1] * u
    return np.asarray(upper * (1 - v) + lower * v, dtype=np.uint8)


# Each fault by the measure that finds it. A wrong first frame is a clip held against another picture.
FAULTS: dict[str, Fault] = {
    "frozen": _freeze,
    "black": _black,
    "cuts": _cut,
    "flash": _flash,
    "flicker": _flicker,
    "sharpness": _blur,
    "drift": _drift,
    "wobble": _wobble,
}


def write(path: Path, frames: Iterable[Picture], fps: int = FPS, codec: str = "libx264", sound: bool = False) -> Path:
    """A clip as a service makes it: H.264 of good quality."""
    with av.open(str(path), "w") as container:
        stream = None
        for number, pixels in enumerate(frames):
            if stream is None:
                stream = container.add_stream(codec, rate=fps, options={"preset": "veryfast", "crf": "20"})
                stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], "yuv420p"
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode())
    return path
