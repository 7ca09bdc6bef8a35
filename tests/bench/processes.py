"""Commands in processes of their own, each on its core, and what they cost."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.service import PREFIX
from tests.bench.slots import Ledger

ROOT = Path(__file__).parents[2]
# How often a process is looked at, in seconds: short beside everything that is measured.
_TICK = 0.01
_PATIENCE = 3600.0
MIB = 1 << 20


class BrokenError(Exception):
    """A command crashed, or a job did not arrive: the benchmark has no figure, and fails."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost: seconds of CPU (user and system) and of the clock, the peak of its memory in MiB, and of its
    threads.

    The memory is that of the process and of all below it: the sum of the peaks that the kernel keeps of each (VmHWM).
    """

    out: str
    cpu: float
    wall: float
    started: float
    memory: float
    threads: int


class Cores:
    """One core for the client that is measured, another for the service and for us; the same where there is but one."""

    def __init__(self) -> None:
        self._all = sorted(os.sched_getaffinity(0))
        self.pin(self._all[0])

    @property
    def are_apart(self) -> bool:
        return len(self._all) > 1

    @contextlib.contextmanager
    def client(self) -> Iterator[None]:
        """What is started inside has the client's core."""
        self.pin(self._all[-1])
        try:
            yield
        finally:
            self.pin(self._all[0])

    def pin(self, core: int) -> None:
        os.sched_setaffinity(0, {core})


def environment() -> dict[str, str]:
    """Ours, without what names a service or leads around it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GMI_")}
    return {**kept, "PYTHONPATH": str(ROOT), "GMI_API_KEY": "bench", "NO_PROXY": "127.0.0.1"}


def reelrun(*words: object) -> list[str]:
    return [sys.executable, "-m", "runner", *map(str, words)]


def script(name: str, *words: object) -> list[str]:
    return [sys.executable, "-m", f"tests.bench.{name}", *map(str, words)]


def cost_of(command: Sequence[str], cores: Cores, until: Callable[[], bool] | None = None) -> Cost:
    """Run a command to its end, or kill it as soon as `until` is true. Raises BrokenError where it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.monotonic()
        with cores.client():
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
        watch = _Watch(process.pid)
        is_killed = False
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            watch.look()
            if not is_killed and (time.monotonic() - started > _PATIENCE or (until is not None and until())):
                os.kill(process.pid, signal.SIGKILL)
                is_killed = True
            time.sleep(_TICK)
        wall = time.monotonic() - started
        # Popen must not wait for what was waited for here.
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and not (is_killed and until is not None):
            raise BrokenError(f"{' '.join(command[2:4])} ended with {process.returncode}: {_tail(err)}")
        out.seek(0)
        text = out.read().decode()
    return Cost(text, usage.ru_utime + usage.ru_stime, wall, started, watch.memory / MIB, watch.threads)


def _tail(file: tempfile._TemporaryFileWrapper[bytes] | object) -> str:
    file.seek(0)  # type: ignore[union-attr]
    return str(file.read().decode(errors="replace")[-2000:])  # type: ignore[union-attr]


class _Watch:
    """Keeps the peaks of a process and of all below it, in bytes and numbers."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peaks: dict[int, int] = {}
        self.threads = 0

    @property
    def memory(self) -> int:
        return sum(self._peaks.values())

    def look(self) -> None:
        threads = 0
        for pid in _family(self._pid):
            facts = _status(pid)
            self._peaks[pid] = max(self._peaks.get(pid, 0), facts.get("VmHWM", 0) * 1024)
            threads += facts.get("Threads", 0)
        self.threads = max(self.threads, threads)


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found.extend(map(int, (task / "children").read_text().split()))
    return found


def _status(pid: int) -> dict[str, int]:
    """The numbers in /proc/PID/status (proc(5)), memory in KiB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name: int(value.split()[0]) for name, _, value in pairs if value.split()[:1] and value.split()[0].isdigit()}


@dataclass(frozen=True, slots=True)
class Served:
    """A service under way."""

    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def ledger(self) -> Ledger:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/ledger")
            return Ledger(**json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    def is_called(self) -> bool:
        return self.ledger().first_call is not None


@contextlib.contextmanager
def service(**options: object) -> Iterator[Served]:
    """The queue server in a process of its own, on our core."""
    flags = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    process = subprocess.Popen(
        script("service", *flags), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline()
        if not port:
            raise BrokenError("the service did not start")
        yield Served(int(port))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
