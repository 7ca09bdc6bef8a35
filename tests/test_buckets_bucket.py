import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress
from runner.errors import BucketError, ObjectChangedError
from tests.store_proxies import shared


@pytest.fixture(scope="module", params=["moto", "seaweed"])
def server(request):
    store = shared(request.param)
    store.make_bucket("objects")
    return store


@pytest.fixture
def bucket(server, monkeypatch, request):
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return Bucket.open(BucketAddress.of(f"s3://objects/{request.node.name[:20]}"), retried=2.0)


def test_an_object_comes_back_as_it_was(bucket):
    version = bucket.put_new("a/b c=é #?.json", b"hello", "application/json")
    assert bucket.read("a/b c=é #?.json") == (b"hello", version)
    found = bucket.find("a/b c=é #?.json")
    assert (found.path, found.size, found.version) == ("a/b c=é #?.json", 5, version)
    assert b"".join(bucket.blocks("a/b c=é #?.json", version)) == b"hello"
    assert bucket.sha256_of("a/b c=é #?.json") == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_what_is_not_there_is_none(bucket):
    assert bucket.read("x") is None
    assert bucket.find("x") is None
    assert bucket.sha256_of("x") is None
    assert list(bucket.each()) == []
    bucket.remove("x")


def test_only_one_of_two_makes_an_object(bucket):
    version = bucket.put_new("intents/1.json", b"one")
    with pytest.raises(ObjectChangedError, match="holds something else"):
        bucket.put_new("intents/1.json", b"two")
    # A call whose answer was lost is made again.
    assert bucket.put_new("intents/1.json", b"one") == version
    assert bucket.read("intents/1.json") == (b"one", version)


def test_only_one_of_two_replaces_a_version(bucket):
    first = bucket.put_new("state", b"1")
    second = bucket.replace("state", b"2", first)
    assert second != first
    with pytest.raises(ObjectChangedError):
        bucket.replace("state", b"3", first)
    assert bucket.replace("state", b"2", first) == second
    with pytest.raises(ObjectChangedError):
        list(bucket.blocks("state", first))
    with pytest.raises(ObjectChangedError):
        bucket.replace("never there", b"1", first)


def test_notes_stand_beside_an_object(bucket):
    version = bucket.put_new("a.html", b"1", "text/html; charset=utf-8", {"reelrun": '{"a":"b"}'})
    assert bucket.find("a.html").notes == {"Content-Type": "text/html; charset=utf-8", "reelrun": '{"a":"b"}'}
    bucket.replace("a.html", b"2", version, "video/mp4", {"reelrun": "x"})
    assert bucket.find("a.html").notes == {"Content-Type": "video/mp4", "reelrun": "x"}


class GoogleStore(BaseHTTPRequestHandler):
    """What it does with conditions: there is no such server to be had. They hold for numbers, not for ETags."""

    protocol_version = "HTTP/1.1"
    objects: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def log_message(self, *words): ...

    def answer(self, status, number=0, content=b""):
        self.send_response_only(status)
        self.send_header("ETag", f'"tag-{number}"')
        self.send_header("x-goog-generation", str(number))
        self.send_header("Last-Modified", "Sat, 28 Nov 2026 09:00:00 GMT")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self):
        found = self.objects.get(self.path)
        self.answer(200, *found) if found else self.answer(404)

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        number, _ = self.objects.get(self.path, (0, b""))
        if int(self.headers["x-goog-if-generation-match"]) != number:
            self.answer(412)
            return
        self.objects[self.path] = number + 1, content
        self.answer(200, number + 1)


def test_googles_conditions_are_numbers(monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), GoogleStore) as google:
        Thread(target=google.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        key = {"gcs_base_url": f"http://127.0.0.1:{google.server_port}", "disable_oauth": True}
        names = ("client_email", "private_key", "private_key_id")
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(key | dict.fromkeys(names, "")))
        monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
        bucket = Bucket.open(BucketAddress.of("gs://campaigns/x"), retried=0.2)
        first = bucket.put_new("state", b"1")
        with pytest.raises(ObjectChangedError):
            bucket.put_new("state", b"2")
        second = bucket.replace("state", b"2", first)
        assert bucket.read("state") == (b"2", second)
        with pytest.raises(ObjectChangedError):
            bucket.replace("state", b"3", first)
        with pytest.raises(ObjectChangedError):
            bucket.replace("never there", b"3", first)
        assert bucket.replace("state", b"2", first) == second
        google.shutdown()


