"""Measuring the clips of older runs: real clips in a state that a run could have left, real processes."""

import os
import signal
import subprocess
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from runner.engine.mirror.mirror import Mirror
from runner.errors import WorkersError
from runner.manifest.reader import load
from runner.model import Artifact, Status
from runner.planning.plan import make_plan
from runner.planning.selection import EVERYTHING, Selection
from runner.results import measuring
from runner.results.measuring import measure
from runner.results.workers import local_pool as pool
from runner.results.workers.local_pool import local_pool
from runner.state.disk import hash_file
from runner.state.store import Store
from runner.video.looking.previews import bytes_in, names_in
from runner.video.measures import unmeasured
from tests.kit import register, video_bytes, write_manifest
from tests.mirrors import StandInStore

HERE = local_pool(1)


class Campaign:
    """A manifest, and the state of a run that downloaded a clip for each of its jobs and measured none."""

    def __init__(self, folder: Path, clips: int, **keys: object) -> None:
        self.path = write_manifest(folder, pictures=clips, **{"output": {"dir": "out", "previews": "2 GB"}, **keys})
        self.manifest = load(self.path)
        jobs = list(make_plan(self.manifest).each())
        with self.store() as store:
            with store.transaction():
                register(store, jobs, "plan")
            for number, job in enumerate(jobs):
                self._deliver(store, job, number)

    def _deliver(self, store, job, number):
        content = video_bytes(0.5, number)
        path = self.manifest.output.dir / "videos" / f"{job.output}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        with store.transaction():
            attempt = store.intend(job, 1000.0, None, "USD")
            store.accept(attempt, f"r-{job.id}", 1001.0)
            clip = Artifact(f"videos/{job.output}.mp4", hash_file(path), len(content), 0.5, 64, 36, 8.0, "h264")
            store.keep(job.id, "video", clip)
            store.conclude(attempt, Status.SUCCEEDED, 1002.0 + number)

    def store(self):
        return Store.open(self.manifest.output.state)

    def measure(self, selection=EVERYTHING, hire=HERE, tell=lambda done, total: None, **output):
        manifest = replace(self.manifest, output=replace(self.manifest.output, **output))
        with self.store() as store:
            return measure(store, manifest, selection, hire, tell)

    def records(self):
        with self.store() as store:
            return list(store.records())

    def measured(self):
        return {record.key: record.measured for record in self.records()}


def counts(result):
    return result.measured, result.previewed, result.kept, len(result.failed)


def test_each_clip_is_measured_once(tmp_path):
    campaign, told = Campaign(tmp_path, 3), []
    assert counts(campaign.measure(tell=lambda *words: told.append(words))) == (3, 3, 0, 0)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert all(each.is_known and each.note == "" for each in campaign.measured().values())
    assert counts(campaign.measure()) == (0, 0, 3, 0)


def test_only_the_selected_clips_are_measured_and_the_same_file_once(tmp_path):
    campaign = Campaign(tmp_path, 3)
    assert counts(campaign.measure(Selection(only=("p1/*",)))) == (1, 1, 0, 0)
    assert [key for key, each in campaign.measured().items() if each] == ["p1/plain/take-1"]


def test_previews_are_made_for_the_latest_clips_while_there_is_room(tmp_path):
    campaign = Campaign(tmp_path, 4)
    campaign.measure(Selection(only=("p3/*",)))
    one = bytes_in(campaign.manifest.output.dir)
    # Room for two and a half.
    assert campaign.measure(previews=int(2.5 * one)).measured == 3
    stems = {record.video.sha256: record.image for record in campaign.records()}
    assert sorted({stems[name[:64]] for name in names_in(campaign.manifest.output.dir)}) == ["p2", "p3"]


def test_what_an_older_version_measured_is_measured_again_and_what_had_no_opencv(tmp_path):
    campaign = Campaign(tmp_path, 2)
    campaign.measure()
    before = campaign.measured()
    with campaign.store() as store, store.transaction():
        first, second = (record.video.sha256 for record in store.records())
        older, blind = before.values()
        store.keep_measured(first, replace(older, version=0))
        store.keep_measured(second, replace(blind, has_flow=False))
    assert counts(campaign.measure()) == (2, 0, 0, 0)
    assert campaign.measured() == before


