"""How a command ends: the one place that turns errors into words and exit codes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable

from runner.cli import screen
from runner.errors import Exit, ManifestError, ReelrunError


def guarded(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command. A user's error is told with its remedy; with --json it is a document on stdout."""
    try:
        code = int(command(options))
        sys.stdout.flush()
    except ReelrunError as error:
        tell(error, as_json=getattr(options, "json", False))
        return int(error.exit_code)
    except KeyboardInterrupt:
        screen.say("interrupted")
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone, as with `| head`. Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.DONE)
    return code


def tell(error: ReelrunError, *, as_json: bool) -> None:
    """Say what is wrong and what to do."""
    if as_json:
        sys.stdout.write(json.dumps({"error": as_document(error)}, ensure_ascii=False) + "\n")
    if isinstance(error, ManifestError):
        screen.diagnostics(error.diagnostics)
        return
    screen.say(f"{screen.red('error:')} {error.message}")
    if error.hint:
        screen.say(f"  {screen.bold('help:')} {error.hint}")


def as_document(error: ReelrunError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "hint": error.hint}
