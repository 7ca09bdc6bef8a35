"""What stands between a bucket and whoever uses it: it counts what comes, and fails as it is told."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from tests.object_stores import ObjectStore

# What it does with a request: passes it on (None), or answers with this status and code of S3. An OSError closes the
# connection without an answer, and NoAnswerError waits until whoever asked has gone.
Answer = tuple[int, str] | None
WRITING = ("PUT", "POST", "DELETE")


class NoAnswerError(Exception):
    pass


class StoreProxy:
    """`before` and `after` see the method and path of each request; what `after` says, the store has done."""

    def __init__(self, store: ObjectStore) -> None:
        self._upstream = urlsplit(store.endpoint).netloc
        self.store = store
        self.endpoint = ""
        self.clear()

    def clear(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.before: Callable[[str, str], Answer] = lambda method, path: None
        self.after: Callable[[str, str], object] = lambda method, path: None

    @property
    def environment(self) -> dict[str, str]:
        return {**self.store.environment, "AWS_ENDPOINT_URL": self.endpoint}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        method, path = handler.command, unquote(urlsplit(handler.path).path)
        self.seen.append((method, path))
        told = self.before(method, path)
        if told is not None:
            _send(handler, told[0], [], f"<Error><Code>{told[1]}</Code></Error>".encode())
            return
        connection = http.client.HTTPConnection(self._upstream, timeout=60)
        connection.request(method, handler.path, body, dict(handler.headers.items()))
        response = connection.getresponse()
        status, headers, content = response.status, response.getheaders(), response.read()
        connection.close()
        self.after(method, path)
        _send(handler, status, headers, content)


def _send(handler: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
    handler.send_response_only(status)
    for name, value in headers:
        if name.lower() not in ("content-length", "transfer-encoding", "connection"):
            handler.send_header(name, value)
    length = {name.lower(): value for name, value in headers}.get("content-length")
    handler.send_header("content-length", length if handler.command == "HEAD" and length else str(len(content)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)


@contextmanager
def proxied(store: ObjectStore) -> Iterator[StoreProxy]:
    proxy = StoreProxy(store)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None: ...

        def _any(self) -> None:
            try:
                proxy.answer(self)
            except NoAnswerError:
                self.close_connection = True
                self.connection.settimeout(30)
                self.connection.recv(1)
            except OSError:
                # Whoever asked may have gone, too.
                self.close_connection = True

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
