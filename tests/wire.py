"""Servers of a few lines on raw sockets, for what no HTTP library would do."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Wire:
    """A listening port; every connection is handed to `handle`, in a thread of its own."""

    handle: Callable[[Peer], None]
    port: int = 0
    connections: int = 0
    # All bytes that clients sent, by connection.
    received: list[bytearray] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, seen: bytearray, over: threading.Event) -> None:
        self.socket = connection
        self.seen = seen
        self.over = over

    def read(self, most: int = 1 << 16) -> bytes:
        data = self.socket.recv(most)
        self.seen += data
        return data

    def head(self) -> bytes:
        """Read up to the end of a request's head; what came after it is returned, too."""
        data = b""
        while b"\r\n\r\n" not in data:
            block = self.read()
            if not block:
                raise EOFError
            data += block
        return data

    def request(self) -> bytes:
        """Read a whole request, and return its body."""
        head, _, body = self.head().partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        while len(body) < length:
            block = self.read()
            if not block:
                raise EOFError
            body += block
        return body

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def drain(self) -> None:
        """Read until the client has gone."""
        while self.read():
            pass

    def drip(self, data: bytes) -> None:
        """Send a byte now and then, until the client has gone or the test is over."""
        while not self.over.wait(0.02):
            self.send(data)


@contextlib.contextmanager
def listening(handle: Callable[[Peer], None], context: ssl.SSLContext | None = None) -> Iterator[Wire]:
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    wire = Wire(handle, server.getsockname()[1])
    threads: list[threading.Thread] = []
    open_ones: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        connection.settimeout(20)
        with contextlib.suppress(OSError, EOFError), contextlib.closing(connection):
            secure = connection if context is None else context.wrap_socket(connection, server_side=True)
            seen = bytearray()
            wire.received.append(seen)
            open_ones.append(secure)
            with contextlib.closing(secure):
                wire.handle(Peer(secure, seen, wire.over))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                wire.connections += 1
                threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield wire
    finally:
        wire.over.set()
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        acceptor.join(5)
        for each in open_ones:
            # What has arrived can still be read; nobody waits for more.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RD)
        for thread in threads:
            thread.join(5)


def answer(peer: Peer, data: bytes = OK) -> None:
    """One answer to one whole request."""
    peer.request()
    peer.send(data)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full: connecting to it times out."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    waiting = [socket.socket() for _ in range(8)]
    try:
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        yield server.getsockname()[1]
    finally:
        for each in (*waiting, server):
            each.close()
