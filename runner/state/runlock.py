"""One runner per state file. The kernel keeps the locks, so a dead runner never holds one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from runner.errors import LockedError
from runner.state.disk import disk_errors, leads_to, make_folder, refuse_links, unfollowed


@contextlib.contextmanager
def run_lock(state: Path, now: float) -> Iterator[None]:
    """Hold the run lock of `state`. If another runner holds it, raises LockedError at once, naming the holder.

    `now` (Unix seconds) is written beside the lock with the pid and host, only for that message.
    """
    lock, holder = state.with_name(f"{state.name}.lock"), _holder_path(state)
    since = datetime.fromtimestamp(now, UTC)
    refuse_links(lock, holder)
    with contextlib.ExitStack() as held:
        with disk_errors(f"create the run lock of {state}"):
            make_folder(state.parent)
            held.callback(os.close, locked_file(lock, state, os.O_CREAT))
            held.callback(holder.unlink, missing_ok=True)
            holder.unlink(missing_ok=True)
            words = f"{this_process()}, since {since:%Y-%m-%d %H:%M:%S} UTC"
            with open(holder, "x", encoding="utf-8", opener=unfollowed) as file:
                file.write(words)
        yield


def this_process() -> str:
    """This process, as others are told of it."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def locked_file(path: Path, state: Path, flags: int = 0) -> int:
    """The descriptor of a file that only one runner of `state` has locked, until it is closed. Raises LockedError."""
    while True:
        descriptor = unfollowed(str(path), os.O_RDWR | flags)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                words = _holder_text(_holder_path(state))
                raise LockedError(f"another runner works on {state}: {words}", _REMEDY) from None
            # Between the two calls it may have been removed, and another runner may have locked its successor.
            if leads_to(path, descriptor):
                on_failure.pop_all()
                return descriptor


_UNNAMED = "a process that did not write its name yet"
_LONGEST = 500
_REMEDY = "wait until it ends, or end its process (Ctrl-C there, or kill); the lock is freed with it"


def _holder_path(state: Path) -> Path:
    return state.with_name(f"{state.name}.holder")


def _holder_text(holder: Path) -> str:
    try:
        with open(holder, encoding="utf-8", opener=unfollowed) as file:
            return file.read(_LONGEST) or _UNNAMED
    except (OSError, ValueError):
        return _UNNAMED
