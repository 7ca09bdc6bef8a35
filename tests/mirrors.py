"""What tests of mirrors need: clips that differ, what lies in a bucket, and a store that behaves badly on order."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress
from tests.faults.service import Call

_BUCKET = "campaigns"


def each_its_own(call: Call) -> None:
    """Every request has a clip that no other one has. For `FaultyService.always["download"]`."""
    name = call.path.rpartition("/")[2][:36].encode()
    box = (len(name) + 8).to_bytes(4, "big") + b"free" + name
    call.answer(200, call.service.video + box, {"Content-Type": "video/mp4", "ETag": f'"{name.decode()}"'})


def hashes_in(address: str) -> dict[str, str]:
    """What lies below an address: the hash of each object, by its path."""
    bucket = Bucket.open(BucketAddress.of(address))
    return {each.path: str(bucket.sha256_of(each.path)) for each in bucket.each()}


def assert_mirrored(address: str, folder: Path) -> dict[str, str]:
    """Every content is there, and each object has the name of a file and its hash. What lies there, by its path."""
    copies, files = hashes_in(address), hashes_on_disk(folder)
    assert copies.items() <= files.items()
    assert set(copies.values()) == set(files.values())
    return copies


def hashes_on_disk(folder: Path) -> dict[str, str]:
    """The hash of each file that was delivered to an output folder, by its path."""
    rooms = ("videos", "thumbnails", "others")
    files = (file for room in rooms for file in (folder / room).rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


class StandInStore:
    """As much of S3 as a mirror uses, in memory: `with StandInStore() as store`. The bucket is `campaigns`.

    `way` is how it answers a PUT from now on: well (empty), `refuse`, `full`, `slow down`, `slow`, `hang`, `trickle`
    (it reads a little at a time and never answers) or `damage`; `gone` is how it answers everything without its
    bucket. Of each file, `puts` counts how often it was put; `after` so many PUTs in all it goes on in another way.
    """

    def __init__(self) -> None:
        self.way = ""
        self.objects: dict[str, bytes] = {}
        self.puts: Counter[str] = Counter()
        self.after: dict[int, str] = {}
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def __enter__(self) -> StandInStore:
        self._server = _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"store": self}))
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_address[1]}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "reelrun-tests",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_REGION": "us-east-1",
        }

    def put(self, path: str, content: bytes) -> bool:
        """False where something is there."""
        with self.lock:
            self.puts[path] += 1
            self.way = self.after.get(sum(self.puts.values()), self.way)
            if path in self.objects:
                return False
            self.objects[path] = content
            return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: StandInStore

    def log_message(self, *_: object) -> None: ...

    def do_PUT(self) -> None:
        size, way = int(self.headers["Content-Length"]), self.store.way
        if way in ("hang", "trickle"):
            while way == "trickle" and not self.store.ended.is_set() and self.rfile.read(100):
                time.sleep(0.05)
            self.store.ended.wait(30)
            self.close_connection = True
            return
        content = self.rfile.read(size)
        if way == "slow":
            self.store.ended.wait(0.2)
        if way == "damage":
            content = content[:-1] + b"!"
        refusals = {
            "refuse": (403, "AccessDenied"), "full": (507, "QuotaExceeded"),
            "slow down": (503, "SlowDown"), "gone": (404, "NoSuchBucket"),
        }  # fmt: skip
        if way in refusals:
            self._refuse(*refusals[way])
        elif self.store.put(self._path, content):
            self._answer(200, b"", {"ETag": _etag(content)})
        else:
            self._refuse(412, "PreconditionFailed")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if self.store.way == "gone":
            self._refuse(404, "NoSuchBucket")
        elif "list-type" in parts.query:
            self._list(parse_qs(parts.query).get("prefix", [""])[0])
        elif self._path in self.store.objects:
            content = self.store.objects[self._path]
            self._answer(200, content, {"ETag": _etag(content), "Last-Modified": "Sat, 28 Nov 2026 09:00:00 GMT"})
        else:
            self._refuse(404, "NoSuchKey")

    @property
    def _path(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{_BUCKET}/")

    def _list(self, prefix: str) -> None:
        found = {path: content for path, content in self.store.objects.items() if path.startswith(prefix)}
        entries = "".join(
            f"<Contents><Key>{escape(path)}</Key><LastModified>2026-11-28T09:00:00.000Z</LastModified>"
            f"<ETag>{escape(_etag(content))}</ETag><Size>{len(content)}</Size></Contents>"
            for path, content in found.items()
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
        self._answer(200, text.encode(), {"Content-Type": "application/xml"})

    def _refuse(self, code: int, name: str) -> None:
        text = f"<Error><Code>{name}</Code><Message>no</Message></Error>"
        self._answer(code, text.encode(), {"Content-Type": "application/xml"})

    def _answer(self, code: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
