"""Campaigns whose clips are bought, without a service, and what reviewers say of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from runner.manifest.reader import load
from runner.model import Artifact, Job, Manifest, Status
from runner.planning.plan import Plan, make_plan
from runner.state.store import Store
from runner.verdicts.verdict import Mark, Marking
from runner.verdicts.verdict_files import VerdictLine, append, folder_of


def sha256_of(job: Job) -> str:
    """The hash that the clip of a job has here."""
    return hashlib.sha256(job.id.encode()).hexdigest()


def open_store(manifest: Manifest) -> Store:
    return Store.open(manifest.output.state).seen_from(manifest.path)


def planned(path: Path, *, is_locked: bool = False) -> Plan:
    """The plan of a manifest with its state."""
    manifest = load(path)
    with open_store(manifest) as store:
        return make_plan(manifest, store, is_locked=is_locked)


def buy(path: Path, jobs: Iterable[Job] | None = None, status: Status = Status.SUCCEEDED) -> list[Job]:
    """Buy these jobs, by default all that a run would submit; `status` is how they end."""
    manifest = load(path)
    with open_store(manifest) as store:
        with store.transaction():
            plan = make_plan(manifest, store, open_register=store.registering)
        chosen = list(jobs) if jobs is not None else [each.job for each in plan.submits]
        for job in chosen:
            _buy(store, job, manifest, status)
    return chosen


def _buy(store: Store, job: Job, manifest: Manifest, status: Status) -> None:
    with store.transaction():
        attempt = store.intend(job, 1.0, manifest.budget.price_per_job, "USD")
        if status is Status.UNKNOWN:
            return
        store.accept(attempt, f"request-{job.id}", 1.0)
        if status is Status.SUCCEEDED:
            path = f"videos/{job.output}.mp4"
            store.keep(job.id, "video", Artifact(path, sha256_of(job), 4, 5.0, 64, 36, 8.0, "h264"))
            (manifest.output.dir / path).parent.mkdir(parents=True, exist_ok=True)
            (manifest.output.dir / path).write_bytes(b"clip")
        store.conclude(attempt, status, 2.0)


def say(path: Path, job: Job, mark: str = "reject", by: str = "ann", sha256: str = "") -> VerdictLine:
    """What a reviewer marks a clip as."""
    return append(folder_of(path), by, Mark(job.id, Marking(mark)), {job.id: sha256 or sha256_of(job)})
