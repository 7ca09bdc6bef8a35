"""The server of a review over real sockets: who gets in, and what comes out."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runner.review.serving.review_app import ReviewApp
from runner.review.serving.review_server import serving
from runner.review.serving.served_files import ServedFiles
from runner.review.session import Desk, Document, Session
from runner.verdicts.verdict_files import file_of, folder_of
from tests.finished_clips import clips_of, finished_campaign
from tests.test_review_clips_padded_clips import frames
from tests.test_review_session import names, vote

TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Served:
    """A server with its session, and a browser that has its cookie."""

    session: Session
    verdicts: Path
    files: ServedFiles
    port: int
    cookie: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None, **headers: str | None) -> Answer:
        """A call as the page makes it, but for these headers; None leaves one out."""
        own = {"Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}", **self.cookie}
        if body is not None:
            own["Content-Type"] = "application/json"
        sent = {**own, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=True)
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        for name, value in {"Content-Length": str(len(raw)), **sent}.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(raw)
        answer = connection.getresponse()
        found = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return found

    def shown(self) -> Document:
        found: Document = json.loads(self.call("GET", "/shown/pairs").body)
        return found

    @property
    def written(self) -> list[str]:
        path = file_of(self.verdicts, "ann")
        return path.read_text("utf-8").splitlines() if path.exists() else []


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = finished_campaign(tmp_path_factory.mktemp("served"), pictures=2, takes=2)
    verdicts = folder_of(path)
    session = Session(Desk(clips_of(path), verdicts, "ann", b"secret"), print)
    files = ServedFiles(path.parent, b"secret")
    app = ReviewApp(session, lambda mode: f"<p>{mode}</p>", "pairs", files).build()
    with serving(app, TOKEN) as address:
        assert address == f"http://127.0.0.1:{urlsplit(address).port}/?token={TOKEN}"
        yield Served(session, verdicts, files, urlsplit(address).port or 0, {"Cookie": _cookie(address)})


def _cookie(address: str) -> str:
    """What the browser keeps when it opens the address."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(address).port or 0, timeout=20)
    connection.request("GET", f"/?{urlsplit(address).query}")
    answer = connection.getresponse()
    kept, _, rules = (answer.headers["set-cookie"] or "").partition("; ")
    assert set(rules.split("; ")) == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert (answer.status, answer.read()) == (200, b"<p>pairs</p>")
    connection.close()
    return kept


def test_every_answer_is_sealed(served: Served) -> None:
    for path in ("/", "/shown/pairs", f"/clips/{names(served.shown())[0]}", "/nowhere", "/clips/none"):
        headers = served.call("GET", path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert not {"etag", "last-modified", "server", "date"} & headers.keys()


def test_a_stranger_gets_no_clip_out_and_no_verdict_in(served: Served) -> None:
    shown = served.shown()
    clip, before = f"/clips/{names(shown)[0]}", served.written
    strangers: list[dict[str, str | None]] = [
        {"Cookie": None},
        {"Cookie": served.cookie["Cookie"][:-1] + "x"},
        {"Cookie": served.cookie["Cookie"] + "x"},
        # DNS rebinding: the name of another site leads here.
        {"Host": f"evil.example:{served.port}", "Origin": f"http://evil.example:{served.port}"},
        {"Host": "127.0.0.1"},
        {"Host": f"127.0.0.1:{served.port + 1}"},
        # Another site, or another server of this machine.
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ]
    for stranger in strangers:
        for path in (clip, "/shown/pairs", "/shown/cull", "/"):
            answer = served.call("GET", path, **stranger)
            assert (answer.status, len(answer.body) < 200) == (403, True), (path, stranger)
        assert served.call("POST", "/said", vote(shown), **stranger).status == 403
        assert served.call("POST", "/undone/pairs", {}, **stranger).status == 403
    forgers: list[dict[str, str | None]] = [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Origin": f"http://127.0.0.1:{served.port + 1}"},
        # What a form of another site can send.
        {"Content_Type": "text/plain"},
    ]
    for forger in forgers:
        assert served.call("POST", "/said", vote(shown), **forger).status == 403, forger
    assert served.call("GET", "/?token=" + "0" * 32, Cookie=None).status == 403
    assert served.written == before


def test_the_token_opens_no_more_than_the_page(served: Served) -> None:
    clip = f"/clips/{names(served.shown())[0]}?token={TOKEN}"
    assert served.call("GET", clip, Cookie=None).status == 403
    assert served.call("POST", f"/said?token={TOKEN}", vote(served.shown()), Cookie=None).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/clips/../../etc/passwd",
        "/clips/..%2f..%2fetc%2fpasswd",
        "/clips/%2e%2e",
        "/clips/",
        "//etc/passwd",
        "/clips/0123456789abcdef",
        "/shown/../said",
        "/shown/nothing",
        "/openapi.json",
        "/?mode=none",
    ],
)
def test_there_are_no_paths(served: Served, path: str) -> None:
    answer = served.call("GET", path)
    assert (answer.status, b"root:" in answer.body) == (404, False)


