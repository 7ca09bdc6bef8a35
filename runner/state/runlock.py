"""One runner per state file. The lock is the kernel's, so that a dead runner never holds it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import filelock

from runner.errors import LockedError
from runner.state.disk import disk_trouble, make_folder


@contextlib.contextmanager
def run_lock(state: Path, now: float) -> Iterator[None]:
    """Hold the run lock of `state`. Raises LockedError at once, naming the holder, where another runner has it.

    `now` (Unix seconds) is written beside the lock with the pid and host, for the message alone.
    """
    with disk_trouble(f"create the run lock of {state}"):
        make_folder(state.parent)
        lock = filelock.FileLock(f"{state}.lock", blocking=False, is_singleton=False)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise LockedError(f"another runner works on {state}: {_holder(state)}", _REMEDY) from None
    try:
        _holder_file(state).write_text(
            json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now}), encoding="utf-8"
        )
        yield
    finally:
        _holder_file(state).unlink(missing_ok=True)
        lock.release()


_REMEDY = "wait until it ends, or stop it with Ctrl-C; the lock is freed with its process"


def _holder_file(state: Path) -> Path:
    return state.with_name(state.name + ".holder")


def _holder(state: Path) -> str:
    try:
        holder = json.loads(_holder_file(state).read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(float(holder["since"]), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {int(holder['pid'])} on {holder['host']}, since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that did not write its name yet"
