"""Clips that are measured by the workers of a cluster: a real scheduler, real workers, a disk that they share.

A clip that is a pipe holds the worker that reads it until somebody writes to it: so it is known who has what when.
The tests stand in an order: at first the cluster has no workers, at the end it has no scheduler.
"""

import json
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from runner.cli.main import main
from runner.errors import UsageError, WorkersError
from runner.model import Origin
from runner.results import measuring
from runner.results.workers import cluster as dask
from runner.results.workers import fitness
from runner.results.workers.cluster import cluster
from runner.results.workers.fitness import Fitness
from runner.shipped import install_line
from runner.state.disk import hash_file
from runner.version import RELEASE
from runner.video.file_types import opened
from runner.video.looking.previews import names_in
from tests.dask_cluster import DaskCluster, free_port
from tests.test_results_measuring import Campaign, counts


@pytest.fixture(scope="module")
def unstaffed(tmp_path_factory):
    with DaskCluster(tmp_path_factory.mktemp("dask")) as started:
        yield started


@pytest.fixture(scope="module")
def staffed(unstaffed):
    unstaffed.hire(3)
    return unstaffed


def document(capsys, *arguments):
    code = main([*map(str, arguments), "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out), told.err


def once_kept(monkeypatch, count, act):
    """Act as soon as so many results are kept."""
    keep, done = measuring._keep, []

    def kept(*words):
        keep(*words)
        done.append(words)
        if len(done) == count:
            act()

    monkeypatch.setattr(measuring, "_keep", kept)


def interrupt():
    raise KeyboardInterrupt


def told(_line):
    """What is waited for; nothing reads it."""


class HeldClip:
    """A clip that holds whoever reads it, until it is put back."""

    def __init__(self, campaign, number):
        self.path = paths_of(campaign)[number]
        self._aside = self.path.with_suffix(".aside")
        self.path.rename(self._aside)
        os.mkfifo(self.path)
        self._end = None

    def reader(self, cluster):
        """The worker that holds it, once there is one."""
        self._end = os.open(self.path, os.O_WRONLY)
        return cluster.holder(self.path)

    def put_back(self):
        if self._aside.exists():
            self._aside.replace(self.path)
        if self._end is not None:
            os.close(self._end)
            self._end = None

    def kill_reader(self, cluster):
        """Who takes it next finds the clip."""
        try:
            victim = self.reader(cluster)
            self._aside.replace(self.path)
            cluster.kill(victim)
        finally:
            self.put_back()


def paths_of(campaign):
    return [campaign.manifest.output.dir / each.video.path for each in campaign.records()]


def test_a_cluster_without_workers_is_waited_for_and_then_told(capsys, tmp_path, monkeypatch, unstaffed):
    monkeypatch.setattr(dask, "_UNSTAFFED", 0.1)
    code, found, err = document(capsys, "measure", Campaign(tmp_path, 1).path, "--cluster", unstaffed.address)
    assert (code, found["error"]["message"]) == (7, f"the cluster at {unstaffed.address} has no workers")
    assert f"waiting 0.1 s for one (dask worker {unstaffed.address})" in err


def test_each_clip_is_measured_once_though_a_worker_is_killed(capsys, tmp_path, staffed):
    """Two workers and a third that is killed while it has a clip: what they measure is what one machine does."""
    here, there = Campaign(tmp_path / "here", 12), Campaign(tmp_path / "there", 12)
    assert counts(here.measure()) == (12, 12, 0, 0)
    with ThreadPoolExecutor(1) as other:
        killing = other.submit(HeldClip(there, 5).kill_reader, staffed)
        code, found, _ = document(capsys, "measure", there.path, "--cluster", staffed.address)
        killing.result()
    assert (code, found["measured"], found["previewed"], found["failed"]) == (0, 12, 12, [])
    assert there.measured() == here.measured()
    assert all(each.values["first_frame"] is not None for each in there.measured().values())
    assert names_in(there.manifest.output.dir) == names_in(here.manifest.output.dir)
    code, found, _ = document(capsys, "measure", there.path, "--cluster", staffed.address)
    assert (code, found["measured"], found["kept"]) == (0, 0, 12)


def test_a_clip_whose_workers_all_die_is_told_and_ends(capsys, tmp_path, staffed):
    """Dask takes it for the cause once it outlived more than `allowed-failures`: here none is allowed."""
    campaign = Campaign(tmp_path, 1)
    staffed.allow_failures(0)
    with ThreadPoolExecutor(1) as other:
        killing = other.submit(HeldClip(campaign, 0).kill_reader, staffed)
        assert main(["measure", str(campaign.path), "--cluster", staffed.address]) == 1
        killing.result()
    staffed.allow_failures(3)
    told = capsys.readouterr().out
    assert (
        "not measured: p0/plain/take-1: each worker that had it ended, 1 in a row; the last was tcp://127.0.0.1:"
        in told
    )
    assert f"Next: reelrun measure {campaign.path}        (looks at them on this machine)" in told
    assert campaign.measure().measured == 1


def test_what_a_worker_does_not_see_is_no_damage_of_the_clip(tmp_path, monkeypatch, staffed):
    """One path that leads elsewhere for each process, as that of a disk that is not shared does."""
    campaign = Campaign(tmp_path, 2)
    paths_of(campaign)[1].unlink()
    monkeypatch.chdir(tmp_path)
    result = campaign.measure(hire=cluster(staffed.address, told), dir=Path("/proc/self/cwd/out"))
    gone, unseen = result.failed
    assert (gone.reason, gone.is_whole) == ("No such file or directory", False)
    assert unseen.reason.startswith("the worker tcp://127.0.0.1:")
    where = "/proc/self/cwd/out/videos/p0/plain/take-1.mp4 (No such file or directory)"
    assert f" does not see it at {where}: it must have the output folder at this path, " in unseen.reason
    assert unseen.is_whole


def test_a_clip_that_is_damaged_is_told_as_here(capsys, tmp_path, staffed):
    campaign = Campaign(tmp_path, 1)
    (path,) = paths_of(campaign)
    path.write_bytes(path.read_bytes()[:400])
    code, found, _ = document(capsys, "measure", campaign.path, "--cluster", staffed.address)
    assert (code, [each["reason"] for each in found["failed"]]) == (1, ["it is not the file that was downloaded"])
    with campaign.store() as store, store.transaction():
        (record,) = store.records()
        store.keep(record.id, "video", replace(record.video, sha256=hash_file(path)))
    code, found, _ = document(capsys, "measure", campaign.path, "--cluster", staffed.address)
    assert (code, [each["reason"] for each in found["failed"]]) == (1, ["it cannot be decoded (InvalidDataError)"])


def test_an_interruption_waits_for_no_worker_and_the_cluster_lives_on(capsys, tmp_path, monkeypatch, staffed):
    campaign = Campaign(tmp_path, 4)
    held = HeldClip(campaign, 0)
    once_kept(monkeypatch, 3, interrupt)
    assert main(["measure", str(campaign.path), "--cluster", staffed.address]) == 130
    assert sum(each is not None for each in campaign.measured().values()) == 3
    held.reader(staffed)
    held.put_back()
    code, found, _ = document(capsys, "measure", campaign.path, "--cluster", staffed.address)
    assert (code, found["measured"], found["kept"]) == (0, 1, 3)


def test_workers_of_another_release_are_refused(capsys, tmp_path, monkeypatch, staffed):
    monkeypatch.setattr(fitness, "RELEASE", "9.9")
    code, found, _ = document(capsys, "measure", Campaign(tmp_path, 1).path, "--cluster", staffed.address)
    assert (code, found["error"]["code"]) == (7, "workers")
    assert found["error"]["message"].startswith("workers that do not fit: tcp://127.0.0.1:")
    assert f"(reelrun {RELEASE}, here it is 9.9)" in found["error"]["message"]


def test_what_keeps_a_worker_from_fitting():
    here = Fitness("1.2", 3, "3.12", True)
    assert here.lacks(here) == ""
    assert here.lacks(replace(here, opencv=False)) == ""
    other = Fitness("1.1", 2, "3.11", False)
    assert other.lacks(here) == (
        "reelrun 1.1, here it is 1.2; version of the measures 2, here it is 3; Python 3.11, here it is 3.12;"
        " no OpenCV, which is here"
    )
    assert dask._lacks(ModuleNotFoundError("No module named 'runner'")) == (
        "no reelrun of this release: No module named 'runner'"
    )


def test_a_picture_goes_along_with_its_clip(tmp_path):
    (image,) = Campaign(tmp_path, 1).manifest.images
    carried = dask._carried(image)
    assert (carried.origin, carried.id) == (Origin.INLINE, image.id)
    with opened(carried) as sent, opened(image) as kept:
        assert sent.read() == kept.read()
    assert dask._carried(carried) is carried
    Path(image.location).unlink()
    assert (dask._carried(image), dask._carried(None)) == (None, None)


def test_a_scheduler_that_is_lost_is_told_and_what_was_measured_is_kept(capsys, tmp_path, monkeypatch, staffed):
    campaign = Campaign(tmp_path, 3)
    held = HeldClip(campaign, 0)
    once_kept(monkeypatch, 2, staffed.scheduler.kill)
    code, found, err = document(capsys, "measure", campaign.path, "--cluster", staffed.address)
    held.put_back()
    assert (code, found["error"]["code"]) == (7, "workers")
    assert found["error"]["message"] == f"the scheduler at {staffed.address} gives no answer any more"
    assert "what was measured is kept" in found["error"]["hint"]
    assert err.splitlines() == [f"error: {found['error']['message']}", f"  help: {found['error']['hint']}"]
    assert sum(each is not None for each in campaign.measured().values()) == 2


def test_where_no_scheduler_answers_it_is_told_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(dask, "_ANSWER", 0.3)
    campaign = Campaign(tmp_path, 1)
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        for port in (silent.getsockname()[1], free_port()):
            with pytest.raises(WorkersError, match=f"no scheduler answers at tcp://127.0.0.1:{port} within") as caught:
                campaign.measure(hire=cluster(f"tcp://127.0.0.1:{port}", told))
            assert "dask scheduler" in caught.value.hint


def test_certificates_are_those_of_the_settings_of_dask(tmp_path, monkeypatch):
    import dask.config
    from distributed import LocalCluster
    from distributed.security import Security

    campaign = Campaign(tmp_path, 1)
    with pytest.raises(UsageError, match="needs certificates") as caught:
        campaign.measure(hire=cluster("tls://127.0.0.1:1", told))
    assert "distributed.comm.tls" in caught.value.hint
    authority = trustme.CA()
    pem, key = tmp_path / "ca.pem", tmp_path / "own.pem"
    authority.cert_pem.write_to_path(pem)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(key)
    settings = {"ca-file": pem, **{f"{each}.cert": key for each in ("client", "scheduler", "worker")}}
    with dask.config.set({f"distributed.comm.tls.{name}": str(path) for name, path in settings.items()}):
        own = {"processes": False, "dashboard_address": None, "host": "127.0.0.1"}
        with LocalCluster(1, threads_per_worker=1, protocol="tls://", security=Security(), **own) as there:
            assert there.scheduler_address.startswith("tls://")
            assert campaign.measure(hire=cluster(there.scheduler_address, told)).measured == 1


@pytest.mark.parametrize(
    "address", ["", "10.0.0.1:8786", "tcp://10.0.0.1", "http://10.0.0.1:1", "tcp://a:b", "tcp://a:1/b", "tcp://a:70000"]
)
def test_an_address_that_is_none_is_told(capsys, address):
    code, found, _ = document(capsys, "measure", "a.yaml", f"--cluster={address}")
    assert (code, found["error"]["code"]) == (2, "usage")
    assert "write tcp://HOST:PORT or tls://HOST:PORT" in found["error"]["message"]


def test_processes_and_a_cluster_do_not_go_together(capsys):
    code, found, _ = document(capsys, "measure", "a.yaml", "--cluster", "tcp://[::1]:8786", "--processes", "2")
    assert (code, found["error"]["message"]) == (2, "argument --processes: not allowed with argument --cluster")


def test_without_the_extra_it_is_told_how_to_get_it(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, found, _ = document(capsys, "measure", Campaign(tmp_path, 1).path, "--cluster", "tcp://127.0.0.1:1")
    assert (code, found["error"]["code"], found["error"]["message"]) == (2, "usage", "--cluster needs distributed")
    assert found["error"]["hint"] == install_line("cluster")
