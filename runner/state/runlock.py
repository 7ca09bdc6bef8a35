"""One runner per state file. The kernel keeps the lock, so a dead runner never holds it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import filelock

from runner.errors import LockedError
from runner.state.disk import disk_errors, make_folder


@contextlib.contextmanager
def run_lock(state: Path, now: float) -> Iterator[None]:
    """Hold the run lock of `state`. If another runner holds it, raises LockedError at once, naming the holder.

    `now` (Unix seconds) is written beside the lock with the pid and host, only for that message.
    """
    holder, since = state.with_name(f"{state.name}.holder"), datetime.fromtimestamp(now, UTC)
    with contextlib.ExitStack() as held:
        with disk_errors(f"create the run lock of {state}"):
            make_folder(state.parent)
            try:
                held.enter_context(filelock.FileLock(f"{state}.lock", blocking=False, is_singleton=False))
            except filelock.Timeout:
                raise LockedError(f"another runner works on {state}: {_holder_text(holder)}", _REMEDY) from None
            held.callback(holder.unlink, missing_ok=True)
            words = f"process {os.getpid()} on {socket.gethostname()}, since {since:%Y-%m-%d %H:%M:%S} UTC"
            holder.write_text(words, encoding="utf-8")
        yield


_UNNAMED = "a process that did not write its name yet"
_REMEDY = "wait until it ends, or stop it with Ctrl-C; the lock is freed with its process"


def _holder_text(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or _UNNAMED
    except (OSError, ValueError):
        return _UNNAMED
