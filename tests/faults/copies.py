"""The command line in processes of their own, which are killed. Each is a copy of one that has imported the program."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.command import environment
from tests.kit import cheapen_digests

_COPIES = get_context("forkserver")
_COPIES.set_forkserver_preload(["tests.faults.killer", "runner.video.looking.viewing"])


def start(words: Sequence[str], errors: Path, step: str | None = None, **more: str) -> ForkServerProcess:
    """Start the command; what it says goes to the file. Where a step is named, it kills itself there."""
    process = _COPIES.Process(target=_become, args=(list(words), errors, step, environment(**more)))
    process.start()
    return process


def die_at(step: str, words: Sequence[str], errors: Path, **more: str) -> None:
    """Run the command, which must kill itself at this step."""
    process = start(words, errors, step, **more)
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"the step was not reached: {errors.read_text()}"


def _become(words: list[str], errors: Path, step: str | None, variables: Mapping[str, str]) -> None:
    from tests.faults import killer

    os.environ.clear()
    os.environ.update(variables)
    said = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(said, stream.fileno())
    cheapen_digests()
    killer.play(words, step)
