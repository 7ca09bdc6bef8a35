"""The API over real sockets, with faults on order, and a file host of its own. It counts what it accepts, and what is
put into its store.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PREFIX = "/api/v1/ie/requestqueue/apikey"
# The types of files that the store takes, with the content type that it signs. An address to put one at lives so long.
STORED = {
    "jpeg": "image/jpeg", "jpg": "image/jpg", "png": "image/png",
    "mp4": "video/mp4", "mp3": "audio/mpeg", "wav": "audio/wav",
}  # fmt: skip
LIFE_OF_AN_ADDRESS = 899
_ENCODED = re.compile(r"(?:data:[^,]{1,100},)?([A-Za-z0-9+/]{100,}={0,2})")


@dataclass
class Accepted:
    """A request that the service took, and bills."""

    id: str
    model: str
    payload: dict[str, Any]
    created_at: float
    status: str = "success"
    polls: int = 0
    error: str = ""


@dataclass
class Upload:
    """A place in the store: what is signed for it, and its bytes once they are there."""

    content_type: str
    expires: float
    content: bytes | None = None


Fault = Callable[["Call"], None]


@dataclass
class Call:
    """One HTTP request as a fault sees it: it may accept, answer, or do harm to the connection."""

    handler: BaseHTTPRequestHandler
    service: FaultyService
    body: bytes = b""
    path: str = ""

    def read(self) -> None:
        self.body = self.handler.rfile.read(int(self.handler.headers.get("Content-Length", 0)))

    def accept(self) -> Accepted:
        document = json.loads(self.body)
        accepted = Accepted(
            str(uuid.uuid4()), document["model"], document["payload"], self.service.now(), self.service.first_status
        )
        with self.service.lock:
            self.service.accepted.append(accepted)
        return accepted

    def answer(
        self,
        status: int,
        content: bytes | object,
        headers: Mapping[str, str] | None = None,
        *,
        length: int | None = None,
    ) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        lines = {
            "Content-Type": "application/json",
            "Content-Length": str(len(data) if length is None else length),
            "Date": formatdate(self.service.now(), usegmt=True),
            **self.service.headers,
            **(headers or {}),
        }
        self.handler.wfile.write(f"HTTP/1.1 {status} Word\r\n".encode())
        for name, value in lines.items():
            self.handler.wfile.write(f"{name}: {value}\r\n".encode())
        self.handler.wfile.write(b"\r\n" + data)
        self.handler.wfile.flush()
        if length is not None and length != len(data):
            self.close()

    def close(self) -> None:
        """End the connection without another word."""
        self.handler.close_connection = True
        self.handler.connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """End the connection with a RST."""
        self.handler.close_connection = True
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handler.connection.close()
        # The handler flushes and closes once more when it ends.
        self.handler.wfile = _Nowhere()  # type: ignore[assignment]

    def hang(self) -> None:
        """Say nothing until the client has gone."""
        self.handler.close_connection = True
        self.handler.connection.settimeout(30)
        try:
            while self.handler.connection.recv(1 << 16):
                pass
        except OSError:
            pass


class _Nowhere:
    closed = True

    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class FaultyService:
    """Start with `with FaultyService(video) as service`.

    `order` queues faults for submit, poll, list, download, and for upload-url, put and look (at what was uploaded).
    """

    video: bytes
    thumbnail: bytes = b""
    first_status: str = "success"
    # How many seconds its clock is ahead of the machine's.
    ahead: float = 0.0
    # The listing shows a request only this many seconds after it was accepted.
    lag: float = 0.0
    # How the payload is echoed: full, with the picture short or none, or empty.
    echo: str = "full"
    # The list comes in pages of so many, with `has_more` in place of `total`.
    page_size: int = 0
    # A POST is answered with the finished record.
    is_sync: bool = False
    # How far the clock in its records is from the machine's.
    skew: float = 0.0
    # Members that every record has otherwise, and headers that every answer has.
    changes: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    # Requests that others made: they are listed, and no business of ours.
    strangers: list[Accepted] = field(default_factory=list)
    organisation: str = "org-1"
    accepted: list[Accepted] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    posts: int = 0
    key_seen_by_files: int = 0
    ranges: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Fault] = field(default_factory=dict)
    link_version: int = 0

    def __enter__(self) -> FaultyService:
        self._api = _server(_Api, self)
        self._files = _server(_Files, self)
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._api, self._files):
            server.shutdown()
            server.server_close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._api.server_address[1]}{PREFIX}"

    @property
    def files_url(self) -> str:
        return f"http://127.0.0.1:{self._files.server_address[1]}"

    def now(self) -> float:
        return time.time() + self.ahead

    def order(self, kind: str, *faults: Fault) -> None:
        self.faults[kind].extend(faults)

    def fault_for(self, kind: str) -> Fault | None:
        with self.lock:
            queue = self.faults[kind]
            return queue.popleft() if queue else self.always.get(kind)

    def document(self, request: Accepted) -> dict[str, Any]:
        payload = {} if self.echo == "empty" else dict(request.payload)
        for name, value in list(payload.items()):
            if self.echo in ("short", "none") and isinstance(value, str) and self.content_of(value) != value:
                payload[name] = value[:64]
                if self.echo == "none":
                    del payload[name]
        done = request.status == "success"
        record = {
            "request_id": request.id,
            "org_id": self.organisation,
            "model": request.model,
            "status": request.status,
            "is_public": False,
            "payload": payload,
            "outcome": {"video_url": self.link(request), "thumbnail_image_url": ""} if done else {},
            "created_at": int(request.created_at + self.skew),
            "updated_at": int(self.now() + self.skew),
            "queued_at": int(request.created_at + self.skew),
            "qworker_id": "w",
            **({"error": request.error} if request.error else {}),
        }
        changes = {name: value(record) if callable(value) else value for name, value in self.changes.items()}
        return record | changes

    def link(self, request: Accepted) -> str:
        return f"{self.files_url}/{request.id}.mp4?v={self.link_version}"

    def listing(self, model: str, offset: int = 0) -> dict[str, Any]:
        with self.lock:
            every = [*self.accepted, *self.strangers]
            shown = [each for each in every if each.model == model and each.created_at + self.lag <= self.now()]
            if not self.page_size:
                return {"requests": list(map(self.document, shown)), "total": len(shown)}
            page = shown[offset : offset + self.page_size]
            return {"requests": list(map(self.document, page)), "has_more": offset + len(page) < len(shown)}

    def find(self, request_id: str) -> Accepted | None:
        with self.lock:
            return next((each for each in (*self.accepted, *self.strangers) if each.id == request_id), None)

    def fingerprints(self) -> list[str]:
        """What was accepted and did not fail, by content: a file by its hash, however it came."""
        billed = [each for each in self.accepted if each.status != "failed"]
        return sorted(json.dumps([each.model, self.content_of(each.payload)], sort_keys=True) for each in billed)

    def content_of(self, value: Any) -> Any:
        """A payload with hashes in place of files in Base64, and of addresses of the store."""
        if isinstance(value, dict):
            return {name: self.content_of(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.content_of(each) for each in value]
        encoded = _ENCODED.fullmatch(value) if isinstance(value, str) else None
        if encoded is not None:
            return hashlib.sha256(base64.b64decode(encoded[1])).hexdigest()
        is_ours = isinstance(value, str) and value.startswith(f"{self.files_url}/public/")
        return hashlib.sha256(self.stored(value) or b"").hexdigest() if is_ours else value

    def sign(self, file_type: str) -> dict[str, str]:
        """An address to put a file of this type at, and the one where it is read then."""
        with self.lock:
            self.uploads.append(Upload(STORED[file_type], self.now() + LIFE_OF_AN_ADDRESS))
            number = len(self.uploads) - 1
        return {
            "upload_url": f"{self.files_url}/store/{number}?signature={uuid.uuid4()}",
            "public_url": f"{self.files_url}/public/{number}.{file_type}",
        }

    def stored(self, path: str) -> bytes | None:
        """The bytes at an address of the store, None if there are none."""
        number = int(re.split(r"[/.?]", path.partition("/public/")[2])[0])
        return self.uploads[number].content if number < len(self.uploads) else None

    def kept(self) -> list[str]:
        """The hashes of all that was put into the store."""
        return sorted(hashlib.sha256(each.content).hexdigest() for each in self.uploads if each.content is not None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or a fault of ours, is no news."""


