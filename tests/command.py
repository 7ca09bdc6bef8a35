"""The command line as tests call it: in this process, in one of its own, and on a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from runner.cli.main import main
from tests import copies

ROOT = Path(__file__).parents[1]
# A sandbox that is quick: small clips, no waiting.
SANDBOX = ("--sandbox", "--sandbox-height", "64", "--sandbox-seconds", "0")
_PATIENCE = 60.0
# What a tester's own environment may hold, and what would change the outcome.
_FOREIGN = ("GMI_", "NO_COLOR", "COLUMNS", "PYTHONUNBUFFERED", "PYTHONIOENCODING")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


def call(*words: object) -> Ended:
    """Run a command in this process. Its signal handlers do not outlive it."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as ending:
            code = int(ending.code or 0)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return Ended(code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def environment(**more: str) -> dict[str, str]:
    """That of a process of its own, without anything that names a real service."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **more}


def spawn(
    *words: object,
    cwd: Path | None = None,
    shell: str = "",
    limit: Callable[[], object] | None = None,
    **more: str,
) -> Ended:
    """Run a command in a process of its own; `shell` is what follows it on the line of a shell, and `limit` is called
    in that process before it."""
    command = [sys.executable, "-m", "runner", *map(str, words)]
    if shell:
        command = ["bash", "-c", f'set -o pipefail; "$@" {shell}', "bash", *command]
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE,
        preexec_fn=limit,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def start(words: Sequence[object], said: Path, step: str | None = None, **more: str) -> ForkServerProcess:
    """Start a command in a process of its own; what it says goes to a file."""
    return copies.start(words, environment(**more), (os.devnull, said, said), step)


def die_at(step: str, words: Sequence[object], said: Path, **more: str) -> None:
    """Run a command that must kill itself at this step, one of tests/faults/killer.py."""
    process = start(words, said, step, **more)
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"the step was not reached: {said.read_text()}"


class _Program(subprocess.Popen[bytes]):
    """Another program, with what processes of `copies` have."""

    @property
    def exitcode(self) -> int | None:
        return self.poll()

    def join(self, timeout: float | None = None) -> None:
        self.wait(timeout)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A process on a terminal of its own, and what stands on it."""

    def __init__(self, process: ForkServerProcess | _Program, descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self.seen = ""

    def until(self, pattern: str) -> str:
        """Wait until this is on the screen, or the process has ended; all that was seen so far."""
        deadline = time.monotonic() + _PATIENCE
        while not re.search(pattern, self.seen) and self._read(deadline):
            pass
        assert re.search(pattern, self.seen), self.seen
        return self.seen

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    def ended(self) -> int:
        """The exit code, once all is read."""
        deadline = time.monotonic() + _PATIENCE
        while self._read(deadline):
            pass
        self._process.join(_PATIENCE)
        assert self._process.exitcode is not None
        return self._process.exitcode

    def _read(self, deadline: float) -> bool:
        # Not select(), which takes no number above 1,023.
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        assert poll.poll(1000 * max(deadline - time.monotonic(), 0)), f"nothing more came: {self.seen}"
        try:
            content = os.read(self._descriptor, 1 << 16)
        except OSError:
            # EIO: the other end of the terminal is closed.
            return False
        self.seen += content.decode(errors="replace")
        return bool(content)


@contextlib.contextmanager
def terminal(
    *words: object,
    columns: int = 80,
    out: Path | None = None,
    program: tuple[str, ...] = (),
    **more: str,
) -> Iterator[Terminal]:
    """A command, or another program, on a terminal of so many columns; its stdout may go to a file."""
    descriptor, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    name = os.ttyname(inner)
    told = environment(**{"TERM": "xterm", **more})
    if program:
        process: ForkServerProcess | _Program = _Program(
            [*program, *map(str, words)], stdin=inner, stdout=inner, stderr=inner, env=told,
            start_new_session=True, preexec_fn=_take_terminal,
        )  # fmt: skip
    else:
        process = copies.start(words, told, (name, out or name, name))
    os.close(inner)
    try:
        yield Terminal(process, descriptor)
    finally:
        process.kill()
        process.join()
        os.close(descriptor)
