"""Processes of their own that begin at once: copies of one that has imported the program and does nothing else."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.kit import cheapen_digests

_COPIES = get_context("forkserver")
_COPIES.set_forkserver_preload(["tests.faults.killer", "runner.video.looking.viewing"])


def start(
    words: Sequence[object], variables: Mapping[str, str], files: Sequence[str | Path], step: str | None = None
) -> ForkServerProcess:
    """Start the command line in an environment, with these files as stdin, stdout and stderr: maybe a terminal.

    Where a step is named, it kills itself there. It has opened the files when this returns.
    """
    waiting, telling = _COPIES.Pipe(duplex=False)
    with waiting, telling:
        command = (list(map(str, words)), dict(variables), list(files), step)
        process = _COPIES.Process(target=_become, args=(telling, *command))
        process.start()
        waiting.recv()
    return process


def _become(
    telling: Connection, words: list[str], variables: dict[str, str], files: list[str | Path], step: str | None
) -> None:
    from tests.faults import killer

    os.environ.clear()
    os.environ.update(variables)
    # The first terminal that a process opens which leads a session becomes its own.
    os.setsid()
    # Whoever starts the tests in the background of a shell has this ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    telling.send(True)
    telling.close()
    sys.stdin = os.fdopen(0, closefd=False)
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, os.fdopen(number, "w", 1, encoding="utf-8", closefd=False))
    cheapen_digests()
    killer.play(words, step)
