"""How a command ends: the one place that turns errors into messages and exit codes."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from runner.cli import screen
from runner.cli.sole_manifest import name_manifest
from runner.errors import DiskError, DriftError, Exit, ManifestError, ReelrunError, worst
from runner.version import RELEASE

# Seconds that the threads of a run have to finish.
_PATIENCE = 1.0
# What Python says where a thread cannot be started: there is no class of its own for it.
_NO_THREAD = ("can't start new thread", "can't allocate lock")
_GOES_ON = "then run the same command again: what a run did is kept"


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
    volume = _volume_of(options)
    with screen.at_volume(volume), _calls_at(volume):
        return int(_told(command, options))


def _volume_of(options: argparse.Namespace) -> screen.Volume:
    if getattr(options, "quiet", False):
        return screen.Volume.QUIET
    return screen.Volume.LOUD if getattr(options, "verbose", False) else screen.Volume.USUAL


def _calls_at(volume: screen.Volume) -> contextlib.AbstractContextManager[None]:
    if volume is not screen.Volume.LOUD:
        return contextlib.nullcontext()
    # Imported here: it loads what makes calls, which most commands do not need.
    from runner.cli.progress import shown_calls

    return shown_calls()


def _told(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> Exit:
    code = Exit.DONE
    try:
        code = _run(command, options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone, as with `| head`.
        screen.drop(sys.stdout)
    except OSError as error:
        screen.drop(sys.stdout)
        screen.alert(f"{screen.red('error:')} the output cannot be written: {error.strerror}")
        code = worst((code, Exit.UNAVAILABLE))
    return code


def _run(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> Exit:
    if getattr(options, "state", None) is not None:
        # Imported here: it takes time and memory that most commands do without.
        import signal

        # Who is ended by it hands back the lease of a state in a bucket, as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _tell_versions()
        name_manifest(options)
        return Exit(command(options))
    except ReelrunError as error:
        found = error
    except KeyboardInterrupt:
        screen.alert("interrupted")
        return Exit.INTERRUPTED
    except OSError as error:
        found = _refused(error)
    except MemoryError:
        found = _without_memory()
    except RuntimeError as error:
        if str(error) not in _NO_THREAD:
            raise
        found = DiskError("the system starts no more threads", f"allow more (ulimit -u, ulimit -v), {_GOES_ON}")
    tell(found, as_json=getattr(options, "json", False))
    return found.exit_code


def _tell_versions() -> None:
    if screen.is_loud():
        import platform

        import runner

        screen.detail(
            f"reelrun {RELEASE} in {os.path.dirname(runner.__file__)}, Python {platform.python_version()},"
            f" {platform.platform()}"
        )


def _refused(error: OSError) -> DiskError:
    """An error of the environment, not of a file of ours."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return DiskError("the current folder was deleted", "change to a folder that is there: cd")
    if error.errno == errno.ENOMEM:
        return _without_memory()
    where = f" ({error.filename})" if error.filename else ""
    return DiskError(f"the system refuses: {error.strerror}{where}", "look at the folder, its name and permissions")


def _without_memory() -> DiskError:
    return DiskError("there is no more memory", f"allow this process more (ulimit -v), {_GOES_ON}")


def tell(error: ReelrunError, *, as_json: bool) -> None:
    """Print an error and what to do about it."""
    if as_json:
        found = error.diagnostics if isinstance(error, ManifestError) else ()
        screen.document({"error": as_document(error), "diagnostics": [each.as_json() for each in found]})
    if isinstance(error, ManifestError):
        screen.diagnostics(error.diagnostics, error.checked)
        return
    # Only a drift has lines of its own, one for each difference.
    first, *more = error.message.split("\n") if isinstance(error, DriftError) else [error.message]
    screen.say_error(first, "" if more else error.hint)
    screen.alert(*more, *([f"  {screen.bold('help:')} {error.hint}"] if more and error.hint else []))


def as_document(error: ReelrunError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "hint": error.hint}
