"""Output: messages and hints go to stderr, data to stdout. Colours are only for terminals, and never the only sign.

Nothing else writes to either. What goes out is made safe here, line by line: a line end in a text makes no new line.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import TextIO

from runner.diagnostics import terminal
from runner.diagnostics.terminal import safe, safe_json, wrapped
from runner.errors import Diagnostic, DiskError, Severity, Stage
from runner.secret import without_key


class Volume(IntEnum):
    """How much is told: errors alone (--quiet), what people usually want to know, or all (--verbose)."""

    QUIET = 0
    USUAL = 1
    LOUD = 2


# Of the process, as stderr is.
_volume = Volume.USUAL


@contextlib.contextmanager
def at_volume(volume: Volume) -> Iterator[None]:
    """Tell as much as that, in this block."""
    global _volume
    before, _volume = _volume, volume
    try:
        yield
    finally:
        _volume = before


def is_quiet() -> bool:
    return _volume is Volume.QUIET


def is_loud() -> bool:
    return _volume is Volume.LOUD


def say(*lines: str) -> None:
    """Print a message for people, unless --quiet is given. If stderr cannot be written, nothing stops."""
    if not is_quiet():
        alert(*lines)


def alert(*lines: str) -> None:
    """Print what --quiet does not silence: errors, questions with what they are about, addresses to go to."""
    _to_stderr("".join(f"{safe(line)}\n" for line in lines))


def detail(*lines: str) -> None:
    """Print what only --verbose tells."""
    if is_loud():
        alert(*lines)


def moment(*lines: str) -> None:
    """Print what happens now, with the time, with --verbose."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail(*(f"{now} {line}" for line in lines))


def ask(question: str) -> None:
    """Print a question after an empty line. Its answer goes into the same line."""
    _to_stderr(f"\n{safe(question)} ")


def _to_stderr(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr)


def say_aside(paths: Iterable[object]) -> None:
    """Tell what was in the way of a download and was renamed."""
    for path in paths:
        say(f"Set aside: {shown_path(path)} was in the place of a download; it is kept, and no part of the run")


def show(*lines: str) -> None:
    """Print a result on stdout."""
    _to_stdout("".join(f"{safe(line)}\n" for line in lines))


def report(*lines: str) -> None:
    """Print on stdout what a command did, unless --quiet is given."""
    if not is_quiet():
        show(*lines)


def command(line: str) -> None:
    """Print a command for a workflow of GitHub on stdout."""
    _to_stdout(f"{safe(line, is_command=True)}\n")


def verbatim(text: str) -> None:
    """Print a text of ours on stdout as it is: no line for people, but a script or a file."""
    _to_stdout(without_key(text))


def _to_stdout(text: str) -> None:
    """Raises DiskError if it cannot be written."""
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        # The reader has gone, as with `| head`. The command must still end with its own exit code.
        return
    except OSError as error:
        drop(sys.stdout)
        raise DiskError(
            f"the output cannot be written: {error.strerror}", "make room where it goes; what a run did is kept"
        ) from error


def drop(stream: TextIO) -> None:
    """Discard the rest of a stream that cannot be written. Otherwise Python fails on it again at exit."""
    # A stream without a file descriptor, such as StringIO, needs none of this.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def document(data: object) -> None:
    """Print the one JSON document of a command on stdout."""
    # In other encodings than UTF-8, the stream would write escapes that are not valid in JSON.
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    _to_stdout(safe_json(data, ascii_only=not is_unicode) + "\n")


def has_colour(stream: TextIO | None = None) -> bool:
    """Whether a stream, by default stderr, shows colours."""
    # https://no-color.org
    return (stream or sys.stderr).isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def bold(text: str) -> str:
    return painted(text, "1", has_colour())


def red(text: str) -> str:
    return painted(text, "1;31", has_colour())


def painted(text: str, colour: str, is_shown: bool) -> str:
    return terminal.painted(text, colour) if is_shown else text


def diagnostics(found: Sequence[Diagnostic], checked: Stage = Stage.PLANNING) -> None:
    """Print every diagnostic with its line and caret, then how many there are."""
    each_diagnostic(found)
    if found:
        say(total(found, checked))


def each_diagnostic(found: Iterable[Diagnostic]) -> None:
    """Print every diagnostic with its line and caret."""
    from runner.diagnostics.report import lines_of, plain

    paint = terminal.painted if has_colour() else plain
    for each in found:
        tell = alert if each.severity is Severity.ERROR else say
        tell(*lines_of(each, paint, columns(sys.stderr)))


def columns(stream: TextIO) -> int | None:
    """The width of a terminal; None where there is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else None
    except (OSError, ValueError):
        return None


def say_error(message: str, hint: str) -> None:
    """Print an error, and what to do about it."""
    first, *more = wrapped(f"error: {message}", columns(sys.stderr), 4)
    alert(first.replace("error:", red("error:"), 1), *more)
    if hint:
        first, *more = wrapped(f"  help: {hint}", columns(sys.stderr), 8)
        alert(first.replace("help:", bold("help:"), 1), *more)


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
    try:
        relative = os.path.relpath(str(path))
    except FileNotFoundError:
        # The current folder was deleted.
        return str(path)
    return relative if len(relative) < len(str(path)) else str(path)