def _server(handler: type[BaseHTTPRequestHandler], service: FaultyService) -> _Server:
    bound = type("Bound", (handler,), {"service": service})
    server = _Server(("127.0.0.1", 0), bound)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: FaultyService

    def log_message(self, *_: object) -> None: ...


class _Api(_Handler):
    def do_POST(self) -> None:
        call = Call(self, self.service, path=self.path)
        is_upload = self.path == f"{PREFIX}/upload-url"
        kind = "upload-url" if is_upload else "submit"
        with self.service.lock:
            self.service.posts += not is_upload
            self.service.calls.append(kind)
        fault = self.service.fault_for(kind)
        if fault is not None:
            fault(call)
            return
        call.read()
        if is_upload:
            file_type = json.loads(call.body).get("file_type")
            known = "Authorization" in self.headers and file_type in STORED
            call.answer(200, self.service.sign(file_type)) if known else call.answer(400, {"error": "no such type"})
            return
        accepted = call.accept()
        document = self.service.document(accepted)
        short = {name: document[name] for name in ("request_id", "model", "status", "created_at", "updated_at")}
        call.answer(200, document if self.service.is_sync else {**short, "status": "queued"})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix(PREFIX)
        call = Call(self, self.service, path=path)
        kind = "list" if path == "/requests" else "poll" if path.startswith("/requests/") else "other"
        if kind == "list" and "limit=" in parts.query and not self.service.posts:
            # Before the first submission a page is asked for, to know what time it is there.
            kind = "page"
        with self.service.lock:
            self.service.calls.append(kind)
        fault = self.service.fault_for(kind)
        if fault is not None:
            fault(call)
        elif kind in ("list", "page"):
            query = parse_qs(parts.query)
            call.answer(200, self.service.listing(query["model_id"][0], int(query.get("offset", ["0"])[0])))
        elif kind == "poll":
            found = self.service.find(path.rsplit("/", 1)[1])
            if found is not None and found.status == "queued":
                found.polls += 1
                found.status = "success" if found.polls > 1 else "queued"
            call.answer(200, self.service.document(found)) if found else call.answer(404, {"error": "not found"})
        else:
            call.answer(200, {"model_ids": ["Kling-Image2Video-V1.6-Standard"]})


