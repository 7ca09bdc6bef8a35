"""A Dask cluster on loopback, as people start one: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.command import ROOT

_PORTS = range(20_000, 50_000)
_PATIENCE = 60.0


def free_port() -> int:
    """A port on which nobody listens, below those that the system gives away."""
    for port in random.sample(_PORTS, 1000):
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class DaskCluster:
    """A scheduler without workers, until some are `hired`. Nothing of it outlives the block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = f"tcp://127.0.0.1:{(port := free_port())}"
        self.scheduler = self._start("scheduler", "--port", str(port))
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        own = ("--host", "127.0.0.1", "--no-dashboard")
        # Their folder is not that of the tests: a path below /proc/self/cwd is another for them.
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *words, *own], cwd=self._folder, env=environment, stdout=log, stderr=log
            )

    def hire(self, count: int) -> None:
        """So many workers more, of one thread each; none is started anew when it is killed."""
        own = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self._folder), "--memory-limit", "0")
        ports = ("--worker-port", f"{_PORTS.start}:{_PORTS.stop}")
        self.workers += [self._start("worker", self.address, *own, *ports) for _ in range(count)]
        self.wait_for(len(self.workers))

    def wait_for(self, count: int) -> None:
        from distributed import Client

        with Client(self.address, timeout=_PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=_PATIENCE)

    def allow_failures(self, count: int) -> None:
        """After how many lost workers a clip is taken for the cause."""
        from distributed import Client

        with Client(self.address, timeout=_PATIENCE, set_as_default=False) as client:
            client.run_on_scheduler(_allow_failures, count)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        worker.send_signal(signal.SIGKILL)
        worker.wait(_PATIENCE)
        self.workers.remove(worker)

    def holder(self, path: Path) -> subprocess.Popen[bytes]:
        """The worker that has this file open, or one in this folder, or is about to."""
        while True:
            for each in self.workers:
                if any(file.is_relative_to(path) for file in _open_files(each.pid)):
                    return each

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (*self.workers, self.scheduler):
            each.kill()
            each.wait(_PATIENCE)


def _allow_failures(count: int, dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = count


def _open_files(pid: int) -> list[Path]:
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(each.readlink())
    return found
