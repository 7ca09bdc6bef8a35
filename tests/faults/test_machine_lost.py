"""A state in a bucket, and machines that never come back: what was bought is bought once, and none of it is lost.

The long form is `REELRUN_KILLS=200 REELRUN_RACES=50 python -m pytest tests/faults/test_machine_lost.py -s -n 0`.
"""

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from runner.model import Status
from runner.state.store import Store
from tests.command import call, die_at, start
from tests.faults.killer import MOVE_STEPS, TRAVEL_STEPS
from tests.faults.service import FaultyService
from tests.kit import video_bytes, write_manifest
from tests.store_proxies import shared

KILLS = int(os.environ.get("REELRUN_KILLS", "4"))
RACES = int(os.environ.get("REELRUN_RACES", "2"))
SEED = int(os.environ.get("REELRUN_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
JOBS = 24


@pytest.fixture(scope="module")
def store():
    started = shared("moto")
    started.make_bucket("machines")
    return started


@pytest.fixture
def address(store, request, monkeypatch):
    for name, value in {**store.environment, "GMI_API_KEY": "sk-test"}.items():
        monkeypatch.setenv(name, value)
    return f"s3://machines/{request.node.name.replace('[', '-').replace(']', '')}"


@pytest.fixture
def service():
    with FaultyService(video_bytes()) as started:
        yield started


class Machines:
    """Machines that share a manifest and a state in a bucket, and nothing else."""

    def __init__(self, folder, address, service, **keys):
        self.address = address
        self.service = service
        self._source = write_manifest(folder / "source", **keys).parent
        self._folder = folder
        self._count = 0

    def new(self):
        self._count += 1
        return shutil.copytree(self._source, self._folder / f"machine-{self._count}")

    def words(self, machine, *flags):
        service = ("--base-url", self.service.base_url, "--yes", "--json", "--no-progress")
        return ["run", str(machine / "campaign.yaml"), "--state", self.address, *service, *flags]

    def start(self, machine, *flags, step=None):
        return start(self.words(machine, *flags), self.said(machine), step, GMI_API_KEY="sk-test")

    def die_at(self, step, machine):
        die_at(step, self.words(machine), self.said(machine), GMI_API_KEY="sk-test")

    def said(self, machine):
        """The file with what a process on the machine said."""
        return machine.with_name(f"{machine.name}.said")

    def run(self, machine, *flags):
        return call(*self.words(machine, *flags))


def wait_until_stopped(pid):
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def held(machine):
    """The requests of verified clips, and how many jobs are unknown, by the copy on a machine."""
    with Store.read(machine / "out" / "bucket-state" / "state.sqlite") as state:
        records = list(state.seen_from(machine / "campaign.yaml").records())
    for each in records:
        if each.status is Status.SUCCEEDED:
            assert (machine / "out" / each.video.path).is_file()
    verified = {each.request_id for each in records if each.status is Status.SUCCEEDED}
    return verified, {each.id for each in records if each.status is Status.UNKNOWN}


def assert_nothing_twice_or_lost(service, machine, jobs):
    """Returns how many jobs are unknown."""
    contents = service.fingerprints()
    assert len(contents) == len(set(contents)), "nothing is accepted twice"
    verified, unknown = held(machine)
    assert {each.id for each in service.accepted} == verified, "what was accepted is here, and verified"
    assert len(verified) + len(unknown) == jobs, "and what is not is counted as unknown"
    return len(unknown)


def finish(machines, service, jobs):
    """The last machine takes over, and buys what a person says was never sent."""
    machine = machines.new()
    ended = machines.run(machine, "--take-over")
    assert ended.code in (0, 6), ended
    unknown = assert_nothing_twice_or_lost(service, machine, jobs)
    if unknown:
        ended = machines.run(machine, "--resubmit-unknown")
    assert ended.code == 0, ended
    assert assert_nothing_twice_or_lost(service, machine, jobs) == 0
    return unknown


@pytest.mark.parametrize("step", TRAVEL_STEPS)
def test_a_machine_dies_at_a_named_step(step, tmp_path, address, service):
    machines = Machines(tmp_path, address, service, pictures=2, run={"settle": 0.3, "wait": 20})
    first = machines.new()
    machines.die_at(step, first)
    shutil.rmtree(first)
    other = machines.new()
    if step != "lease handed back":
        refused = machines.run(other)
        assert refused.code == 5, refused
        assert "--take-over" in refused.err
    assert refused_none(service, other)
    finish(machines, service, 2)


def refused_none(service, machine):
    """Nothing was accepted for a machine that could not have the lease."""
    return all(each.status for each in service.accepted) and not list(machine.rglob("*.mp4"))


def test_a_machine_that_comes_back_goes_on_without_a_word(tmp_path, address, service):
    """Its own copy knows all: what was surely not sent is bought, and nothing stays unknown."""
    machines = Machines(tmp_path, address, service, pictures=2, run={"settle": 0.3, "wait": 20})
    machine = machines.new()
    machines.die_at("intents put", machine)
    assert machines.run(machine).code == 0
    assert assert_nothing_twice_or_lost(service, machine, 2) == 0


@pytest.mark.parametrize("step", MOVE_STEPS)
def test_a_state_is_not_lost_on_its_way_into_the_bucket(step, tmp_path, address, service):
    machines = Machines(tmp_path, address, service)
    machine = machines.new()
    words = machines.words(machine)
    at = words.index("--state")
    assert call(*words[:at], *words[at + 2 :]).code == 0
    # It may be removed, and would tell of the state.
    (machine / "out" / "index.json").unlink()
    machines.die_at(step, machine)
    ended = machines.run(machine)
    assert (ended.code, len(service.accepted)) == (0, 1), ended
    assert not (machine / "out" / "state.sqlite").exists()
    ended = machines.run(machines.new())
    assert (ended.code, len(service.accepted)) == (0, 1), ended


def test_storm_of_machines_that_never_come_back(tmp_path, address, service):
    print(f"\nseed {SEED}, {KILLS} machines")
    chance, started = random.Random(SEED), time.monotonic()
    kills = rounds = unknown = 0
    while kills < KILLS:
        rounds += 1
        service.accepted.clear()
        machines = Machines(
            tmp_path / str(rounds), f"{address}/{rounds}", service, pictures=JOBS,
            run={"settle": 0.3, "wait": 30, "concurrency": 6},
        )  # fmt: skip
        for _ in range(10):
            machine = machines.new()
            process = machines.start(machine, "--take-over")
            process.join(chance.uniform(0.1, 3.0))
            is_over = process.exitcode is not None
            process.kill()
            process.join()
            shutil.rmtree(machine)
            kills += not is_over
            if is_over or kills >= KILLS:
                break
        unknown += finish(machines, service, JOBS)
    print(
        f"{kills} machines lost over {rounds} campaigns of {JOBS} jobs in {time.monotonic() - started:.0f} s:"
        f" {rounds * JOBS} jobs, each accepted once and in place; {unknown} were unknown until somebody said so"
    )


def test_races_of_two(tmp_path, address, service):
    codes = []
    for race in range(RACES):
        service.accepted.clear()
        machines = Machines(tmp_path / str(race), f"{address}/{race}", service, pictures=3)
        both = [machines.new(), machines.new()]
        processes = [machines.start(machine) for machine in both]
        for process in processes:
            process.join()
        found = sorted(process.exitcode for process in processes)
        assert found in ([0, 5], [0, 0]), [machines.said(machine).read_text() for machine in both]
        codes.append(tuple(found))
        contents = service.fingerprints()
        assert len(contents) == len(set(contents)) == 3, "nothing is accepted twice"
    print(f"\n{RACES} races: {codes.count((0, 5))} times one was refused, {codes.count((0, 0))} times it came later")


@pytest.mark.parametrize("pause", ["lease looked at", "intents put", "POST answered, and stopped"])
def test_a_runner_that_slept_sends_nothing_once_it_was_taken_over(pause, tmp_path, address, service, monkeypatch):
    machines = Machines(tmp_path, address, service, pictures=3, run={"settle": 0.3, "wait": 20, "concurrency": 2})
    sleeper = machines.new()
    monkeypatch.setenv("REELRUN_FRESH", "0.05")
    process = machines.start(sleeper, step=pause)
    wait_until_stopped(process.pid)
    other = machines.new()
    ended = machines.run(other, "--take-over")
    assert ended.code in (0, 6), ended
    before = len(service.accepted)
    os.kill(process.pid, signal.SIGCONT)
    process.join()
    err = machines.said(sleeper).read_text()
    assert process.exitcode == 5, err
    assert "taken over" in err
    assert len(service.accepted) == before, "it sent nothing more"
    last = machines.run(other)
    assert last.code == ended.code, last
    assert_nothing_twice_or_lost(service, other, 3)


def test_a_copy_of_an_older_state_is_refused(tmp_path, address, service):
    """Somebody put an older state back into the bucket."""
    from runner.buckets.bucket import Bucket
    from runner.buckets.bucket_address import BucketAddress

    machines = Machines(tmp_path, address, service)
    assert machines.run(machines.new()).code == 0
    bucket = Bucket.open(BucketAddress.of(address))
    older, _ = bucket.read("state.sqlite")
    longer = write_manifest(tmp_path / "source", pictures=2).parent
    assert machines.run(machines.new()).code == 0
    assert len(service.accepted) == 2
    assert longer
    bucket.replace("state.sqlite", older, bucket.find("state.sqlite").version)
    ended = machines.run(machines.new())
    assert ended.code == 7
    assert "not the latest state" in ended.err
    assert len(service.accepted) == 2
    lease = json.loads(bucket.read("lease.json")[0])
    assert lease["batch"] >= 2
