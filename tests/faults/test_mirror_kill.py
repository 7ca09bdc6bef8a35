"""Kills with the mirror on: every clip is there once, with its hash, and nothing is bought twice.

The long form is `REELRUN_KILLS=100 python -m pytest tests/faults/test_mirror_kill.py -s -n 0`.
"""

import os
import random
import time

import pytest

from tests import object_stores
from tests.command import call, die_at, start
from tests.faults.killer import MIRROR_STEPS
from tests.faults.service import FaultyService
from tests.faults.test_kill import KEY, finish, words
from tests.kit import sampled, video_bytes, write_manifest
from tests.mirrors import assert_mirrored, each_its_own

KILLS = int(os.environ.get("REELRUN_KILLS", "2"))
SEED = int(os.environ.get("REELRUN_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
JOBS = 20 if KILLS > 2 else 8
STORES = ["moto", "seaweed"] if KILLS > 2 else ["moto"]


@pytest.fixture(scope="module", params=STORES)
def server(request):
    with getattr(object_stores, request.param)() as started:
        started.make_bucket("campaigns")
        yield started


@pytest.fixture
def service(monkeypatch, server):
    for name, value in {"GMI_API_KEY": "sk-test", **server.environment}.items():
        monkeypatch.setenv(name, value)
    with FaultyService(video_bytes()) as started:
        started.always["download"] = each_its_own
        yield started


def manifest_of(folder, mirror, jobs):
    output = {"dir": "out", "previews": "none"} | ({"mirror": mirror} if mirror else {})
    return write_manifest(folder, pictures=jobs, output=output, run={"settle": 1.0, "wait": 60, "concurrency": 8})


def assert_done(manifest, service, mirror, jobs):
    """Run to the end; how many objects there are then."""
    document = finish(manifest, service)
    assert document["mirror"] == {"missing": 0, "reason": None}
    contents = service.fingerprints()
    assert len(contents) == len(set(contents)) == jobs, "accepted submissions equal jobs"
    copies = assert_mirrored(mirror, manifest.parent / "out")
    clips = [sha256 for path, sha256 in copies.items() if path.startswith("videos/")]
    assert len(clips) == len(set(clips)) == jobs, "each clip is there once"
    # Of equal thumbnails a run that was killed may have copied one, and the next run another.
    checked = call("verify", manifest, "--json")
    assert (checked.code, checked.document["mirror"]["objects"]) == (0, len(set(copies.values())))
    return len(copies)


@pytest.mark.parametrize("step", sampled(list(MIRROR_STEPS), 2, 1))
def test_kill_at_a_named_step(service, tmp_path, step):
    mirror = f"s3://campaigns/{step.replace(' ', '-').replace(',', '')}"
    manifest = manifest_of(tmp_path, mirror, 2)
    die_at(step, words(manifest, service), tmp_path / "said", **KEY)
    assert_done(manifest, service, mirror, 2)


def test_storm_of_kills(service, tmp_path):
    """By turns a campaign is bought and copied, or only copied, as its mirror came later."""
    print(f"\nseed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    kills = rounds = files = 0
    started = time.monotonic()
    while kills < KILLS:
        rounds += 1
        service.accepted.clear()
        mirror, folder = f"s3://campaigns/round-{rounds}", tmp_path / f"round-{rounds}"
        if rounds % 2 == 0:
            finish(manifest_of(folder, None, JOBS), service)
        manifest = manifest_of(folder, mirror, JOBS)
        while kills < KILLS:
            process = start(words(manifest, service), tmp_path / "said", **KEY)
            process.join(chance.uniform(0.0, 2.0 if rounds % 2 else 0.8))
            if process.exitcode is not None:
                break
            process.kill()
            process.join()
            kills += 1
        files += assert_done(manifest, service, mirror, JOBS)
    took = time.monotonic() - started
    print(
        f"{kills} kills over {rounds} campaigns of {JOBS} jobs in {took:.0f} s: {files} files,"
        " each in the mirror once with its hash"
    )
