"""What `run` and `verify --repair` need while they talk to the service: a connection, progress, and interruption."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from runner.api.client import Client, connection_to
from runner.api.service import Connection
from runner.cli import screen
from runner.cli.commands.sandbox_command import SandboxWays, sandboxed
from runner.cli.options import service_of
from runner.cli.progress import Bar, Lines, StepLines
from runner.errors import Exit, UsageError
from runner.model import Manifest


def to_sandbox(options: argparse.Namespace) -> None:
    """A sandbox that somebody started by hand is one, too: its clips go where those of --sandbox go."""
    if options.sandbox:
        return
    service = service_of(options)
    if Client(service.for_one_call()).is_sandbox():
        options.sandbox, options.base_url = True, service.base_url


def connection_of(options: argparse.Namespace, manifest: Manifest) -> Connection:
    """The sandbox, or the service given by flags and environment. Raises UsageError and AccessError."""
    if options.sandbox and not options.base_url:
        return sandboxed(manifest, _ways(options))
    service = service_of(options)
    if options.sandbox and not service.is_loopback:
        raise UsageError("--sandbox and --base-url exclude each other", "the sandbox has an address of its own")
    return connection_to(service)


def _ways(options: argparse.Namespace) -> SandboxWays:
    return SandboxWays(
        options.sandbox_slots,
        options.sandbox_seconds,
        options.sandbox_failure_rate,
        options.sandbox_height,
        tuple(options.sandbox_behave),
    )


def progress_of(options: argparse.Namespace, manifest: Manifest) -> Bar | Lines | StepLines | None:
    if screen.is_loud():
        return StepLines()
    if options.no_progress or screen.is_quiet() or getattr(options, "dry_run", False):
        return None
    return Bar(manifest) if sys.stderr.isatty() else Lines(manifest)


@contextlib.contextmanager
def first_interruption() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Gives what `interruptible` is for a process that lives on: the first Ctrl-C ends the run in an orderly way, the
    second one is as it was before, and so is every one after the block."""
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def handle(interrupt: Callable[[], None]) -> None:
        def on_signal(number: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGINT, before)
            interrupt()

        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, on_signal)

    try:
        yield handle
    finally:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, before)


def interruptible(interrupt: Callable[[], None]) -> None:
    """Handle Ctrl-C and SIGTERM: the first one ends the run in an orderly way, the second one at once."""
    pressed = 0

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += 1
        if pressed > 1:
            os._exit(Exit.INTERRUPTED)
        again = b"Press Ctrl-C again" if number == signal.SIGINT else b"Send the signal again"
        # os.write, not sys.stderr: the signal may come in the middle of a write to it.
        os.write(2, b"\nStopping: nothing more is submitted. %b to leave at once.\n" % again)
        interrupt()

    # Handlers can be set only in the main thread. In other threads the caller handles signals.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, on_signal)
        signal.signal(signal.SIGTERM, on_signal)
