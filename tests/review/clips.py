"""Campaigns whose clips are there without a run, and what reviewers say of them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

from runner import campaign
from runner.manifest.reader import read
from runner.model import Artifact, Measured, Status
from runner.planning.selection import EVERYTHING
from runner.state.store import Store
from runner.verdicts.verdict import Verdict, time_text, written
from runner.verdicts.verdict_files import folder_of
from runner.video.measures import VERSION
from tests import kit

TWO = [{"id": "plain", "text": "A slow push-in"}, {"id": "mood", "text": "A moody push-in"}]


def finished(folder, measure=lambda job: {}, **keys):
    """A manifest and the jobs of its plan, in a state in which all have clips. The files are a few bytes each."""
    keys = {"prompts": TWO, **keys}
    path = kit.write_manifest(folder, **keys)
    manifest = read(path).valid()
    planned = campaign.plan(manifest, EVERYTHING)
    jobs = [each.job for each in planned.jobs]
    manifest.output.dir.mkdir(parents=True, exist_ok=True)
    with Store.open(manifest.output.state) as store, store.seen_from(manifest.path), store.transaction():
        kit.register(store, jobs, "plan")
        for job in jobs:
            attempt = store.intend(job, 1.0, None, "USD")
            clip = manifest.output.dir / f"videos/{attempt.path}.mp4"
            clip.parent.mkdir(parents=True, exist_ok=True)
            clip.write_bytes(job.id.encode())
            name = clip.relative_to(manifest.output.dir).as_posix()
            store.keep(job.id, "video", Artifact(name, sha256_of(job), len(job.id), 5.0, 64, 36, 8.0, "h264"))
            store.conclude(attempt, Status.SUCCEEDED, 2.0)
            store.keep_measured(sha256_of(job), Measured(measure(job), version=VERSION, has_flow=True))
    return path, jobs


def sha256_of(job):
    return hashlib.sha256(job.id.encode()).hexdigest()


def say(manifest, by, said, sha256=sha256_of):
    """Append lines of verdicts, without syncing each: pairs of jobs and what is said of them."""
    folder = folder_of(manifest)
    folder.mkdir(exist_ok=True)
    file = folder / f"{by}.jsonl"
    start = datetime(2026, 11, 28, tzinfo=UTC) + timedelta(seconds=file.stat().st_size if file.exists() else 0)
    lines = [
        written(Verdict(time_text(start + timedelta(milliseconds=k)), by, {job.id: sha256(job) for job in jobs}, what))
        for k, (jobs, what) in enumerate(said)
    ]
    with file.open("ab") as opened:
        opened.writelines(line + b"\n" for line in lines)
    return lines


def document(capsys, main, *arguments):
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)
