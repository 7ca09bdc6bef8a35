"""Campaigns that have their clips already, without a run: as a run of the service leaves them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path

import av
import numpy as np

from runner.manifest.reader import load
from runner.model import Artifact, Job, Manifest, Status
from runner.planning.plan import make_plan
from runner.planning.selection import EVERYTHING
from runner.results.atomic_files import index_path
from runner.state.store import Store
from runner.verdicts.verdict import Mark, Marking
from runner.verdicts.verdict_files import append, folder_of
from runner.video.decoding import inspect_video
from runner.video.facts import UnfitFileError

SERVICE = "https://console.gmicloud.ai:443"


@cache
def clip_bytes(
    seed: int = 0, seconds: float = 1.0, fps: int = 24, width: int = 96, height: int = 54, kind: str = "mp4"
) -> bytes:
    """A small clip of a bar that moves over a ground of its own colour."""
    buffer = BytesIO()
    ground = np.random.default_rng(seed).integers(40, 200, 3, dtype=np.uint8)
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream("libx264" if kind == "mp4" else "libvpx", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(round(seconds * fps)):
            pixels = np.tile(ground, (height, width, 1))
            pixels[:, index % width : index % width + 8] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def deliver(
    path: Path, clips: Sequence[bytes], *, service: str = SERVICE, fps: Sequence[float] = (24.0,), suffix: str = ".mp4"
) -> tuple[Manifest, list[Job]]:
    """Buy all jobs of a manifest, one clip for each in turn, of these frame rates by the state.

    Returns the manifest and its jobs.
    """
    manifest = load(path)
    output = manifest.output
    with Store.open(output.state, index_path(output.dir)) as store:
        store.seen_from(manifest.path)
        with store.transaction():
            store.remember("service", service)
            jobs = list(make_plan(manifest, store, EVERYTHING, (), store.registering).each())
        for number, job in enumerate(jobs):
            content = clips[number % len(clips)]
            file = output.dir / f"videos/{job.output}{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            artifact = Artifact(
                f"videos/{job.output}{suffix}",
                hashlib.sha256(content).hexdigest(),
                len(content),
                *_looked_at(file),
                fps[number % len(fps)],
                "h264",
            )
            with store.transaction():
                attempt = store.intend(job, 1000.0 + number, Decimal("0.25"), "USD")
                store.accept(attempt, f"request-{number}", 1001.0 + number)
                store.keep(job.id, "video", artifact)
                store.conclude(attempt, Status.SUCCEEDED, 1002.0 + number)
    return manifest, jobs


def _looked_at(file: Path) -> tuple[float, int, int]:
    """Length, width and height."""
    try:
        facts = inspect_video(file, None, decode=False)
    except UnfitFileError:
        return 1.0, 96, 54
    return facts.seconds, facts.width, facts.height


def mark(manifest: Manifest, job: Job, by: str = "ann", said: Marking = Marking.PICK) -> None:
    """One line of a reviewer about the clip that is there."""
    file = next((manifest.output.dir / "videos").glob(f"{job.output}.*"))
    append(folder_of(manifest.path), by, Mark(job.id, said), {job.id: hashlib.sha256(file.read_bytes()).hexdigest()})
