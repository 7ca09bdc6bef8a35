"""Runs the command line and kills its own process at a named step: `python -m tests.faults.killer STEP run ...`.

In the environment, REELRUN_WALL is how many seconds this machine's clock is ahead of the right time, and REELRUN_BOOT
the boot that it is in.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from runner.api.client import Client
from runner.cli.error_handler import end
from runner.cli.main import main
from runner.engine import asks, clock
from runner.engine.downloads import artifacts
from runner.engine.mirror.mirror import Mirror
from runner.engine.submitting import Submitting
from runner.results import index
from runner.state import renames, runlock
from runner.state.store import Store
from runner.state.travelling import bucket_states, lease, travelling_store
from runner.video import decoding
from runner.video.looking.previews import PreviewFiles


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> None:
    setattr(owner, name, die)


def after(owner: Any, name: str) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        original(*args, **kwargs)
        die()

    setattr(owner, name, wrapped)


def after_commit(name: str) -> None:
    """Die as soon as the transaction in which the store's `name` was called is durable."""
    original, transaction = getattr(Store, name), Store.transaction
    called = []

    def noted(*args: Any, **kwargs: Any) -> Any:
        called.append(True)
        return original(*args, **kwargs)

    from contextlib import contextmanager

    @contextmanager
    def watched(self: Store) -> Any:
        with transaction(self):
            yield
        if called:
            die()

    setattr(Store, name, noted)
    Store.transaction = watched  # type: ignore[method-assign, assignment]


# The steps of the durability rule, in their order.
STEPS: dict[str, Callable[[], None]] = {
    "before the intent": lambda: before(Store, "intend"),
    "intent written, not committed": lambda: after(Store, "intend"),
    "intent committed": lambda: after_commit("intend"),
    "before the POST leaves": lambda: before(Submitting, "post"),
    "POST answered": lambda: after(Client, "submit"),
    "request id written, not committed": lambda: after(Store, "accept"),
    "request id committed": lambda: after_commit("accept"),
    "poll answered": lambda: after(Client, "get"),
    "success observed": lambda: after_commit("observe"),
    "before the download": lambda: before(artifacts, "download"),
    "part written and synced": lambda: after(artifacts, "download"),
    "video verified": lambda: after(decoding, "inspect_video"),
    "previews in their place": lambda: after(PreviewFiles, "finish"),
    "before the rename": lambda: before(artifacts, "put_in_place"),
    "renamed": lambda: after(os, "replace"),
    "in place and folder synced": lambda: after(artifacts, "put_in_place"),
    "before the thumbnail": lambda: before(artifacts, "_thumbnail"),
    "artifact written, not committed": lambda: after(Store, "keep"),
    "measures written, not committed": lambda: after(Store, "keep_measured"),
    "outcome written, not committed": lambda: after(Store, "conclude"),
    "outcome committed": lambda: after_commit("conclude"),
    "before the index": lambda: before(index, "write"),
    "index written": lambda: after(index, "write"),
    "folder made": lambda: after(runlock, "make_folder"),
    "folders created, not durable": lambda: after(artifacts, "create_folders"),
}


# The steps in which the current clip gets the name of one that is outdated.
NAME_STEPS: dict[str, Callable[[], None]] = {
    "moves committed": lambda: after_commit("give_path"),
    "orphan renamed, folders not synced": lambda: before(renames, "_sync"),
    "orphan's path committed": lambda: after_commit("finish_move"),
}


# The steps of an upload, which comes before the intents of its jobs.
UPLOAD_STEPS: dict[str, Callable[[], None]] = {
    "where to put it is told": lambda: after(Client, "post_json"),
    "file put, not committed": lambda: after(Store, "keep_upload"),
    "upload committed": lambda: after_commit("keep_upload"),
}


# The steps of an ask for a further take. How it is bought is as ever.
AGAIN_STEPS: dict[str, Callable[[], None]] = {
    "ask written, not committed": lambda: after(Store, "ask"),
    "ask committed": lambda: after_commit("ask"),
    "rejection written": lambda: after(asks, "append"),
    "POST answered": STEPS["POST answered"],
}


def stop(*_: object, **__: object) -> None:
    """To this thread: if the signal went to another one, this one might go on for a moment."""
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def stopped_after(owner: Any, name: str) -> None:
    """Stop the process after the first call, as a machine that is suspended; it goes on by SIGCONT."""
    original: Callable[..., Any] = getattr(owner, name)
    stopped: list[bool] = []

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if not stopped:
            stopped.append(True)
            stop()
        return result

    setattr(owner, name, wrapped)


# The steps of a run whose state lives in a bucket, each with the machine gone.
TRAVEL_STEPS: dict[str, Callable[[], None]] = {
    "lease taken": lambda: before(travelling_store.TravellingStore, "travel"),
    "state put": lambda: after(travelling_store.TravellingStore, "bring"),
    "intents put": lambda: after(travelling_store.TravellingStore, "secure"),
    "lease looked at": lambda: after(lease.Lease, "look"),
    "POST answered": STEPS["POST answered"],
    "request id committed": STEPS["request id committed"],
    "outcome committed": STEPS["outcome committed"],
    "index written": STEPS["index written"],
    "lease handed back": lambda: after(travelling_store.TravellingStore, "come_home"),
}
# A state of this disk moves into the bucket.
MOVE_STEPS: dict[str, Callable[[], None]] = {
    "lease taken": lambda: after(lease.Lease, "take"),
    "copy opened": lambda: before(travelling_store.TravellingStore, "travel"),
    "former state set aside": lambda: after(bucket_states, "_leave_former"),
    "state put": TRAVEL_STEPS["state put"],
}
STOPS: dict[str, Callable[[], None]] = {
    "lease looked at": lambda: stopped_after(lease.Lease, "look"),
    "intents put": lambda: stopped_after(travelling_store.TravellingStore, "secure"),
    "POST answered, and stopped": lambda: stopped_after(Client, "submit"),
}


# The steps of a copy to the mirror, which comes after the outcome of its job.
MIRROR_STEPS: dict[str, Callable[[], None]] = {
    "before the copy": lambda: before(Mirror, "copy"),
    "copied, not recorded": lambda: after(Mirror, "copy"),
    "copy recorded, not committed": lambda: after(Store, "keep_copy"),
    "copy committed": lambda: after_commit("keep_copy"),
}


def set_clocks(ahead: float, boot: str | None) -> None:
    right = time.time
    time.time = lambda: right() + ahead
    if boot is not None:
        clock.SystemClock.boot = property(lambda self: boot, lambda self, value: None)  # type: ignore[assignment]


def play(words: list[str], step: str | None) -> NoReturn:
    """Run the command and, where a step is named, die there."""
    set_clocks(float(os.environ.get("REELRUN_WALL", "0")), os.environ.get("REELRUN_BOOT"))
    if "REELRUN_FRESH" in os.environ and step is not None:
        lease.FRESH = float(os.environ["REELRUN_FRESH"])
        STOPS[step]()
    elif step is not None:
        every = STEPS | NAME_STEPS | UPLOAD_STEPS | AGAIN_STEPS | TRAVEL_STEPS | MOVE_STEPS | MIRROR_STEPS
        every[step]()
    end(main(words))


if __name__ == "__main__":
    play(sys.argv[2:], sys.argv[1])