def test_a_line_of_ten_megabytes_is_not_kept(served: Served) -> None:
    before = served.written
    note = {"kind": "note", "job": names(served.shown())[0], "time": 0, "text": "x" * 10_000_000}
    assert served.call("POST", "/said", note).status == 413
    # Longer than it says, or without saying.
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as raw:
        head = (
            f"POST /said HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nOrigin: http://127.0.0.1:{served.port}\r\n"
            f"Cookie: {served.cookie['Cookie']}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        raw.sendall(head.encode() + b"".join(b"20000\r\n" + b"x" * 0x20000 + b"\r\n" for _ in range(4)) + b"0\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
    assert served.written == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 60_000, b"\xff", b'{"kind": "pair"}', b'{"kind": 1e999}'])
def test_what_is_no_verdict_is_refused(served: Served, body: bytes) -> None:
    before = served.written
    answer = served.call("POST", "/said", body)
    assert (answer.status, answer.body.startswith(b"not taken: ")) == (400, True)
    assert answer.headers["content-type"].startswith("text/plain")
    assert served.written == before


def test_html_in_a_note_stays_text(served: Served) -> None:
    text = "<img src=x onerror=alert(1)>"
    name = names(served.shown())[0]
    answer = served.call("POST", "/said", {"kind": "note", "job": name, "time": 0.5, "text": text})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(served.written[-1])["text"] == text


def test_clips_of_an_image_have_one_length_and_play(served: Served) -> None:
    lengths: dict[str, set[str]] = {}
    for name, clip in served.session.names.clips.items():
        answer = served.call("GET", f"/clips/{name}")
        lengths.setdefault(clip.image, set()).add(answer.headers["content-length"])
        assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
        assert frames(answer.body) == frames(clip.path.read_bytes())
    assert [len(each) for each in lengths.values()] == [1, 1]
    assert len({clip.bytes for clip in served.session.names.clips.values()}) > 2


def test_parts_of_a_clip(served: Served) -> None:
    path = f"/clips/{names(served.shown())[0]}"
    whole = served.call("GET", path).body
    size = len(whole)
    for asked, start, end in (
        ("bytes=0-", 0, size),
        ("bytes=0-0", 0, 1),
        ("bytes=100-1099", 100, 1100),
        (f"bytes={size - 5}-{size + 100}", size - 5, size),
        ("bytes=-7", size - 7, size),
        ("bytes=3000-70000", 3000, min(70001, size)),
    ):
        answer = served.call("GET", path, Range=asked)
        assert (answer.status, answer.body) == (206, whole[start:end]), asked
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    assert served.call("GET", path, Range=f"bytes={size}-").status == 416
    for ignored in ("bytes=-", "bytes=1-2,5-6", "lines=1-2", "bytes=x-"):
        assert served.call("GET", path, Range=ignored).status == 200
    head = served.call("HEAD", path)
    assert (head.status, head.headers["content-length"], head.body) == (200, str(size), b"")


def test_what_cannot_be_written_is_told_and_sent_again(served: Served) -> None:
    """The page keeps it; once the disk can, it is written."""
    shown, before = served.shown(), served.written
    aside = served.verdicts.with_name("aside")
    served.verdicts.rename(aside)
    served.verdicts.write_text("in the way")
    answer = served.call("POST", "/said", vote(shown))
    assert (answer.status, b"cannot" in answer.body) == (503, True)
    served.verdicts.unlink()
    aside.rename(served.verdicts)
    assert served.call("POST", "/said", vote(shown)).status == 200
    assert len(served.written) == len(before) + 1


def test_two_servers_know_their_own_cookies_only(served: Served) -> None:
    app = ReviewApp(served.session, str, "pairs", served.files).build()
    with serving(app, TOKEN[::-1], served.port) as address:
        port = urlsplit(address).port or 0
        assert port != served.port
        other = Served(served.session, served.verdicts, served.files, port, served.cookie)
        assert other.call("GET", "/shown/pairs").status == 403


def test_files_of_the_sheet_have_names_and_no_paths(served: Served) -> None:
    address = f"/{served.files.address('p0.jpg')}"
    answer = served.call("GET", address)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.body == (served.verdicts.parent / "p0.jpg").read_bytes()
    assert served.call("GET", address, Cookie=None).status == 403
    for path in ("/files/p0.jpg", "/files/../p0.jpg", "/files/campaign.yaml", f"/{served.files.address('gone.jpg')}"):
        assert served.call("GET", path).status == 404
