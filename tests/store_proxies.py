"""Object stores that all tests of a process share, and a way to them that counts requests and plays faults."""

from __future__ import annotations

import atexit
import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress
from tests import object_stores
from tests.object_stores import ObjectStore

# Harms the connection or answers, and tells whether it did: else the request goes on to the store.
Fault = Callable[[BaseHTTPRequestHandler], bool]
# Status and code of S3 that a request is answered with; None: it goes on to the store.
Answer = tuple[int, str] | None
WRITING = ("PUT", "POST", "DELETE")


class NoAnswerError(Exception):
    """Nothing is said until whoever asked has gone."""


@cache
def shared(name: str) -> ObjectStore:
    """A running store, `moto` or `seaweed`, until the process ends. Each test file has a bucket of its own there."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(getattr(object_stores, name)())


@dataclass
class Proxy:
    """A store behind a fault. `requests` are the methods and paths that came.

    `before` and `after` see the method and the path without its query; what `after` sees, the store has done. They may
    raise NoAnswerError, and OSError, which closes the connection.
    """

    store: ObjectStore
    port: int = 0

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """As new."""
        self.requests: list[tuple[str, str]] = []
        self.fault: Fault | None = None
        self.before: Callable[[str, str], Answer] = lambda method, path: None
        self.after: Callable[[str, str], object] = lambda method, path: None

    @property
    def seen(self) -> list[tuple[str, str]]:
        """The requests, without queries."""
        return [(method, path.partition("?")[0]) for method, path in self.requests]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {**self.store.environment, "AWS_ENDPOINT_URL": self.endpoint}

    def count(self, method: str) -> int:
        """How many requests for objects came with this method."""
        return sum(each == method and "list-type" not in path for each, path in self.requests)

    @property
    def lists(self) -> int:
        return sum("list-type" in path for _, path in self.requests)


@contextmanager
def proxy(store: ObjectStore) -> Iterator[Proxy]:
    made = Proxy(store)
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *words: _Handler(made, *words))
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, made: Proxy, *words: Any) -> None:
        self._proxy = made
        super().__init__(*words)

    def log_message(self, *words: object) -> None: ...

    def _take(self) -> None:
        try:
            self._answer()
        except NoAnswerError:
            hanging(self)
        except OSError:
            # Whoever asked may have gone, too.
            self.close_connection = True

    def _answer(self) -> None:
        made, place = self._proxy, unquote(urlsplit(self.path).path)
        made.requests.append((self.command, unquote(self.path)))
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if made.fault is not None and made.fault(self):
            return
        told = made.before(self.command, place)
        if told is not None:
            refusing(*told)(self)
            return
        target = http.client.HTTPConnection(urlsplit(made.store.endpoint).netloc)
        target.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            target.putheader(name, value)
        target.endheaders(content)
        answer = target.getresponse()
        body = answer.read()
        target.close()
        made.after(self.command, place)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        length = answer.headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _take  # noqa: N815 - as http.server calls them


def refusing(status: int, code: str = "") -> Fault:
    """Every request is answered with this status, and a code of S3."""

    def fault(handler: BaseHTTPRequestHandler) -> bool:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(b"" if handler.command == "HEAD" else body)
        return True

    return fault


def hanging(handler: BaseHTTPRequestHandler) -> bool:
    """Nothing is said until the client has gone."""
    handler.close_connection = True
    handler.connection.settimeout(30)
    handler.connection.recv(1)
    return True


def resetting(handler: BaseHTTPRequestHandler) -> bool:
    handler.close_connection = True
    handler.connection.close()
    return True


@dataclass(frozen=True)
class Filled:
    """A bucket at a store, and what stands in the environment of whoever uses it."""

    bucket: Bucket
    proxy: Proxy

    @property
    def address(self) -> str:
        return str(self.bucket.address)

    def put(self, path: str, content: bytes) -> str:
        """Put an object, and return its address."""
        self.bucket.put_new(path, content)
        return str(self.bucket.address.below(path))


@contextmanager
def filled(name: str, bucket: str, cache_folder: Path, monkeypatch: Any) -> Iterator[Filled]:
    """A bucket behind a proxy, and the environment for it. Copies of objects are kept in the folder."""
    store = shared(name)
    with proxy(store) as made:
        for key, value in made.environment.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder))
        store.make_bucket(bucket)
        yield Filled(Bucket.open(BucketAddress.of(f"s3://{bucket}"), retried=1.0), made)
