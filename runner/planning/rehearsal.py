"""A rehearsal of planning in a process of its own: outside of the main thread no timer can interrupt a template."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence

from runner.errors import Diagnostic, ManifestError, UsageError
from runner.model import Manifest
from runner.planning.templates.watch import limited_memory

_CODE = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer);"
    " from runner.planning.rehearsal import perform; perform()"
)


def rehearse(
    make_plan: Callable[..., object], manifest: Manifest, warnings: Sequence[Diagnostic], is_patient: bool
) -> None:
    """Call `make_plan` in a process that has a timer and a limit on its memory. What renders there renders here.

    Raises ManifestError with what planning finds there, and UsageError where the process is stopped.
    """
    asked = pickle.dumps(sys.path) + pickle.dumps((make_plan, manifest, warnings, is_patient))
    ended = subprocess.run([sys.executable, "-c", _CODE], input=asked, capture_output=True, check=False)
    if ended.returncode:
        hint = "make the sweep smaller, or its templates simpler"
        raise UsageError("planning was stopped: it takes more memory than it may", hint)
    found: tuple[Diagnostic, ...] = pickle.loads(ended.stdout)  # noqa: S301  # our own process wrote it
    if found:
        raise ManifestError(found)


def perform() -> None:
    """What the process does: it reads a manifest from its input, and writes the diagnostics that stop its planning."""
    make_plan, manifest, warnings, is_patient = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own process wrote it
    found: tuple[Diagnostic, ...] = ()
    try:
        with limited_memory():
            make_plan(manifest, warnings=warnings, is_patient=is_patient)
    except ManifestError as error:
        found = error.diagnostics
    sys.stdout.buffer.write(pickle.dumps(found))
