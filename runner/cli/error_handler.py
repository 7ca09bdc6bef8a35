"""How a command ends: the one place that turns errors into messages and exit codes."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from runner.cli import screen
from runner.errors import DiskError, Exit, ManifestError, ReelrunError, worst

# Seconds that the threads of a run have to finish.
_PATIENCE = 1.0


def end(code: int) -> NoReturn:
    """End the process at once: Python's own clean-up takes longer than many a command.

    Threads of a run get `_PATIENCE` seconds to finish. One that still hangs in a call then has no effect any more.
    """
    deadline = time.monotonic() + _PATIENCE
    for thread in threading.enumerate():
        if thread.name.startswith("reelrun"):
            thread.join(max(deadline - time.monotonic(), 0.0))
    for stream in (sys.stdout, sys.stderr):
        # It is too late to report that the reader has gone, or that the stream is closed.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def guarded(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command. An error is printed with its hint; with --json it is also a document on stdout."""
    code = Exit.DONE
    try:
        code = _run(command, options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone, as with `| head`.
        screen.drop(sys.stdout)
    except OSError as error:
        screen.drop(sys.stdout)
        screen.say(f"{screen.red('error:')} the output cannot be written: {error.strerror}")
        code = worst((code, Exit.TROUBLE))
    return int(code)


def _run(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> Exit:
    try:
        return Exit(command(options))
    except ReelrunError as error:
        found = error
    except KeyboardInterrupt:
        screen.say("interrupted")
        return Exit.INTERRUPTED
    except OSError as error:
        # An error of the environment, not of a file of ours: such as a current folder that was deleted.
        where = f" ({error.filename})" if error.filename else ""
        found = DiskError(
            f"the system refuses: {error.strerror}{where}", "look at the folder, its name and permissions"
        )
    tell(found, as_json=getattr(options, "json", False))
    return found.exit_code


def tell(error: ReelrunError, *, as_json: bool) -> None:
    """Print an error and what to do about it."""
    if as_json:
        screen.document({"error": as_document(error)})
    if isinstance(error, ManifestError):
        screen.diagnostics(error.diagnostics, error.checked)
        return
    screen.say(f"{screen.red('error:')} {error.message}")
    if error.hint:
        screen.say(f"  {screen.bold('help:')} {error.hint}")


def as_document(error: ReelrunError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "hint": error.hint}
