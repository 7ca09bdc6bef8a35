"""The queue server as a client meets it: the API, and a ledger of all that was asked of it."""

import hashlib
import http.client
import json
import math

import pytest

from runner.api.body import Body, FileText
from runner.api.client import Client
from runner.api.service import Service
from runner.model import Image, Origin
from tests.bench.clip import name_in
from tests.bench.processes import service

URL = "https://example.com/shoe.jpg"
IMAGE = Image("shoe", Origin.URL, URL, URL, {}, ())
SIZE = 20_000


@pytest.fixture(scope="module")
def served():
    with service(slots=2, video_bytes=SIZE) as running:
        yield running


@pytest.fixture
def client(served):
    return Client(Service(served.base, "key"))


def body(number):
    return Body("Kling-Image2Video-V1.6-Standard", {"prompt": f"number {number}", "image": URL}, {})


def download(served, url):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("GET", url.partition(str(served.port))[2])
    content = connection.getresponse().read()
    connection.close()
    return content


def test_the_client_of_the_project_understands_it_and_each_showing_of_a_request_is_a_poll(served, client, tmp_path):
    before = served.ledger()
    submission = client.submit(body(1))
    answer = client.get(submission.remote.request_id)
    listing = client.list("Kling-Image2Video-V1.6-Standard")
    assert answer.remote.status == "success"
    assert answer.remote.payload == {"prompt": "number 1", "image": URL}
    assert listing.is_whole
    assert listing.total == len(listing.requests) == before.submitted + 1
    (tmp_path / "a.mp4").write_bytes(download(served, answer.remote.video_url))
    assert (tmp_path / "a.mp4").stat().st_size == SIZE
    assert name_in(tmp_path / "a.mp4", 36) == submission.remote.request_id
    after = served.ledger()
    assert (after.submitted, after.delivered) == (before.submitted + 1, before.delivered + 1)
    shown = after.polls * after.submitted - before.polls * before.submitted
    assert round(shown) == 1 + len(listing.requests)
    assert not math.isnan(after.lag)


def test_a_submission_that_came_twice_is_told(served, client):
    before = served.ledger().repeated
    client.submit(body(2))
    client.submit(body(2))
    assert served.ledger().repeated == before + 1


def test_an_upload_is_told_from_others_by_its_content(served, client, tmp_path):
    before = served.ledger()
    for number in (1, 2, 2):
        content = bytes([number]) * 300_000
        (tmp_path / "a.jpg").write_bytes(content)
        reference = f"sha256:{hashlib.sha256(content).hexdigest()}"
        image = Image("a", Origin.FILE, str(tmp_path / "a.jpg"), reference, {}, (), len(content))
        assert client.submit(
            Body("m", {"image": image.reference}, {image.reference: FileText(image)})
        ).remote.request_id
    after = served.ledger()
    assert (after.submitted - before.submitted, after.repeated - before.repeated) == (3, 1)
    assert after.most_uploads >= 1


def test_what_is_not_there_is_missing(served, client):
    assert client.get("nothing").kind.value == "missing"
    assert json.loads(download(served, f":{served.port}/videos/nothing.mp4")) == {"error": "no such video"}


def test_the_first_call_is_noted_and_the_ledger_is_none():
    with service(slots=1) as running:
        assert running.ledger().first_call is None
        assert not running.is_called()
        Client(Service(running.base, "key")).get("nothing")
        assert running.is_called()
