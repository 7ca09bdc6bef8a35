"""A rehearsal of planning in a process of its own: outside of the main thread no timer can interrupt a template."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence

from runner.errors import Diagnostic, ManifestError, UsageError
from runner.model import Manifest
from runner.planning.plan import make_plan

_CODE = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer);"
    " from runner.planning.rehearsal import perform; perform()"
)


def rehearse(manifest: Manifest, warnings: Sequence[Diagnostic] = ()) -> None:
    """Outside of the main thread, plan in a process that has a timer and a limit on its memory.

    What renders there renders here, as quickly. Raises ManifestError with what planning finds there, and UsageError
    where the process is stopped.
    """
    if threading.current_thread() is threading.main_thread():
        return
    asked = pickle.dumps(sys.path) + pickle.dumps((manifest, warnings))
    ended = subprocess.run([sys.executable, "-c", _CODE], input=asked, capture_output=True, check=False)
    if ended.returncode:
        hint = "make the sweep smaller, or its templates simpler"
        raise UsageError("planning was stopped: it takes more memory than it may", hint)
    found: tuple[Diagnostic, ...] = pickle.loads(ended.stdout)  # noqa: S301  # our own process wrote it
    if found:
        raise ManifestError(found)


def perform() -> None:
    """What the process does: it reads a manifest from its input, and writes the diagnostics that stop its planning."""
    manifest, warnings = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own process wrote it
    found: tuple[Diagnostic, ...] = ()
    try:
        make_plan(manifest, warnings=warnings, has_process=True)
    except ManifestError as error:
        found = error.diagnostics
    sys.stdout.buffer.write(pickle.dumps(found))
