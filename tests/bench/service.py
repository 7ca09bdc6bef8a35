"""A queue server that speaks the API, for measuring clients: `python -m tests.bench.service --slots 32`.

It runs in a process of its own, prints its port, and answers without frameworks, so that it is never what is waited
for. `GET /ledger` tells what it saw.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import time
import uuid
from dataclasses import asdict
from email.utils import formatdate

from tests.bench.clip import head_of
from tests.bench.slots import Request, Slots, ledger, service_times

PREFIX = "/api/v1/ie/requestqueue/apikey"
MODEL = "Kling-Image2Video-V1.6-Standard"
# A longer body is an upload: it is hashed as it comes, and its echo leaves the payload out.
_ECHOED = 64 * 1024
_ORGANISATION = "bench"


class Service:
    """What all connections share. `rate` bounds each upload, in bytes a second, so that uploads overlap."""

    def __init__(self, queue: Slots, video_bytes: int, rate: float, port: int) -> None:
        self.queue = queue
        self.video_bytes = video_bytes
        self.rate = rate
        self.port = port
        self.uploads = 0
        self.most_uploads = 0
        # The bytes of all bodies.
        self.received = 0
        self.first_call: float | None = None
        self._zeros = b"\0" * video_bytes

    def answer(self, method: str, target: str, body: Body) -> tuple[int, bytes, Request | None]:
        """Status, content, and the request whose video that is."""
        if target == "/ledger":
            return 200, self._told(), None
        if self.first_call is None:
            self.first_call = time.monotonic()
        path = target.removeprefix(PREFIX)
        if method == "PUT":
            return 200, b"{}", None
        if path == "/upload-url":
            place = f"http://127.0.0.1:{self.port}/store/{uuid.uuid4()}"
            return 200, json.dumps({"upload_url": place, "public_url": place}).encode(), None
        if method == "POST":
            return 200, self._submit(body), None
        if path.startswith("/requests/"):
            return self._status(path.removeprefix("/requests/"))
        if path.startswith("/requests?"):
            return 200, self._listing(), None
        if path.startswith("/videos/"):
            return self._video(path.removeprefix("/videos/").removesuffix(".mp4"))
        return 404, b'{"error": "there is nothing here"}', None

    def _told(self) -> bytes:
        told = ledger(self.queue, self.most_uploads, self.received, self.first_call)
        return json.dumps(asdict(told)).encode()

    def _submit(self, body: Body) -> bytes:
        request = self.queue.submit(str(uuid.uuid4()), body.document())
        now = request.created
        return json.dumps(
            {
                "request_id": request.id,
                "model": MODEL,
                "status": "queued",
                "created_at": now,
                "updated_at": now,
                "queued_at": now,
            }
        ).encode()

    def _status(self, request_id: str) -> tuple[int, bytes, Request | None]:
        request = self.queue.requests.get(request_id)
        if request is None:
            return 404, b'{"error": "no such request"}', None
        return 200, self._echo(request), None

    def _listing(self) -> bytes:
        requests = list(self.queue.requests.values())
        entries = b", ".join(map(self._echo, requests))
        return b'{"requests": [%s], "total": %d}' % (entries, len(requests))

    def _echo(self, request: Request) -> bytes:
        """The request as an answer shows it; every showing is a poll."""
        request.polls += 1
        status, at = request.status, request.created
        outcome = {}
        if status == "success":
            outcome = {"video_url": f"http://127.0.0.1:{self.port}/videos/{request.id}.mp4"}
        told = {
            "request_id": request.id,
            "org_id": _ORGANISATION,
            "status": status,
            "is_public": False,
            "outcome": outcome,
            "created_at": at,
            "updated_at": at,
            "queued_at": at,
            "qworker_id": "1",
        }
        submitted = request.document if request.document.startswith(b"{") else b'{"model": "%s"}' % MODEL.encode()
        return json.dumps(told).encode()[:-1] + b", " + submitted.strip()[1:]

    def _video(self, request_id: str) -> tuple[int, bytes, Request | None]:
        request = self.queue.requests.get(request_id)
        if request is None or request.status != "success":
            return 404, b'{"error": "no such video"}', None
        if request.asked != request.asked:
            request.asked = time.monotonic()
        head = head_of(request_id, self.video_bytes)
        return 200, head + self._zeros[len(head) :], request


class Body:
    """The body of a call, as it comes. A long one is an upload: it is hashed, not kept."""

    def __init__(self, length: int) -> None:
        self.length = self.left = length
        self.is_upload = length > _ECHOED
        self._kept = bytearray()
        self._digest = hashlib.sha256()

    def feed(self, block: bytes) -> None:
        self.left -= len(block)
        if self.is_upload:
            self._digest.update(block)
        else:
            self._kept += block

    def document(self) -> bytes:
        """What tells this submission from others: all of it, or the hash of an upload."""
        return self._digest.digest() if self.is_upload else bytes(self._kept)


class Connection(asyncio.Protocol):
    """One connection: calls one after the other, each answered before the next is read."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._buffer = bytearray()
        self._body: Body | None = None
        self._call = ("", "")
        self._began = 0.0
        self._received = 0
        self._delivering: Request | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # With no room in it, the buffer tells when the last byte of a video has left.
        transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        if self._body is None:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            data = bytes(self._buffer[end + 4 :])
            head = bytes(self._buffer[:end])
            self._buffer.clear()
            self._begin(head)
        assert self._body is not None
        self._body.feed(data)
        if self._body.left <= 0:
            self._end(self._body)
        elif self._body.is_upload:
            self._slow_down(len(data))

    def _begin(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        lengths = (line.split(":", 1)[1] for line in lines[1:] if line.lower().startswith("content-length:"))
        self._call = method, target
        self._body = Body(int(next(lengths, "0")))
        self._began, self._received = time.monotonic(), 0
        if self._body.is_upload:
            self._service.uploads += 1
            self._service.most_uploads = max(self._service.most_uploads, self._service.uploads)

    def _slow_down(self, received: int) -> None:
        self._received += received
        ahead = self._began + self._received / self._service.rate - time.monotonic()
        if ahead > 0.001:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(ahead, self._go_on)

    def _go_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _end(self, body: Body) -> None:
        self._body = None
        self._service.uploads -= body.is_upload
        self._service.received += body.length
        status, content, delivered = self._service.answer(*self._call, body)
        fields = {
            "Server": "bench",
            "Date": formatdate(usegmt=True),
            "Content-Type": "video/mp4" if delivered else "application/json",
            "Content-Length": str(len(content)),
        }
        if delivered is not None:
            fields["ETag"] = f'"{delivered.id}"'
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._delivering = delivered
        self._transport.write(f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode() + content)
        if self._transport.get_write_buffer_size() == 0:
            self.resume_writing()

    def resume_writing(self) -> None:
        """All that was written has left."""
        if self._delivering is not None:
            self._delivering.delivered = time.monotonic()
            self._delivering = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._body is not None and self._body.is_upload:
            self._service.uploads -= 1


async def serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    times = service_times(options.mean, options.sigma, options.seed)
    queue = Slots(options.slots, times, time.monotonic, loop.call_later)
    service = Service(queue, options.video_bytes, options.upload_rate, 0)
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=4096)
    service.port = server.sockets[0].getsockname()[1]
    print(service.port, flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.service", description="a queue server that measures")
    parser.add_argument("--slots", type=int, default=32, help="how many requests are worked on at once")
    parser.add_argument("--mean", type=float, default=0.0, help="mean service time in seconds; 0: all are instant")
    parser.add_argument("--sigma", type=float, default=0.5, help="spread of the logarithm of the service times")
    parser.add_argument("--seed", type=int, default=1, help="seed of the service times")
    parser.add_argument("--video-bytes", type=int, default=50_000, help="size of each video")
    parser.add_argument("--upload-rate", type=float, default=8e6, help="bytes a second that each upload may send")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
