"""Kills at any instant: accepted submissions equal jobs, every file is present and right, nothing is done by hand.

The long form is `REELRUN_KILLS=300 python -m pytest tests/faults/test_kill.py -k storm -s -n 0`.
"""

import json
import os
import random
import time
from pathlib import Path

import pytest

from tests.command import call, die_at, start
from tests.faults import service as faults
from tests.faults.harness import without_waits
from tests.faults.killer import NAME_STEPS, STEPS, UPLOAD_STEPS
from tests.faults.service import FaultyService
from tests.kit import MODEL, few_frames, sampled, write_manifest

KILLS = int(os.environ.get("REELRUN_KILLS", "5"))
SEED = int(os.environ.get("REELRUN_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
STORM_JOBS = 40
# A model that takes addresses only, with fewer pictures than jobs: each is put into the store once for several jobs.
UPLOADED = {
    "model": "wan2.7-i2v",
    "uploads": {"to": "service"},
    "prompts": [{"id": f"a{number}", "text": f"A slow pan {number}"} for number in range(5)],
    "pictures": STORM_JOBS // 5,
    "side": 400,
    # Else the service may rewrite the prompts, and lost requests with one picture cannot be told from each other.
    "params": {"prompt_extend": False},
}


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    with FaultyService(few_frames()) as started:
        yield started


def words(manifest, service):
    return ["run", str(manifest), "--base-url", service.base_url, "--yes", "--json", "--no-progress"]


KEY = {"GMI_API_KEY": "sk-test"}


def finish(manifest, service):
    """Runs until done, as a person would who knows one command."""
    for _ in range(4):
        with without_waits(service):
            # A lost answer whose only record failed is failed, too.
            ended = call(*words(manifest, service), "--retry-failed")
        totals = ended.document["totals"]
        if totals["succeeded"] == sum(totals.values()):
            return ended.document
    raise AssertionError(f"still not done: {ended}")


def assert_all_bought_once(document, service, jobs):
    contents = service.fingerprints()
    assert len(contents) == len(set(contents)) == jobs, "accepted submissions equal jobs"
    assert document["totals"]["succeeded"] == jobs
    index = json.loads(Path(document["index"]).read_text(encoding="utf-8"))
    for job in index["jobs"]:
        path = Path(document["output_dir"]) / job["video"]["path"]
        assert path.read_bytes() == service.video
    assert len({job["request_id"] for job in index["jobs"]}) == jobs
    assert not list((Path(document["output_dir"]) / "videos").rglob("*.part"))


@pytest.mark.parametrize("step", sampled(list(STEPS), 2, 1))
def test_kill_at_a_named_step(service, tmp_path, step):
    service.first_status = "queued" if step == "success observed" else "success"
    manifest = write_manifest(tmp_path, pictures=2, output={"dir": "out", "previews": "2 GB"})
    die_at(step, words(manifest, service), tmp_path / "said", **KEY)
    assert_all_bought_once(finish(manifest, service), service, 2)


@pytest.mark.parametrize("step", NAME_STEPS)
def test_kill_while_a_name_changes_hands(service, tmp_path, step):
    for text in ("A slow pan", "A slow tilt"):
        prompts = [{"id": "plain", "text": text}]
        manifest = write_manifest(tmp_path, prompts=prompts, output={"dir": "out", "file": "hero"})
        if "tilt" in text:
            die_at(step, words(manifest, service), tmp_path / "said", **KEY)
        else:
            assert call(*words(manifest, service)).code == 0
    clips = tmp_path / "out" / "videos"
    assert len(list(clips.rglob("*.mp4"))) == 2, "nothing is lost in between"
    assert_all_bought_once(finish(manifest, service), service, 2)
    old, new = sorted(each.relative_to(clips).as_posix() for each in clips.rglob("*.mp4"))[::-1]
    assert (new, old.startswith("orphaned/hero-")) == ("hero.mp4", True)


@pytest.mark.parametrize("step", UPLOAD_STEPS)
def test_kill_while_a_file_is_uploaded(service, tmp_path, step):
    manifest = write_manifest(tmp_path, **{**UPLOADED, "pictures": 2})
    die_at(step, words(manifest, service), tmp_path / "said", **KEY)
    assert service.posts == 0
    assert_all_bought_once(finish(manifest, service), service, 10)
    assert len(set(service.kept())) == 2


SIX = {
    "model": [MODEL, "kling-v3-image-to-video", "wan2.7-i2v", "vidu-q3-pro-t2v", "vidu-q2-pro-r2v",
              "ltx-2-fast-image-to-video"],
    "models": {"vidu-q3-pro-t2v": {"images": "none"}},
    "video": {"seconds": 10, "resolution": "1080p"},
    "uploads": {"to": "service"},
    "pictures": 2,
    "side": 400,
    "run": {"settle": 0.8, "wait": 30, "concurrency": 3},
}  # fmt: skip


def test_one_manifest_for_six_models_killed_half_way(monkeypatch, tmp_path):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    manifest = write_manifest(tmp_path, **SIX)
    with FaultyService(few_frames(10.0), first_status="queued") as service:
        process = start(words(manifest, service), tmp_path / "said", **KEY)
        deadline = time.monotonic() + 60
        while len(service.accepted) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.join()
        assert 5 <= len(service.accepted) < 11
        assert_all_bought_once(finish(manifest, service), service, 11)
        assert len(service.kept()) == 2, "each content is uploaded once, and a picture goes out within other requests"
        assert {each.model for each in service.accepted} == set(SIX["model"])
        calls = len(service.calls)
        assert finish(manifest, service)["submitted"] == 0
        # On this machine it is asked whether it is the sandbox.
        assert set(service.calls[calls:]) <= {"other"}, "a second run makes no call"
        assert service.key_seen_by_files == 0


def test_storm_of_kills_with_lost_answers(service, tmp_path):
    print(f"\nseed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    lost = [
        faults.drop_after(accepted=True),
        faults.drop_after(accepted=False),
        faults.status(502, accepted=True),
        faults.status(504, accepted=False),
        faults.reset_after(accepted=True),
        faults.rate_limit,
    ]
    refused = faults.raw(faults.refusal("AccessDenied"), code=403, kind="application/xml")
    stopped = [faults.status(500), refused, faults.drop_after(accepted=False)]
    kills = rounds = done = 0
    started = time.monotonic()
    while kills < KILLS:
        rounds += 1
        service.accepted.clear()
        service.uploads.clear()
        service.posts = 0
        # The ways of the queue: sync answers, a list in pages, echoes that hide the picture.
        service.is_sync = chance.random() < 0.3
        service.page_size = chance.choice([0, 7, 100])
        service.echo = chance.choice(["full", "full", "short", "empty"])
        own = UPLOADED if chance.random() < 0.4 else {"pictures": STORM_JOBS}
        manifest = write_manifest(
            tmp_path / f"round-{rounds}", run={"settle": 1.0, "wait": 60, "concurrency": 8}, **own
        )
        while kills < KILLS:
            service.order("submit", *(chance.choice(lost) for _ in range(chance.randrange(3))))
            for kind in ("upload-url", "put"):
                service.order(kind, *(chance.choice(stopped) for _ in range(chance.randrange(2))))
            process = start(words(manifest, service), tmp_path / "said", **KEY)
            process.join(chance.uniform(0.0, 2.5))
            if process.exitcode is not None:
                break
            process.kill()
            process.join()
            kills += 1
        service.faults.clear()
        # What an echo hides is never attached by itself; here it tells all in the end.
        service.echo = "full"
        assert_all_bought_once(finish(manifest, service), service, STORM_JOBS)
        assert len(set(service.kept())) == (UPLOADED["pictures"] if own is UPLOADED else 0)
        done += STORM_JOBS
    assert service.key_seen_by_files == 0
    took = time.monotonic() - started
    print(
        f"{kills} kills over {rounds} runs of {STORM_JOBS} jobs in {took:.0f} s: {done} jobs,"
        " each accepted once and in place"
    )