class LackingStore(BaseHTTPRequestHandler):
    """It answers everything with 404 and a code, as Amazon's does a PUT under If-Match where nothing is."""

    code = ""

    def log_message(self, *words): ...

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = f"<Error><Code>{self.code}</Code></Error>".encode()
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_GET = do_HEAD = do_PUT = answer  # noqa: N815


@pytest.mark.parametrize(
    ("code", "said"),
    [("NoSuchKey", "the store answers NoSuchKey"), ("ContainerNotFound", "no such bucket")],
)
def test_what_cannot_be_written_as_something_is_missing_is_no_missing_object(monkeypatch, code, said):
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (LackingStore,), {"code": code})) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        for name, value in (("ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}"), ("ALLOW_HTTP", "true"),
                            ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("REGION", "us-east-1")):  # fmt: skip
            monkeypatch.setenv(f"AWS_{name}", value)
        bucket = Bucket.open(BucketAddress.of("s3://objects/x"), retried=0.2)
        with pytest.raises(BucketError, match=said):
            bucket.put_new("state", b"1")
        with pytest.raises(BucketError, match="holds something else" if code == "NoSuchKey" else said):
            bucket.replace("state", b"1", "a version")
        server.shutdown()


def test_a_file_goes_as_it_is(bucket, tmp_path):
    (tmp_path / "clip").write_bytes(bytes(range(256)) * 40_000)
    version = bucket.put_new("clip.mp4", tmp_path / "clip", "video/mp4")
    assert bucket.read("clip.mp4") == ((tmp_path / "clip").read_bytes(), version)
    assert len(bucket.read("clip.mp4", most_bytes=10)[0]) > 10
    assert bucket.put_new("clip.mp4", tmp_path / "clip") == version


def test_a_slow_line_has_time_to_send(monkeypatch):
    opened = []
    monkeypatch.setattr("runner.buckets.bucket._opened", lambda address, *seconds: opened.append(seconds))
    bucket = Bucket.open(BucketAddress.of("s3://objects/x"), retried=5.0)
    assert bucket.patient(1_999_999) is bucket
    assert bucket.patient(16 << 20) is bucket.patient(17 << 20)
    assert opened == [(900.0, 5.0, 20.0), (1220.0, 5.0, 320.0)], "16 MB at 100 kB a second"


def test_a_list_has_all_that_lies_below(bucket):
    for name in ("a/1", "a/b/2", "c"):
        bucket.put_new(name, name.encode())
    assert sorted(each.path for each in bucket.each()) == ["a/1", "a/b/2", "c"]
    assert sorted(each.path for each in bucket.each("a")) == ["a/1", "a/b/2"]
    bucket.remove("c")
    assert sorted(each.path for each in bucket.each()) == ["a/1", "a/b/2"]


def test_who_has_a_signed_address_can_read(bucket):
    bucket.put_new("shoe é.jpg", b"picture")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(bucket.signed("shoe é.jpg", 3600)) as answer:
        assert answer.read() == b"picture"


def test_a_bucket_that_is_not_there_is_told(bucket, server):
    missing = Bucket.open(BucketAddress.of("s3://nowhere/x"), retried=1.0)
    if server.makes_buckets:
        assert missing.put_new("x", b"1")
        return
    with pytest.raises(BucketError, match="no such bucket") as caught:
        missing.put_new("x", b"1")
    assert caught.value.hint == "make it, or correct its name"


def test_a_store_out_of_reach_is_told(monkeypatch, bucket):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    gone = Bucket.open(BucketAddress.of("s3://objects/x"), retried=0.2)
    with pytest.raises(BucketError, match="nothing answers there") as caught:
        gone.read("x")
    assert "AWS_ENDPOINT_URL" in caught.value.hint
