"""Processes of this machine that look at clips."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread

from runner.errors import WorkersError
from runner.model import Measured
from runner.results.workers.kept_clip import KeptClip, look_at_kept
from runner.results.workers.workforce import Hire
from runner.video.measures import ViewOrder


def local_pool(processes: int) -> Hire:
    """At most so many processes."""

    @contextmanager
    def hire(clips: int) -> Iterator[LocalPool]:
        few = min(processes, clips)
        with _executor(few) as executor:
            try:
                yield LocalPool(executor, few)
            finally:
                executor.shutdown(cancel_futures=True)

    return hire


@dataclass(frozen=True, slots=True)
class LocalPool:
    """A workforce of processes of this machine; a single one is a thread of this process."""

    executor: Executor
    processes: int

    def at_once(self) -> int:
        return self.processes

    def submit(self, clip: KeptClip, order: ViewOrder) -> Future[Measured]:
        return self.executor.submit(look_at_kept, clip, order)

    def result(self, future: Future[Measured]) -> Measured:
        try:
            return future.result()
        except BrokenExecutor as error:
            hint = "run the same command again, with fewer --processes: what was measured is kept"
            raise WorkersError("a process that measured clips was ended from outside", hint) from error


def _executor(processes: int) -> Executor:
    if processes == 1:
        return ThreadPoolExecutor(1)
    # Started anew, not copied: threads of FFmpeg and OpenCV do not survive a copy.
    return ProcessPoolExecutor(processes, get_context("spawn"), initializer=_follow_parent)


def _follow_parent() -> None:
    """Ctrl-C reaches all processes of a terminal: the one that started these ends them. They end when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "this process was started by another"
    parent.join()
    os._exit(1)
