"""The server of a review: one port of this machine, for one session."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from runner.errors import ServiceError
from runner.review.serving.guard import TOKEN, Guard

_LOOPBACK = "127.0.0.1"
_SILENT = logging.CRITICAL + 1
_LAST_CALLS_SECONDS = 1
_BACKLOG = 128
_CONNECTIONS = 200


@contextmanager
def serving(app: Starlette, token: str, port: int = 0) -> Iterator[str]:
    """Serve from a thread until the block ends. Gives the address with its token. Raises ServiceError."""
    with _listener(port) as listener:
        port = listener.getsockname()[1]
        server = uvicorn.Server(_config(Guard(app, token, port)))
        thread = threading.Thread(target=server.run, args=([listener],), name="review-server", daemon=True)
        thread.start()
        try:
            yield f"http://{_LOOPBACK}:{port}/?{TOKEN}={token}"
        finally:
            server.should_exit = True
            thread.join()


def _listener(port: int) -> socket.socket:
    """A socket on this port or, where that is taken, on any."""
    last: OSError | None = None
    for wanted in dict.fromkeys((port, 0)):
        try:
            return socket.create_server((_LOOPBACK, wanted), backlog=_BACKLOG)
        except OSError as error:
            last = error
    assert last is not None
    raise ServiceError(f"no port of {_LOOPBACK} can be listened on: {last.strerror}", "look at the limits of this user")


def _config(app: Guard) -> uvicorn.Config:
    return uvicorn.Config(
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
        date_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_LAST_CALLS_SECONDS,
    )
