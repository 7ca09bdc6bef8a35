"""A campaign whose clips are there, made without a run: for the tests of what people say of clips."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from runner.manifest.reader import load
from runner.model import Artifact, Measured, Status
from runner.planning.plan import make_plan
from runner.review.clips.reviewed_clips import ReviewedClip, reviewed_clips
from runner.state.store import Store
from tests.kit import register, video_bytes, write_manifest

ARMS = [{"id": "plain", "text": "A slow push-in"}, {"id": "mood", "text": "Fog, and an orbit to the left"}]


def small_clip(number: int) -> bytes:
    """Clips that all differ, also in their length in bytes."""
    return video_bytes(0.5 + number % 3 / 8, number)


def finished_campaign(folder: Path, clip: Callable[[int], bytes] = small_clip, **keys: object) -> Path:
    """A manifest of two arms by default, and a state in which each of its jobs has its clip."""
    path = write_manifest(folder, **{"prompts": ARMS, "output": {"dir": "out"}, **keys})  # type: ignore[arg-type]
    manifest = load(path)
    with Store.open(manifest.output.state) as store, store.transaction():
        jobs = [each.job for each in make_plan(manifest).jobs]
        register(store, jobs, "the first plan")
        for number, job in enumerate(jobs):
            name = f"videos/{job.output}.mp4"
            file = manifest.output.dir / name
            file.parent.mkdir(parents=True, exist_ok=True)
            content = clip(number)
            file.write_bytes(content)
            attempt = store.intend(job, 1000.0 + number, Decimal("0.25"), "USD")
            store.accept(attempt, f"request-{number}", 1001.0, "processing")
            digest = hashlib.sha256(content).hexdigest()
            store.keep(job.id, "video", Artifact(name, digest, len(content), 5.0, 64, 36, 8.0, "h264"))
            store.conclude(attempt, Status.SUCCEEDED, 1002.0)
    return path


def let_flash(manifest: Path, number: int) -> None:
    """Measure of a clip, in the order of the plan, that it flashes."""
    with Store.open(load(manifest).output.state) as store, store.transaction():
        store.keep_measured(clips_of(manifest)[number].sha256, Measured({"flash": 3.0}))


def clips_of(manifest: Path) -> tuple[ReviewedClip, ...]:
    output = load(manifest).output
    store = Store.read(output.state)
    assert store is not None
    with store:
        return tuple(reviewed_clips(store, output.dir))
