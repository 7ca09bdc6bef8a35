"""Clips that are measured by the workers of a cluster: a real scheduler, real workers, a disk that they share.

A clip that is a pipe holds the worker that reads it until somebody writes to it: so it is known who has what when.
The tests stand in an order: at first the cluster has no workers, at the end it has no scheduler.
"""

import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.cli.main import main
from runner.errors import UsageError, WorkersError
from runner.model import Image, Origin
from runner.planning.selection import Selection
from runner.results import measuring
from runner.results.workers import cluster as dask
from runner.results.workers import fitness
from runner.results.workers.cluster import cluster
from runner.results.workers.fitness import Fitness
from runner.video.looking.previews import names_in
from tests.dask_cluster import DaskCluster
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
