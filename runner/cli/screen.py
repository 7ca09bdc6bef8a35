"""Output: messages and hints go to stderr, data to stdout. Colours are only for terminals, and never the only sign."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TextIO

from runner.errors import Diagnostic, Severity, Stage


def say(text: str) -> None:
    """Print a message for people. If stderr cannot be written, nothing stops."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr)


def show(text: str) -> None:
    """Print a result on stdout."""
    # If the reader has gone, as with `| head`, the command must still end with its own exit code.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(text + "\n")


def drop(stream: TextIO) -> None:
    """Discard the rest of a stream that cannot be written. Otherwise Python fails on it again at exit."""
    # A stream without a file descriptor, such as StringIO, needs none of this.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def document(data: object) -> None:
    """Print the one JSON document of a command on stdout."""
    # In other encodings than UTF-8, the stream would write escapes that are not valid in JSON.
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    show(json.dumps(data, ensure_ascii=not is_unicode, indent=2))


def has_colour(stream: TextIO | None = None) -> bool:
    """Whether a stream, by default stderr, shows colours."""
    # https://no-color.org
    return (stream or sys.stderr).isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def bold(text: str) -> str:
    return painted(text, "1", has_colour())


def red(text: str) -> str:
    return painted(text, "1;31", has_colour())


def painted(text: str, colour: str, is_shown: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if text and is_shown else text


def diagnostics(found: Sequence[Diagnostic], checked: Stage = Stage.PLANNING) -> None:
    """Print every diagnostic with its line and caret, then how many there are."""
    problems(found)
    if found:
        say(total(found, checked))


def problems(found: Iterable[Diagnostic]) -> None:
    """Print every diagnostic with its line and caret."""
    from runner.diagnostics import report

    for each in found:
        say(report.text(each, colour=has_colour()))


def tally(found: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    errors = sum(each.severity is Severity.ERROR for each in found)
    counts = ((errors, "error"), (len(found) - errors, "warning"))
    return ", ".join(count(number, name) for number, name in counts if number)


def total(found: Sequence[Diagnostic], checked: Stage = Stage.PLANNING) -> str:
    """How many diagnostics there are, and what errors prevented. `checked` is the last stage that was checked."""
    has_errors = any(each.severity is Severity.ERROR for each in found)
    return f"{tally(found)}{unchecked(checked)}." + (" Nothing was sent." if has_errors else "")


def unchecked(stage: Stage) -> str:
    """What was not checked because errors ended the checking after this stage."""
    left = {Stage.YAML: ". Structure and planning were", Stage.STRUCTURE: ". Planning was"}.get(stage)
    return f"{left} not checked yet" if left else ""


def count(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    plural = {"match": "matches"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def cost_document(amount: Decimal | None, currency: str) -> dict[str, object] | None:
    return None if amount is None else {"total": float(amount), "currency": currency}


def shown_path(path: object) -> str:
    """A path for people: relative to the current folder if that is shorter."""
    relative = os.path.relpath(str(path))
    return relative if len(relative) < len(str(path)) else str(path)
