"""The client against raw sockets: every answer that a network can give, and what must never leave this machine."""

import gzip
import hashlib
import json
import os
import pickle
import re
import tracemalloc

import pytest

from runner.api import client as client_module
from runner.api.answer_classes import AnswerClass
from runner.api.body import Body, FileText
from runner.api.client import Client
from runner.api.service import Service
from runner.model import Image, Origin
from tests import wire

KEY = "sk-very-secret"
URL = "https://example.com/shoe.jpg"
BODY = Body("m", {"prompt": "p", "image": URL}, {})


def http(status, document=b"", *headers, length=None):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status} Word".encode(), *headers]
    if length != "none":
        lines.append(b"Content-Length: %d" % (len(content) if length is None else length))
    return b"\r\n".join((*lines, b"", content))


def ask(reply, call, **changes):
    """What the client makes of these bytes, and all that the server saw."""
    with wire.listening(lambda peer: wire.answer(peer, reply)) as server:
        client = Client(Service(server.url, KEY, "org-1", **{"read_timeout": 0.5, **changes}))
        return call(client), server


def submit(reply, **changes):
    return ask(reply, lambda client: client.submit(BODY), **changes)[0]


def picture(tmp_path, size=10 * 1024 * 1024):
    path = tmp_path / "picture.jpg"
    path.write_bytes(bytes(range(256)) * (size // 256))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    image = Image("shoe", Origin.FILE, str(path), f"sha256:{digest}", {}, (), size // 256 * 256)
    return path, Body("m", {"prompt": "p", "image": image.reference}, {image.reference: FileText(image)})


VERDICTS = {
    400: "rejected", 401: "denied", 402: "unpaid", 403: "denied", 404: "refused", 405: "refused", 413: "refused",
    415: "refused", 422: "refused", 429: "busy",
}  # fmt: skip
UNKNOWNS = (301, 302, 303, 307, 308, 406, 408, 409, 418, 425, 451, 499, 500, 501, 502, 503, 504, 520, 599)


@pytest.mark.parametrize(("status", "kind"), [*VERDICTS.items(), *((each, "unknown") for each in UNKNOWNS)])
def test_a_post_by_its_status(status, kind):
    told = submit(http(status, {"error": "because"}))
    assert told.kind is AnswerClass(kind)
    assert (told.http_status, told.message) == (status, "because")


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_post_with_a_request_id_is_accepted(status):
    told = submit(http(status, {"request_id": "r-1", "status": "queued", "created_at": 7}))
    assert told.kind is AnswerClass.ACCEPTED
    assert (told.remote.request_id, told.remote.status, told.remote.created_at) == ("r-1", "queued", 7)


def test_a_refusal_may_tell_the_id_of_its_record():
    told = submit(http(400, {"error": "no", "request_id": "r-1"}))
    assert (told.kind, told.remote.request_id) == (AnswerClass.REJECTED, "r-1")


def test_an_answer_may_be_final():
    record = {"request_id": "r-1", "status": "success", "outcome": {"video_url": "https://x/y.mp4"}}
    told = submit(http(200, record))
    assert (told.remote.is_final, told.remote.video_url) == (True, "https://x/y.mp4")


@pytest.mark.parametrize(
    "reply",
    [
        http(200, {"request_id": "r-1"}, length=500),
        http(200, b'{"request_id": "r-1"}', length=5),
        http(200, {"request_id": "x" * 201}),
        http(200, {"request_id": "a\n\x1b"}),
        http(200, {"request_id": None}),
        http(200, b"\xff\xfe\x00"),
        http(200, gzip.compress(b'{"request_id": "r-1"}')[:16], b"Content-Encoding: gzip"),
        http(200, b"this is no gzip", b"Content-Encoding: gzip"),
        http(200, b"5\r\n{\"req", b"Transfer-Encoding: chunked", length="none"),
        http(200, b"zz\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", length="none"),
        http(204),
        b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\0" * 100,
    ],
    ids=range(17),
)  # fmt: skip
def test_a_post_whose_answer_cannot_be_read_is_unknown(reply):
    assert submit(reply).kind is AnswerClass.UNKNOWN


def test_an_answer_in_gzip_and_in_chunks_is_read():
    packed = gzip.compress(b'{"request_id": "r-1"}')
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    told = submit(http(200, chunked, b"Content-Encoding: gzip", b"Transfer-Encoding: chunked", length="none"))
    assert (told.kind, told.remote.request_id) == (AnswerClass.ACCEPTED, "r-1")


def test_a_bomb_in_gzip_is_unknown_and_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(client_module, "_ANSWER_BYTES", 4 << 20)
    bomb = gzip.compress(b"[" + b" " * (256 << 20), compresslevel=1)
    tracemalloc.start()
    try:
        told = submit(http(200, bomb, b"Content-Encoding: gzip"), read_timeout=30)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert told.kind is AnswerClass.UNKNOWN
    assert peak < 32 << 20


@pytest.mark.parametrize("kind", ["submit", "get", "list"])
def test_a_body_that_never_ends_is_given_up(monkeypatch, kind):
    monkeypatch.setattr(client_module, "_ANSWER_BYTES", 1 << 20)
    monkeypatch.setattr("runner.api.listing.MOST_TEXT", 1 << 20)

    def endless(peer):
        peer.request()
        peer.send(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"request_id": "')
        while True:
            peer.send(b"a" * 65536)

    with wire.listening(endless) as server:
        client = Client(Service(server.url, KEY, read_timeout=5))
        argument = BODY if kind == "submit" else "m"
        assert getattr(client, kind)(argument).kind is AnswerClass.UNKNOWN


@pytest.mark.parametrize("kind", ["submit", "get", "list"])
def test_a_body_that_drips_is_given_up(kind):
    """Each byte comes in time; all of them would take for ever."""

    def drip(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        peer.drip(b" ")

    with wire.listening(drip) as server:
        client = Client(Service(server.url, KEY, read_timeout=0.1))
        argument = BODY if kind == "submit" else "m"
        assert getattr(client, kind)(argument).kind is AnswerClass.UNKNOWN


@pytest.mark.parametrize(("status", "kind"), [(400, "rejected"), (413, "refused"), (429, "busy"), (401, "denied")])
def test_an_answer_before_the_body_was_read_is_that_answer(tmp_path, status, kind):
    """The service answers, and goes on reading, as RFC 9112 9.6 wants it."""

    def early(peer):
        peer.head()
        peer.send(http(status, {"error": "too much"}, b"Connection: close"))
        peer.drain()

    _, body = picture(tmp_path)
    with wire.listening(early) as server:
        told = Client(Service(server.url, KEY, read_timeout=5)).submit(body)
    assert told.kind is AnswerClass(kind)


@pytest.mark.parametrize("end", [lambda peer: None, wire.Peer.reset], ids=["closed", "reset"])
def test_an_early_answer_and_the_end_is_that_answer_or_unknown_but_never_unsent(tmp_path, end):
    """Whether the answer outlives the reset that follows it is up to the kernel; in no case is it known not sent."""

    def early(peer):
        peer.head()
        peer.send(http(413, {"error": "too much"}, b"Connection: close"))
        end(peer)

    _, body = picture(tmp_path)
    with wire.listening(early) as server:
        told = Client(Service(server.url, KEY, read_timeout=5)).submit(body)
        assert told.kind in (AnswerClass.REFUSED, AnswerClass.UNKNOWN)
        assert server.connections == 1


def test_an_early_answer_leaves_no_half_body_for_the_next_request(tmp_path):
    """The connection is kept by the server: the rest of the body must not be read as a request."""

    def early(peer):
        peer.head()
        peer.send(http(400, {"error": "no"}))
        peer.drain()

    _, body = picture(tmp_path)
    with wire.listening(early) as server:
        client = Client(Service(server.url, KEY, read_timeout=5))
        assert client.submit(body).kind is AnswerClass.REJECTED
        client._transport._session.close()
    (seen,) = server.received
    assert len(bytes(seen).partition(b"\r\n\r\n")[2]) <= len(body)


@pytest.mark.parametrize("change", ["replaced", "shrunk", "grown", "gone", "emptied"])
def test_a_picture_that_changes_on_the_way_never_arrives_whole(tmp_path, change):
    # More than fits into the buffers on the way: its end is read only when the server has read its beginning.
    path, body = picture(tmp_path, 16 << 20)

    def meddle(peer):
        peer.head()
        if change == "replaced":
            with path.open("r+b") as file:
                file.seek(15 << 20)
                file.write(b"different")
        elif change == "grown":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "shrunk":
            os.truncate(path, (15 << 20) + 5)
        elif change == "emptied":
            os.truncate(path, 0)
        peer.drain()

    if change == "gone":
        path.unlink()
    with wire.listening(meddle) as server:
        told = Client(Service(server.url, KEY, read_timeout=5)).submit(body)
    sent = b"".join(map(bytes, server.received)).partition(b"\r\n\r\n")[2]
    assert told.kind is AnswerClass.CHANGED
    assert len(sent) < len(body)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(sent)


def test_a_picture_of_ten_megabytes_does_not_stand_whole_in_memory(tmp_path):
    _, body = picture(tmp_path)
    with wire.listening(lambda peer: swallow(peer, len(body))) as server:
        client = Client(Service(server.url, KEY, read_timeout=20))
        client.fetch_json("/models")
        tracemalloc.start()
        try:
            told = client.submit(body)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert told.kind is AnswerClass.ACCEPTED
    assert peak < 3 << 20


def swallow(peer, length):
    """Answer a GET, then read a large body without keeping it."""
    peer.head()
    peer.send(wire.OK)
    head = peer.head()
    left = length - len(head.partition(b"\r\n\r\n")[2])
    buffer = bytearray(1 << 16)
    while left > 0:
        left -= peer.socket.recv_into(buffer)
    peer.send(http(200, {"request_id": "r-1"}))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", ["submit", "get", "list"])
def test_no_redirect_is_followed_and_the_key_goes_nowhere_else(status, call):
    with wire.listening(wire.answer) as thief:
        reply = http(status, b"", b"Location: %s/steal" % thief.url.encode())
        argument = BODY if call == "submit" else "m"
        told, server = ask(reply, lambda client: getattr(client, call)(argument))
        assert told.kind is AnswerClass.UNKNOWN
        assert (thief.connections, server.connections) == (0, 1)


@pytest.mark.parametrize("target", ["/next", "http://[x]/", "http://h:port/", "\xff"])
def test_where_a_redirect_leads_does_not_matter(target):
    told = submit(http(307, b"", b"Location: " + target.encode("latin-1")))
    assert (told.kind, told.http_status) == (AnswerClass.UNKNOWN, 307)


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_the_key_is_in_no_words(status):
    reply = http(status, {"error": f"the key {KEY} is odd"})
    for call in (lambda each: each.submit(BODY), lambda each: each.get("r"), lambda each: each.list("m")):
        told, server = ask(reply, call)
        assert KEY not in repr(told)
        assert KEY.encode() in server.received[0]
        assert b"X-Organization-ID: org-1" in server.received[0]


def test_the_key_is_not_in_the_words_of_a_failed_request():
    failed = {"request_id": "r", "status": "failed", "outcome": {}, "error": f"the key {KEY} is odd"}
    told, _ = ask(http(200, failed), lambda client: client.get("r"))
    assert told.remote.error == "the key [key] is odd"


def test_the_key_is_in_no_representation():
    service = Service("http://127.0.0.1:1", KEY)
    assert KEY not in repr(service)
    assert KEY not in repr(Client(service).__dict__["service"])
    told = Client(service).submit(BODY)
    assert KEY not in repr(told)


def test_words_of_the_service_are_safe_to_show_and_to_store():
    told = submit(http(400, b'{"error": "a\\ud800b\\u001b[2J\\nc\\u0000"}'))
    assert told.message == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[2J c\N{REPLACEMENT CHARACTER}"


def test_an_answer_as_deep_as_a_well_is_no_trouble():
    for depth in range(900, 1000, 7):
        deep = b'{"error":' * depth + b'"x"' + b"}" * depth
        assert submit(http(400, deep)).kind is AnswerClass.REJECTED


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (http(200, {"request_id": "r-1", "status": "queued"}), "accepted"),
        (http(200, {"request_id": "r-2", "status": "queued"}), "unknown"),
        (http(200, {"request_id": "r-1"}), "unknown"),
        (http(200, {"request_id": "r-1", "status": 7}), "unknown"),
        (http(200, []), "unknown"),
        (http(404, {"error": "no"}), "missing"),
        (http(401), "denied"),
        (http(403), "denied"),
        (http(429, b"", b"Retry-After: 7"), "busy"),
        (http(500), "unknown"),
        (http(400), "unknown"),
    ],
)
def test_a_get_by_its_answer(reply, kind):
    told, _ = ask(reply, lambda client: client.get("r-1"))
    assert told.kind is AnswerClass(kind)
    assert (told.remote is not None) == (kind == "accepted")
    assert told.retry_after == (7 if kind == "busy" else None)


def test_request_ids_and_models_are_quoted():
    _, server = ask(wire.OK, lambda client: client.get("a/b?c#d e%"))
    assert server.received[0].startswith(b"GET /requests/a%2Fb%3Fc%23d%20e%25 HTTP/1.1\r\n")
    _, server = ask(wire.OK, lambda client: client.list("m&x=1"))
    assert server.received[0].startswith(b"GET /requests?model_id=m%26x%3D1&limit=100 HTTP/1.1\r\n")


def test_a_body_goes_out_with_its_length_and_as_json(tmp_path):
    _, body = picture(tmp_path, 3000)
    _, server = ask(wire.OK, lambda client: client.submit(body))
    head, _, sent = bytes(server.received[0]).partition(b"\r\n\r\n")
    assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
    assert b"Transfer-Encoding" not in head
    assert b"Content-Type: application/json" in head
    assert json.loads(sent)["payload"]["prompt"] == "p"


@pytest.mark.parametrize(("status", "kind"), [(401, "denied"), (404, "missing"), (429, "busy"), (204, "unknown")])
def test_a_list_by_its_status(status, kind):
    told, _ = ask(http(status), lambda client: client.list("m"))
    assert (told.kind, told.is_whole) == (AnswerClass(kind), False)


def test_a_list_that_is_cut_is_not_whole():
    for reply in (http(200, b'{"requests": []', length=900), http(200, b'{"requests": []'), http(200, b"")):
        told, _ = ask(reply, lambda client: client.list("m"))
        assert (told.kind, told.is_whole) == (AnswerClass.UNKNOWN, False)


def pages(count, page=100, **more):
    """The pages of a list, as answers to the calls for them."""
    entries = [{"request_id": f"r-{number}", "model": "m", "status": "queued"} for number in range(count)]
    parts = [entries[start : start + page] for start in range(0, max(count, 1), page)]
    for number, part in enumerate(parts):
        told = {name: value(number, parts) if callable(value) else value for name, value in more.items()}
        yield http(200, {"requests": part, **told})


def one_by_one(replies):
    """Answers the requests of a connection with these, one after another."""
    left = iter(replies)

    def handle(peer):
        for reply in left:
            peer.request()
            peer.send(reply)

    return handle


HAS_MORE = {"has_more": lambda number, parts: number < len(parts) - 1}


@pytest.mark.parametrize(
    ("count", "more", "calls"),
    [
        (0, HAS_MORE, 1),
        (100, HAS_MORE, 1),
        (250, HAS_MORE, 3),
        (250, {"total": 250}, 3),
        # Without a word of further pages, a full one is followed by others.
        (250, {}, 3),
    ],
)
def test_a_list_is_read_page_by_page(count, more, calls):
    with wire.listening(one_by_one(pages(count, **more))) as server:
        told = Client(Service(server.url, KEY, read_timeout=5)).list("m")
        received = re.findall(rb"GET (\S+)", b"".join(server.received))
    assert len(received) == calls
    assert [each.request_id for each in told.requests] == [f"r-{number}" for number in range(count)]
    assert told.is_whole
    assert received[0].endswith(b"/requests?model_id=m&limit=100")
    assert [each.rpartition(b"&")[2] for each in received[1:]] == [b"offset=100", b"offset=200"][: calls - 1]


def test_a_service_that_gives_the_same_page_again_and_again_ends_the_list():
    (page,) = pages(100, total=300)
    with wire.listening(one_by_one([page] * 9)) as server:
        told = Client(Service(server.url, KEY, read_timeout=5)).list("m")
        assert len(re.findall(rb"GET ", b"".join(server.received))) == 2
    assert (len(told.requests), told.total) == (100, 300)


def test_the_sandbox_says_so_and_only_on_this_machine():
    reply = http(200, {"model_ids": []}, b"Server: reelrun-sandbox")
    assert ask(reply, lambda client: client.is_sandbox())[0]
    assert not ask(http(200, {"model_ids": []}), lambda client: client.is_sandbox())[0]
    assert not Client(Service("https://api.service.invalid", KEY)).is_sandbox()


def test_a_client_travels_to_another_process_with_its_service():
    client = Client(Service("http://127.0.0.1:1", KEY, "org-1"))
    assert pickle.loads(pickle.dumps(client)).service == client.service


def test_a_request_that_holds_the_key_is_not_sent():
    body = Body("m", {"prompt": f"p {KEY}", "image": URL}, {})
    told, server = ask(http(200, {"request_id": "r"}), lambda client: client.submit(body))
    assert (told.kind, server.connections) == (AnswerClass.KEY_INSIDE, 0)
    assert KEY not in repr(told)


def test_the_key_in_a_request_id_makes_none_of_it():
    assert submit(http(200, {"request_id": f"r-{KEY}", "status": "queued"})).kind is AnswerClass.UNKNOWN


def test_the_key_in_a_status_line_that_is_none():
    told = submit(f"{KEY} \x1b[2J\r\n\r\n".encode())
    assert KEY not in repr(told)
    assert told.message.isprintable()
