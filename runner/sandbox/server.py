"""A sandbox as a whole: its settings, its parts, and the thread that serves it."""

from __future__ import annotations

import logging
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from runner.errors import ServiceError
from runner.sandbox.album import Album
from runner.sandbox.app import PREFIXES, App
from runner.sandbox.behaviours import Ways, ways_of
from runner.sandbox.catalog import Catalog, Schema
from runner.sandbox.intake import Intake
from runner.sandbox.records import Records
from runner.sandbox.studio import Studio
from runner.sandbox.upload_store import UploadStore
from runner.sandbox.workers import Pace, Workers

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
    documents: Mapping[str, Schema] = field(default_factory=dict)  # further schemas, by model: they come first
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    slots: int = 4  # requests processed at the same time
    seconds: float = 3.0  # least time from dispatch to the end; making the clip may take longer
    queue_seconds: float = 0.3  # least time in the queue
    failure_rate: float = 0.0  # share of requests that fail, chosen by their content and ordinal
    clip_height: int = 720  # at most 720; the width follows the picture
    certificate: Path | None = None  # with a private key: TLS
    private_key: Path | None = None
    behaviours: tuple[str, ...] = ()  # names of what differs from the plain way


class Sandbox:
    """A local stand-in for the API. It serves from threads of this process between `start` and `stop`.

    It refuses what the service refuses. It also refuses every prompt with the word "forbidden", so that people can see
    what a content-policy refusal looks like.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._running = ExitStack()
        self._ended = threading.Event()
        self.base_url = ""

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self.stop()

    def start(self) -> None:
        """Resume what an earlier sandbox left in the folder, and listen. Raises ServiceError."""
        _check(self._settings)
        ways = ways_of(self._settings.behaviours)
        catalog = Catalog.read(self._settings.schemas, self._settings.documents)
        with ExitStack() as undo:
            records = undo.enter_context(closing(_opened(self._settings)))
            listener = undo.enter_context(_listening(self._settings))
            workers, app = _assembled(self._settings, ways, catalog, records)
            server = uvicorn.Server(_configured(self._settings, ways, app))
            _resume(self._settings, workers)
            _serve(server, listener, undo)
            workers.start()
            undo.callback(workers.stop)
            self._running = undo.pop_all()
        self._ended.clear()
        self.base_url = _base_url(self._settings, listener)

    def stop(self) -> None:
        """Stop serving and working. Requests that are not final are resumed at the next start."""
        self._running.close()
        self._ended.set()

    def wait(self) -> None:
        """Block until somebody calls `stop`."""
        self._ended.wait()


def _check(settings: SandboxSettings) -> None:
    demands = {
        f"the port must be between 0 and {_HIGHEST_PORT}": 0 <= settings.port <= _HIGHEST_PORT,
        "slots must be at least 1": settings.slots >= 1,
        "the failure rate must be between 0 and 1": 0 <= settings.failure_rate <= 1,
        f"the clip height must be between {_LOWEST_CLIP} and {_HIGHEST_CLIP}": (
            _LOWEST_CLIP <= settings.clip_height <= _HIGHEST_CLIP
        ),
        "TLS needs both a certificate and its private key": (
            (settings.certificate is None) == (settings.private_key is None)
        ),
    }
    for demand, is_met in demands.items():
        if not is_met:
            raise ServiceError(f"the sandbox does not start: {demand}")


def _opened(settings: SandboxSettings) -> Records:
    try:
        for folder in (_media(settings), _pictures(settings)):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(f"{settings.directory} cannot be used: {error.strerror}", "use another folder") from error
    return Records(settings.directory / "sandbox.sqlite")


def _listening(settings: SandboxSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        where = f"{settings.host} port {settings.port}"
        raise ServiceError(f"the sandbox cannot listen on {where}: {error.strerror}", "try another --port") from error


def _assembled(settings: SandboxSettings, ways: Ways, catalog: Catalog, records: Records) -> tuple[Workers, Starlette]:
    album = Album(_pictures(settings))
    studio = Studio(_media(settings), album, catalog, settings.clip_height, ways.container)
    pace = Pace(settings.queue_seconds, settings.seconds, settings.failure_rate)
    workers = Workers(records, studio, settings.slots if ways.has_workers else 0, pace, time.time, ways)
    intake = Intake(catalog, album, records, time.time, lambda: f"{ways.id_prefix}{uuid.uuid4()}", ways)
    uploads = UploadStore(records, album, time.time)
    return workers, App(catalog, records, intake, studio, workers, ways, uploads).build()


def _configured(settings: SandboxSettings, ways: Ways, app: Starlette) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=_SILENT,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=not ways.headers,
        headers=[("server", "reelrun-sandbox"), *ways.headers],
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LAST_CALLS_SECONDS,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.private_key,
    )
    try:
        config.load()
    except OSError as error:
        raise ServiceError(f"the certificate or its key cannot be used: {error}") from error
    return config


def _resume(settings: SandboxSettings, workers: Workers) -> None:
    try:
        workers.resume()
    except (OSError, sqlite3.Error) as error:
        raise ServiceError(f"{settings.directory} cannot be written: {error}", "use another folder") from error


def _serve(server: uvicorn.Server, listener: socket.socket, undo: ExitStack) -> None:
    """Serve from a thread until `undo`. Clients that connect before it is ready wait in the backlog."""
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox-server", daemon=True)

    def end() -> None:
        server.should_exit = True
        thread.join()

    thread.start()
    undo.callback(end)


def _base_url(settings: SandboxSettings, listener: socket.socket) -> str:
    scheme = "https" if settings.certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}{PREFIXES[0]}"


def _media(settings: SandboxSettings) -> Path:
    return settings.directory / "media"


def _pictures(settings: SandboxSettings) -> Path:
    return settings.directory / "pictures"
