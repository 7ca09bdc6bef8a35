"""How planning a manifest from a stranger ends: from the command line, and from a thread of a Python program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Far beyond what any of them may take: what goes on for longer never ends.
PATIENCE = 120
COMMAND = (sys.executable, "-m", "runner", "validate", "--json")
THREAD = """
import json, sys, threading
import runner
from runner.errors import ManifestError, UsageError

def plan():
    try:
        runner.plan(runner.load(sys.argv[1]))
        found = []
    except ManifestError as error:
        found = [each.as_json() for each in error.diagnostics]
    except UsageError as error:
        found = [{"code": error.code}]
    print(json.dumps({"diagnostics": found}))

thread = threading.Thread(target=plan)
thread.start()
thread.join()
"""
WAYS: Mapping[str, tuple[str, ...]] = {"command": COMMAND, "thread": (sys.executable, "-c", THREAD)}


@dataclass(frozen=True)
class End:
    """What was found, what was on stderr, and what it took: seconds, and MiB of the largest of its processes."""

    diagnostics: list[dict[str, Any]]
    errors: str
    seconds: float
    memory: float


def end_of(way: str, manifest: Path) -> End:
    """Plan a manifest in a process of its own."""
    began = time.monotonic()
    with subprocess.Popen(
        [*WAYS[way], str(manifest)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=manifest.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "GMI_API_KEY": "a-very-secret-key"},
    ) as process:
        try:
            out, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    # The largest of all children that have ended so far; each caller is a process of its own where it is looked at.
    return End(json.loads(out)["diagnostics"], errors, time.monotonic() - began, _peak())


def _peak() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
