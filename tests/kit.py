"""What several tests need: small real pictures and videos, manifests on disk, and records."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import av
import numpy as np
import yaml
from PIL import Image

from runner.api import service
from runner.model import Attempt, Job, fingerprint, job_id
from runner.sandbox import studio
from runner.sandbox.film import clip
from runner.state.disk import create_folders
from runner.state.store import Store

MODEL = "Kling-Image2Video-V1.6-Standard"
STATES = Path(__file__).parent / "examples" / "states"
# What decides how many frames a clip of the sandbox has, as it ships: frames a second, and samples and waves a frame.
WHOLE_FILMS: dict[tuple[ModuleType, str], int] = {
    (owner, name): getattr(owner, name)
    for owner, name in (
        (studio, "RATE"),
        *((clip, name) for name in ("RATE", "_THUMBNAIL_FRAME", "_SAMPLES", "_WAVES")),
    )
}
# Long tables are tried in part, unless REELRUN_ALL is set.
EVERYTHING = "REELRUN_ALL" in os.environ
Case = TypeVar("Case")


def sampled(cases: Sequence[Case], step: int, start: int = 0) -> Sequence[Case]:
    """Every so many of the cases; all of them with REELRUN_ALL."""
    return cases if EVERYTHING else cases[start::step]


def by_turns(names: Iterable[str]) -> list[tuple[str, bool]]:
    """Each name with one of True and False, by turns; with both for REELRUN_ALL."""
    both = [(name, flag) for name in names for flag in (True, False)]
    return both if EVERYTHING else both[1::4] + both[2::4]


def cheapen_digests() -> None:
    """Digests of keys take next to no time in this process: hundreds of runs make one of a key that is no secret.

    Each process that goes on with a state must be told.
    """
    service.GUESS = 2


def shorten_films() -> None:
    """Clips of the sandbox have a quarter of the frames in this process: to make and to verify them is what takes time.

    Tests of such clips themselves take the fixture `whole_films`.
    """
    for owner, name in WHOLE_FILMS:
        value = WHOLE_FILMS[owner, name]
        setattr(owner, name, 4 * value if name in ("_SAMPLES", "_WAVES") else value // 4)


@cache
def video_bytes(seconds: float = 5.0, seed: int = 1, fps: int = 8) -> bytes:
    """A small H.264 clip."""
    buffer = io.BytesIO()
    shades = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for index in range(round(seconds * fps)):
            pixels = np.kron(np.roll(shades, index, axis=1), np.ones((9, 16, 1), dtype=np.uint8))
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def few_frames(seconds: float = 5.0) -> bytes:
    """A clip that is verified and measured in no time, for tests of something else."""
    return video_bytes(seconds, fps=2)


@cache
def sound_bytes(seconds: float = 4.0, kind: str = "mp3", rate: int = 16_000) -> bytes:
    """A quiet tone, as a file of this kind: mp3 or wav."""
    buffer = io.BytesIO()
    tone = (np.sin(np.arange(int(seconds * rate)) * 220 * 2 * np.pi / rate) * 8000).astype("int16")
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream("libmp3lame" if kind == "mp3" else "pcm_s16le", rate=rate)
        stream.layout = "mono"
        whole = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        whole.rate = rate
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=size)
        for frame in resampler.resample(whole):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


@cache
def picture_bytes(seed: int = 1, width: int = 320, height: int = 320, kind: str = "JPEG") -> bytes:
    """A small picture that meets the API's rules, different for each seed."""
    shades = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(shades).resize((width, height), Image.Resampling.BICUBIC).save(buffer, kind)
    return buffer.getvalue()


def write_manifest(
    folder: Path, *, pictures: int = 1, side: int = 320, name: str = "campaign.yaml", **keys: object
) -> Path:
    """A manifest with so many square pictures; `keys` replace or add top-level keys. Tips are not told.

    Unless it says otherwise, there are no previews, which take longer to make than such a clip to verify.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(pictures):
        (folder / f"p{number}.jpg").write_bytes(picture_bytes(number, side, side))
    document: dict[str, object] = {
        "version": 1,
        "name": "test",
        "model": MODEL,
        "images": [{"file": f"p{number}.jpg"} for number in range(pictures)],
        "prompts": [{"id": "plain", "text": "A slow push-in"}],
        "run": {"settle": 0.8, "wait": 30},
        "output": {"dir": "out"},
        "lint": {"ignore": ["W801", "W802", "W803", "W804", "W805", "W806", "W807"]},
    }
    document.update(keys)
    if isinstance(document["output"], dict):
        document["output"] = {"previews": "none", **document["output"]}
    path = folder / name
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def register(store: Store, jobs: Iterable[Job], digest: str | None) -> None:
    """Make the jobs of a plan known, inside a transaction; `digest` is that of the plan, if it has one."""
    write = store.registering(digest)
    if write is not None:
        write(jobs)


def write_state(path: Path, version: int) -> Path:
    """The state of tests/examples/states/campaign.yaml as a program of this version of the state left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((STATES / f"version-{version}.sql").read_text(encoding="utf-8"))
    return path


def make_job(number: int = 1, take: int = 1, **payload: object) -> Job:
    """A job of its own for each number."""
    whole = {
        "prompt": f"prompt {number}",
        "negative_prompt": "",
        "duration": "5",
        "cfg_scale": 0.5,
        "image": f"sha256:{'0' * 64}",
        **payload,
    }
    request = fingerprint(MODEL, whole)
    key = f"p0/plain/n={number}/take-{take}"
    return Job(job_id(request, take), request, take, key, MODEL, "p0", "plain", {"n": number}, whole, key, 5.0)


def make_attempt(number: int = 1, *, intended_at: float = 1000.0, **values: object) -> Attempt:
    job = make_job(number)
    known: dict[str, object] = {"lost_at": intended_at + 1.0, **values}
    place = (job.key, job.image, job.prompt_id, job.model, job.variables, job.take)
    return Attempt(number, job.id, *place, job.fingerprint, job.payload, job.output, 5.0, intended_at, **known)  # type: ignore[arg-type]


@contextmanager
def deep_folder(base: Path) -> Iterator[Path]:
    """A folder 1,200 levels below another. It is removed again, as Python's own ways to remove it are recursive."""
    try:
        create_folders(base / "/".join("d" * 1200))
        yield base / "/".join("d" * 1200)
    finally:
        subprocess.run(["rm", "-rf", base / "d"], check=True)
