"""Looking at a clip while it is verified, against a small copy by FFmpeg: `python -m tests.bench.looking CLIP N`."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageFilter

from runner.video.decoding import inspect_video
from runner.video.looking.viewing import Viewing
from runner.video.measures import ViewOrder
from tests.bench.measure import Bench, Row, Runs
from tests.bench.processes import BrokenError, cost_of, script

_SIZE = (1280, 720)
_SECONDS = 5
# Our part may be so many times the CPU of `_alone`.
_PREVIEWS, _ALL = 1.3, 2.0


def looking(bench: Bench) -> list[Row]:
    """CPU of what is done with a clip of 5 s at 720p after its download, in one process that was warmed up."""
    if shutil.which("ffmpeg") is None:
        raise BrokenError("ffmpeg is not installed: there is nothing to compare with")
    folder, turns = bench.fresh("looking"), 1 if bench.quick else max(bench.runs, 5)
    rows: list[Row] = []
    for name, rate, step in (("a still", 24, 0), ("a pan over noise", 24, 4), ("60 fps", 60, 2)):
        clip = _written(folder / f"{name}.mp4", _panned(step, rate * _SECONDS), rate)
        runs = Runs()
        for previews, all_of_it, alone in json.loads(cost_of(script("looking", clip, turns), bench.cores).out):
            runs.add(previews=previews / alone, all=all_of_it / alone, alone=alone)
        beside = f"ffmpeg alone: {runs.median('alone'):.2f} s"
        rows.append(Row(f"verify and preview {name}: CPU", runs.of("previews"), _PREVIEWS, "x", beside))
        rows.append(Row(f"verify, preview and measure {name}: CPU", runs.of("all"), _ALL, "x", beside))
    return rows


def _panned(step: int, count: int) -> Iterator[np.ndarray]:
    """A window that goes over noise by so many pixels a frame."""
    wide, high = _SIZE
    drawn = np.random.default_rng(1).integers(0, 256, (high, wide + step * count, 3), dtype=np.uint8)
    noise = np.asarray(Image.fromarray(drawn).filter(ImageFilter.GaussianBlur(2)), dtype=np.float32)
    spread = np.clip((noise - noise.mean()) * (50 / noise.std()) + 128, 0, 255).astype(np.uint8)
    return (spread[:, step * number : step * number + wide] for number in range(count))


def _written(path: Path, frames: Iterable[np.ndarray], rate: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "fast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _ours(clip: Path, *, measures: bool) -> float:
    """The CPU of all threads."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        with Viewing(ViewOrder("0" * 64, Path(folder), measures=measures)) as viewing:
            inspect_video(clip, float(_SECONDS), decode=True, wants_frame=True, viewer=viewing)
            note = viewing.finish().note
        used = time.process_time() - started
    if note:
        raise ValueError(note)
    return used


def _alone(clip: Path) -> float:
    small = ["-vf", "scale=640:360", "-c:v", "libx264", "-preset", "veryfast", "-g", "12"]
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", clip, *small, Path(folder) / "small.mp4"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    asked = Path(sys.argv[1])
    _ours(asked, measures=True)
    turns = range(int(sys.argv[2]))
    print(json.dumps([(_ours(asked, measures=False), _ours(asked, measures=True), _alone(asked)) for _ in turns]))
