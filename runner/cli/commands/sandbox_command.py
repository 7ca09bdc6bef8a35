"""`sandbox`, and the sandbox inside of a run."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from runner.api.service import SANDBOX, Connection, Service
from runner.cli import screen
from runner.errors import Exit, UsageError
from runner.model import Manifest, Output
from runner.shipped import install_line, shipped

if TYPE_CHECKING:
    from runner.sandbox.server import Sandbox, SandboxSettings


@dataclass(frozen=True, slots=True)
class SandboxWays:
    """How the sandbox of a run works, as `--sandbox-NAME` says it: `seconds` is the least time of a request."""

    slots: int = 4
    seconds: float = 1.0
    failure_rate: float = 0.0
    height: int = 720
    behave: tuple[str, ...] = ()


def sandboxed(manifest: Manifest, ways: SandboxWays) -> Connection:
    """A connection that starts a sandbox in this process when it is opened.

    Its requests are stored beside the run's state, so that an interrupted run is resumed like a real one.
    """

    @contextmanager
    def opened() -> Iterator[Service]:
        settings_class, sandbox_class = _imported()
        settings = settings_class(
            directory=_state_here(manifest.output).parent / "sandbox",
            schemas=shipped("schemas") / "models",
            documents={name: schema.document for name, schema in manifest.schemas.items()},
            slots=ways.slots,
            seconds=ways.seconds,
            failure_rate=ways.failure_rate,
            clip_height=ways.height,
            behaviours=ways.behave,
        )
        with sandbox_class(settings) as sandbox:
            screen.detail(f"sandbox {sandbox.base_url}")
            yield Service(sandbox.base_url)

    return Connection(SANDBOX, None, opened, is_paid=lambda: False)


def _state_here(output: Output) -> Path:
    return output.state if output.home is None else output.home.former


def sandbox(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    settings_class, sandbox_class = _imported()
    settings = settings_class(
        directory=Path(options.dir).absolute(),
        schemas=shipped("schemas") / "models",
        port=options.port,
        slots=options.slots,
        seconds=options.seconds,
        failure_rate=options.failure_rate,
        clip_height=options.height,
        behaviours=tuple(options.behave),
        certificate=Path(options.certificate) if options.certificate else None,
        private_key=Path(options.private_key) if options.private_key else None,
    )
    with sandbox_class(settings) as server:
        signal.signal(signal.SIGTERM, _as_interrupt)
        screen.alert(f"The sandbox serves {server.base_url}")
        screen.say(f"Next: reelrun run MANIFEST --base-url {server.base_url}    (Ctrl-C ends the sandbox)")
        try:
            server.wait()
        except KeyboardInterrupt:
            screen.say("", "The sandbox ends; its requests are kept.")
    return Exit.DONE


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _imported() -> tuple[type[SandboxSettings], type[Sandbox]]:
    try:
        from runner.sandbox.server import Sandbox, SandboxSettings
    except ImportError as error:
        raise UsageError(f"the sandbox needs {error.name}", install_line("web")) from error
    return SandboxSettings, Sandbox
