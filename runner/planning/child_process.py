"""Planning in a separate process, because outside of the main thread no timer can interrupt a template."""

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
    " from runner.planning.child_process import perform; perform()"
)


def plan_in_child_process(manifest: Manifest, warnings: Sequence[Diagnostic] = ()) -> None:
    """If this is not the main thread, plan in a separate process that has a timer and a memory limit.

    What renders there also renders here, equally fast. Raises ManifestError with the diagnostics of that process, and
    UsageError if the process is stopped.
    """
    if threading.current_thread() is threading.main_thread():
        return
    request = pickle.dumps(sys.path) + pickle.dumps((manifest, warnings))
    finished = subprocess.run([sys.executable, "-c", _CODE], input=request, capture_output=True, check=False)
    if finished.returncode:
        told = finished.stderr.decode(errors="replace")
        if finished.returncode > 0 and "memory" not in told.casefold():
            raise UsageError(f"planning failed in its own process: {(told.splitlines() or ['without a word'])[-1]}")
        hint = "make the sweep smaller, or its templates simpler"
        raise UsageError("planning was stopped: it takes more memory than it may", hint)
    found: tuple[Diagnostic, ...] = pickle.loads(finished.stdout)  # noqa: S301  # our own process wrote it
    if found:
        raise ManifestError(found)


def perform() -> None:
    """Run in the separate process: read a manifest from standard input, and write the diagnostics if planning fails."""
    manifest, warnings = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own process wrote it
    found: tuple[Diagnostic, ...] = ()
    try:
        make_plan(manifest, warnings=warnings, limits_memory=True)
    except ManifestError as error:
        found = error.diagnostics
    sys.stdout.buffer.write(pickle.dumps(found))
