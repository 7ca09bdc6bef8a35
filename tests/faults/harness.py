"""Runs a manifest against the faulty service inside this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

from runner import campaign
from runner.api.service import Connection, Service
from runner.campaign import Result
from runner.engine.clock import SystemClock
from runner.manifest.reader import load
from runner.planning.plan import Plan
from runner.planning.selection import Selection
from tests.faults.service import FaultyService

# How long an event may be on its way from a call that has ended, in seconds.
_ON_ITS_WAY = 0.01


class Pool(ThreadPoolExecutor):
    """Knows which of its calls are under way."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self.calls: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self.calls.add(future)
        future.add_done_callback(self.calls.discard)
        return future


class LeapingClock(SystemClock):
    """Real time while a call is under way; a wait for nothing but time is over at once, for the service, too."""

    def __init__(self, service: FaultyService, pools: list[Pool]) -> None:
        super().__init__()
        self._leapt = service.ahead
        self._service = service
        self._pools = pools

    def now(self) -> float:
        return super().now() + self._leapt

    def wait(self, inbox: SimpleQueue[Any], timeout: float) -> list[Any]:
        if any(pool.calls for pool in self._pools) or timeout <= _ON_ITS_WAY:
            return super().wait(inbox, timeout)
        items = super().wait(inbox, _ON_ITS_WAY)
        if not items:
            self._leapt += timeout - _ON_ITS_WAY
            self._service.ahead += timeout - _ON_ITS_WAY
        return items


@contextmanager
def without_waits(service: FaultyService) -> Iterator[None]:
    """Runs in this process wait for events alone."""
    pools: list[Pool] = []

    def pool(*words: Any, **options: Any) -> Pool:
        pools.append(Pool(*words, **options))
        return pools[-1]

    with (
        patch.object(campaign, "SystemClock", lambda: LeapingClock(service, pools)),
        patch.object(campaign, "ThreadPoolExecutor", pool),
    ):
        yield


def connection(service: FaultyService, *, key: str | None = "sk-test-key", patience: float = 1.0) -> Connection:
    """A connection with short time-outs, in seconds."""
    return Connection.to(Service(service.base_url, key, connect_timeout=patience, read_timeout=patience))


def run(
    path: Path,
    service: FaultyService,
    selection: Selection | None = None,
    *,
    allow_uploads: bool = False,
    confirm: Callable[[Plan], bool] = lambda plan: True,
    **changes: object,
) -> Result:
    """One run of a manifest; `changes` go to its run settings."""
    manifest = load(path)
    manifest = replace(manifest, run=replace(manifest.run, **changes))  # type: ignore[arg-type]
    with without_waits(service):
        return campaign.run(
            manifest,
            connection(service),
            selection or Selection(),
            confirm=confirm,
            allow_uploads=lambda plan: allow_uploads,
        )