def test_a_note_of_previews_goes_once_they_are_made(tmp_path):
    campaign = Campaign(tmp_path, 1)
    folder = campaign.manifest.output.dir / "previews"
    folder.write_text("in the way")
    assert counts(campaign.measure()) == (1, 0, 0, 0)
    (measured,) = campaign.measured().values()
    assert measured.note.startswith("no previews (")
    folder.unlink()
    assert counts(campaign.measure()) == (0, 1, 0, 0)
    assert list(campaign.measured().values()) == [replace(measured, note="")]


class Workers:
    """A workforce of so many at each turn, which ends so many clips at once, and the others never."""

    def __init__(self, there, ends):
        self._there, self._ends = there, ends
        self.submitted = []

    def at_once(self):
        self.submitted.append(0)
        if not (there := self._there[len(self.submitted) - 1]):
            raise WorkersError("all have left")
        return there

    def submit(self, clip, order):
        self.submitted[-1] += 1
        future = Future()
        if sum(self.submitted) <= self._ends:
            future.set_result(unmeasured())
        return future

    def result(self, future):
        return future.result()


def test_as_many_wait_in_line_as_workers_are_there_now(tmp_path):
    """They come and go: twice as many wait as are looked at at once."""
    workers = Workers([1, 3, 1, 2], 12)
    Campaign(tmp_path, 12).measure(hire=lambda clips: nullcontext(workers))
    assert workers.submitted == [2, 6, 2, 2]


def test_that_nobody_is_there_any_more_is_noticed_though_no_clip_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "_TURN", 0.01)
    campaign, workers = Campaign(tmp_path, 4), Workers([2, 2, 0], 3)
    with pytest.raises(WorkersError, match="all have left"):
        campaign.measure(hire=lambda clips: nullcontext(workers))
    assert workers.submitted == [4, 0, 0]
    assert sum(each is not None for each in campaign.measured().values()) == 3


def test_one_that_is_killed_keeps_what_it_measured_and_leaves_no_process_behind(tmp_path):
    campaign = Campaign(tmp_path, 3)
    words = [sys.executable, "-c", KILLED, str(campaign.path)]
    # The processes that it started hold its output open: this waits for their end.
    killed = subprocess.run(words, capture_output=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert sum(each is not None for each in campaign.measured().values()) == 1
    assert (campaign.measure().measured, campaign.measure().kept) == (2, 3)


# Measures with two processes, and kills itself after the first clip.
KILLED = """
import os, signal, sys
from pathlib import Path
from runner import campaign
from runner.manifest.reader import load
from runner.planning.selection import EVERYTHING
from runner.results.workers.local_pool import local_pool

def tell(done, total):
    if done == 1:
        os.kill(os.getpid(), signal.SIGKILL)

campaign.measure(load(Path(sys.argv[1])), EVERYTHING, local_pool(2), tell)
"""


def test_a_process_that_is_killed_is_told_with_the_remedy(tmp_path, monkeypatch):
    class Killed(ProcessPoolExecutor):
        def submit(self, *words):
            return super().submit(os._exit, 9)

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Killed)
    campaign = Campaign(tmp_path, 2)
    with pytest.raises(WorkersError, match="ended from outside") as caught:
        campaign.measure(hire=local_pool(2))
    assert "what was measured is kept" in caught.value.hint


def test_a_clip_that_only_the_mirror_has_is_measured(tmp_path, monkeypatch):
    """As on a machine that forgets its disk, and on a worker that does not share one."""
    made = Campaign(tmp_path, 2)
    here = made.measure()
    assert here.measured == 2
    with StandInStore() as bucket:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        other = Campaign(tmp_path / "other", 2, output={"dir": "out", "previews": "none", "mirror": "s3://campaigns/a"})
        mirror, output = Mirror.of(other.manifest.output), other.manifest.output
        with other.store() as store, store.transaction():
            for job_id, _ in list(store.clip_hashes().items()):
                (clip,) = store.files_of(job_id)
                store.keep_copy(mirror.name, mirror.copy(output.dir, clip, [clip.path]))
                (output.dir / clip.path).unlink()
        assert other.measure(hire=local_pool(2)).measured == 2
        assert list((output.dir / "videos").rglob("*.mp4")) == []
    with made.store() as one, other.store() as two:
        assert [each.measured.values for each in one.records()] == [each.measured.values for each in two.records()]