class _Files(_Handler):
    def do_GET(self) -> None:
        service = self.service
        with service.lock:
            service.calls.append("download")
            service.key_seen_by_files += "Authorization" in self.headers
            service.ranges.append(self.headers.get("Range", ""))
        call = Call(self, service, path=self.path)
        fault = service.fault_for("download")
        if fault is not None:
            fault(call)
            return
        serve_video(call)

    def do_PUT(self) -> None:
        service, call = self.service, Call(self, self.service, path=self.path)
        with service.lock:
            service.calls.append("put")
            service.key_seen_by_files += "Authorization" in self.headers
        fault = service.fault_for("put")
        if fault is not None:
            fault(call)
            return
        call.read()
        store(call)

    def do_HEAD(self) -> None:
        service, call = self.service, Call(self, self.service, path=self.path)
        with service.lock:
            service.calls.append("look")
            service.key_seen_by_files += "Authorization" in self.headers
        fault = service.fault_for("look")
        if fault is not None:
            fault(call)
            return
        content = service.stored(self.path)
        call.answer(404 if content is None else 200, b"", {"Content-Type": "image/jpeg"})


def store(call: Call) -> None:
    """Keep what was put, if it is of the type that was signed and comes in time."""
    place = call.service.uploads[int(call.path.split("/")[2].partition("?")[0])]
    if len(call.body) < int(call.handler.headers["Content-Length"]):
        call.close()
    elif call.service.now() > place.expires:
        call.answer(403, refusal("AccessDenied"), {"Content-Type": "application/xml"})
    elif call.handler.headers.get("Content-Type") != place.content_type:
        call.answer(403, refusal("SignatureDoesNotMatch"), {"Content-Type": "application/xml"})
    else:
        place.content = call.body
        call.answer(200, b"")


def refusal(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def serve_video(call: Call, etag: str = '"v1"') -> None:
    """The video, or the part of it that was asked for."""
    video = call.service.video
    wanted = call.handler.headers.get("Range", "")
    headers = {"Content-Type": "video/mp4", "ETag": etag, "Accept-Ranges": "bytes"}
    if wanted and call.handler.headers.get("If-Range") == etag:
        start = int(wanted.removeprefix("bytes=").split("-")[0])
        headers["Content-Range"] = f"bytes {start}-{len(video) - 1}/{len(video)}"
        call.answer(206, video[start:], headers)
        return
    call.answer(200, video, headers)


# Faults


def accept(call: Call) -> None:
    """No fault at all."""
    call.read()
    record = call.service.document(call.accept())
    call.answer(200, record if call.service.is_sync else {**record, "status": "queued", "outcome": {}})


def status(
    code: int, *, accepted: bool = False, headers: Mapping[str, str] | None = None, words: str = "fault"
) -> Fault:
    def fault(call: Call) -> None:
        call.read()
        if accepted:
            call.accept()
        call.answer(code, {"error": words}, headers)

    return fault


def raw(
    content: bytes, *, accepted: bool = False, code: int = 200, kind: str = "text/html", length: int | None = None
) -> Fault:
    def fault(call: Call) -> None:
        call.read()
        if accepted:
            call.accept()
        call.answer(code, content, {"Content-Type": kind}, length=length)

    return fault


def rate_limit(call: Call) -> None:
    """It takes the request, and makes a failed record of it."""
    call.read()
    accepted = call.accept()
    answer = call.service.document(accepted)
    accepted.status, accepted.error = "failed", "rate limit exceeded(RPM)"
    call.answer(200, {name: answer[name] for name in ("request_id", "model", "created_at")} | {"status": "queued"})


def drop_before(call: Call) -> None:
    """The connection ends before the body was read."""
    call.close()


def drop_after(*, accepted: bool) -> Fault:
    def fault(call: Call) -> None:
        call.read()
        if accepted:
            call.accept()
        call.close()

    return fault


def reset_after(*, accepted: bool) -> Fault:
    def fault(call: Call) -> None:
        call.read()
        if accepted:
            call.accept()
        call.reset()

    return fault


def hang(*, accepted: bool = False) -> Fault:
    def fault(call: Call) -> None:
        call.read()
        if accepted:
            call.accept()
        call.hang()

    return fault


def redirect(target: Callable[[Call], str], code: int = 307) -> Fault:
    def fault(call: Call) -> None:
        call.read()
        call.answer(code, b"", {"Location": target(call)})

    return fault
