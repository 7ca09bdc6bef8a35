"""A sandbox as a whole: its settings, its parts, and the thread that serves it."""

from __future__ import annotations

import logging
import socket
import sqlite3
import threading
import time
import uuid
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from runner.sandbox.answers import Answers, Echo
from runner.sandbox.app import PREFIXES, App
from runner.sandbox.catalog import Catalog
from runner.sandbox.errors import SandboxError
from runner.sandbox.intake import Intake
from runner.sandbox.pictures import Album
from runner.sandbox.store import Store
from runner.sandbox.studio import Studio
from runner.sandbox.workers import Pace, Workers

__all__ = ["Sandbox", "SandboxError", "SandboxSettings"]

_SILENT = logging.CRITICAL + 1
# Longer than clients wait between two calls on one connection.
_KEEP_ALIVE_SECONDS = 75
_LAST_CALLS_SECONDS = 1
_BACKLOG = 128
_HIGHEST_PORT = 65535
_LOWEST_CLIP, _HIGHEST_CLIP = 32, 720


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How a sandbox behaves; times in seconds, heights in pixels."""

    directory: Path  # its own folder, created when missing: sandbox.sqlite, media/ and pictures/ are in it
    schemas: Path  # the folder of MODEL.schema.json files (draft 2020-12), one a model
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    slots: int = 4  # requests processed at the same time
    seconds: float = 3.0  # least time from dispatch to the end; making the clip may take longer
    queue_seconds: float = 0.3  # least time in the queue
    failure_rate: float = 0.0  # share of requests that fail, chosen by their content and ordinal
    clip_height: int = 720  # at most 720; the width follows the picture
    certificate: Path | None = None  # with a private key: TLS
    private_key: Path | None = None
    echo: Echo = "full"  # how pictures stand in an echoed payload; short: their first 64 characters


class Sandbox:
    """A local stand-in for the API; serves from threads of this process between `start` and `stop`.

    It refuses what the service refuses. So that people can see a content-policy refusal, every prompt with the word
    "forbidden" gets one.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._parts: _Parts | None = None
        self._ended = threading.Event()
        self.base_url = ""

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self.stop()

    def start(self) -> None:
        """Go on with what an earlier sandbox left in the folder, and listen. Raises SandboxError."""
        self._ended.clear()
        self._parts = _Parts.of(self._settings)
        self._parts.start()
        self.base_url = self._parts.base_url

    def stop(self) -> None:
        """Stop serving and working; what is not final goes on at the next start."""
        if self._parts:
            self._parts.stop()
            self._parts = None
        self._ended.set()

    def wait(self) -> None:
        """Block until somebody calls `stop`."""
        self._ended.wait()


class _Server(uvicorn.Server):
    """A server that says when it listens. It leaves signals alone, as it runs outside the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self.listening.set()  # nobody should wait for a server that is gone


@dataclass(frozen=True, slots=True)
class _Parts:
    """What runs between a start and a stop."""

    base_url: str
    store: Store
    workers: Workers
    server: _Server
    thread: threading.Thread

    @classmethod
    def of(cls, settings: SandboxSettings) -> _Parts:
        """Everything made and nothing running. Raises SandboxError, and then holds on to nothing."""
        _check(settings)
        catalog = Catalog.read(settings.schemas)
        with ExitStack() as undo:
            store = undo.enter_context(closing(_opened_store(settings)))
            listener = undo.enter_context(_listening(settings))
            workers, app = _assembled(settings, catalog, store)
            server = _Server(_configured(settings, app))
            _resume(settings, workers)
            undo.pop_all()
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox-server", daemon=True)
        return cls(_base_url(settings, listener), store, workers, server, thread)

    def start(self) -> None:
        self.workers.start()
        self.thread.start()
        self.server.listening.wait()

    def stop(self) -> None:
        self.server.should_exit = True
        self.workers.stop()
        self.thread.join()
        self.store.close()


def _check(settings: SandboxSettings) -> None:
    if not 0 <= settings.port <= _HIGHEST_PORT:
        raise SandboxError(f"the port must be between 0 and {_HIGHEST_PORT}")
    if settings.slots < 1:
        raise SandboxError("slots must be at least 1")
    if not 0 <= settings.failure_rate <= 1:
        raise SandboxError("the failure rate must be between 0 and 1")
    if not _LOWEST_CLIP <= settings.clip_height <= _HIGHEST_CLIP:
        raise SandboxError(f"the clip height must be between {_LOWEST_CLIP} and {_HIGHEST_CLIP}")
    if (settings.certificate is None) != (settings.private_key is None):
        raise SandboxError("TLS needs both a certificate and its private key")


def _opened_store(settings: SandboxSettings) -> Store:
    try:
        for folder in (_media(settings), _pictures(settings)):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"{settings.directory} cannot be used: {error.strerror}") from error
    return Store(settings.directory / "sandbox.sqlite")


def _listening(settings: SandboxSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SandboxError(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from error


def _assembled(settings: SandboxSettings, catalog: Catalog, store: Store) -> tuple[Workers, App]:
    album = Album(_pictures(settings))
    studio = Studio(_media(settings), album, catalog, settings.clip_height)
    pace = Pace(settings.queue_seconds, settings.seconds, settings.failure_rate)
    workers = Workers(store, studio, settings.slots, pace, time.time)
    intake = Intake(catalog, album, store, time.time, lambda: str(uuid.uuid4()))
    answers = Answers(album, settings.echo)
    return workers, App(catalog, store, intake, answers, studio, settings.slots, workers.notify)


def _resume(settings: SandboxSettings, workers: Workers) -> None:
    try:
        workers.resume()
    except (OSError, sqlite3.Error) as error:
        raise SandboxError(f"{settings.directory} cannot be written: {error}") from error


def _configured(settings: SandboxSettings, app: App) -> uvicorn.Config:
    config = uvicorn.Config(
        app.build(),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=_SILENT,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=[("server", "reelrun-sandbox")],
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LAST_CALLS_SECONDS,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.private_key,
    )
    try:
        config.load()
    except OSError as error:
        raise SandboxError(f"the certificate or its key cannot be used: {error}") from error
    return config


def _base_url(settings: SandboxSettings, listener: socket.socket) -> str:
    scheme = "https" if settings.certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}{PREFIXES[0]}"


def _media(settings: SandboxSettings) -> Path:
    return settings.directory / "media"


def _pictures(settings: SandboxSettings) -> Path:
    return settings.directory / "pictures"
