"""The sandbox held to the documented API, call by call, over real sockets."""

from __future__ import annotations

import http.client
import json
import threading
import uuid
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
import requests

from tests.test_sandbox_kit import MODEL, SIBLINGS, Client, in_base64, payload, picture_bytes, running, video_url

OTHER = SIBLINGS[1]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("app")) as opened:
        yield opened


@pytest.fixture(scope="module")
def done(client: Client) -> dict[str, object]:
    """A request that succeeded."""
    return client.finished(client.submit(duration="5"))


def test_a_submission_is_answered_at_once(client: Client) -> None:
    answer = client.post({"model": MODEL, "payload": payload()})
    document = answer.json()
    assert answer.status_code == 200
    assert set(document) == {"request_id", "model", "status", "created_at", "updated_at", "queued_at"}
    assert (document["model"], document["status"]) == (MODEL, "queued")
    assert str(uuid.UUID(document["request_id"])) == document["request_id"]
    assert all(type(document[name]) is int for name in ("created_at", "updated_at", "queued_at"))
    assert abs(document["created_at"] - parsedate_to_datetime(answer.headers["Date"]).timestamp()) <= 2


def test_a_poll_has_every_field(client: Client, done: dict[str, object]) -> None:
    assert set(done) == {
        *("request_id", "org_id", "model", "status", "is_public", "payload", "outcome"),
        *("created_at", "updated_at", "queued_at", "qworker_id"),
    }
    assert done["payload"] == payload(duration="5")
    assert (done["org_id"], done["is_public"], done["status"]) == ("sandbox", False, "success")
    assert str(done["qworker_id"]).startswith("sandbox-worker-")


def test_both_prefixes_are_one_queue(client: Client, done: dict[str, object]) -> None:
    origin = client.base_url.split("/api/")[0]
    assert client.get(f"{origin}/api/v1/apikey/requests/{done['request_id']}").json() == done


def test_the_listing_is_by_model_with_its_total(client: Client) -> None:
    mine = [client.submit(model=OTHER, prompt=f"listed {number}") for number in range(3)]
    listing = client.get("/requests", params={"model_id": OTHER}).json()
    assert set(listing) == {"requests", "total"}
    assert [request["request_id"] for request in listing["requests"]] == mine
    assert listing["total"] == 3
    assert listing["requests"][0]["payload"] == payload(prompt="listed 0")
    other = client.submit(prompt="of the usual model")
    everything = client.get("/requests").json()
    assert everything["total"] == len(everything["requests"])
    assert {*mine, other} <= {request["request_id"] for request in everything["requests"]}
    assert client.get("/requests", params={"model_id": SIBLINGS[2]}).json() == {"requests": [], "total": 0}


def test_the_listing_has_the_objects_of_the_polls(client: Client, done: dict[str, object]) -> None:
    listed = client.get("/requests", params={"model_id": MODEL}).json()["requests"]
    assert done in listed


def test_models(client: Client) -> None:
    assert client.get("/models").json() == {"model_ids": sorted(SIBLINGS)}
    detail = client.get(f"/models/{MODEL}").json()
    assert detail["model"] == MODEL
    assert [parameter["name"] for parameter in detail["parameters"]][:2] == ["image", "prompt"]
    assert set(detail["price_info"]) == {"price", "pricing_type", "unit"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/requests/00000000-0000-4000-8000-000000000000", 404),
        ("GET", "/requests/..%2f..%2fetc", 404),
        ("GET", "/requests?model_id=nope", 404),
        ("GET", "/models/nope", 404),
        ("GET", f"/models/{MODEL.lower()}", 404),
        ("GET", "/nothing", 404),
        ("GET", "/requests/", 404),
        ("PUT", "/requests", 405),
        ("DELETE", "/requests/1", 405),
        ("POST", "/models", 405),
    ],
)
def test_calls_that_lead_nowhere(client: Client, method: str, path: str, status: int) -> None:
    answer = client.session.request(method, client.base_url + path, timeout=30, allow_redirects=False)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]


def test_an_unknown_model_cannot_be_submitted(client: Client) -> None:
    answer = client.post({"model": "nope", "payload": payload()})
    assert (answer.status_code, answer.json()) == (404, {"error": "model: nope is unknown"})


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"duration": 5}, 'payload.duration: must be "5" or "10"'),
        ({"prompt": "x" * 2501}, "payload.prompt: has 2501 characters; at most 2500 are allowed"),
        ({"image": "data:image/png;base64,QQ=="}, "payload.image: must be a URL or raw Base64, without a data: prefix"),
        (
            {"image": in_base64(picture_bytes(299, 300))},
            "payload.image: is 299 x 300 pixels; both sides must be at least 300",
        ),
        ({"image": in_base64(picture_bytes(480, 320, "WEBP"))}, "payload.image: must be JPEG or PNG by its content"),
        ({"prompt": "forbidden"}, "content policy: the prompt was refused"),
    ],
)
def test_what_is_refused_is_never_queued(client: Client, more: dict[str, object], error: str) -> None:
    before = client.get("/requests").json()["total"]
    answer = client.post({"model": MODEL, "payload": payload(**more)})
    assert answer.status_code == 400
    assert answer.json() == {"error": error} or answer.json() == {"error": "payload.duration: must be a string"}
    assert client.get("/requests").json()["total"] == before


def test_a_body_that_is_not_json(client: Client) -> None:
    answer = client.session.post(f"{client.base_url}/requests", data=b"image=1", timeout=30)
    assert (answer.status_code, answer.json()) == (400, {"error": "the body is not JSON"})


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(client: Client, chunked: bool) -> None:
    body = b" " * (24 * 1024 * 1024)
    data = iter([body]) if chunked else body
    answer = client.session.post(f"{client.base_url}/requests", data=data, timeout=30)
    assert answer.status_code == 413
    assert "too large" in answer.json()["error"]
    assert client.get("/models").status_code == 200


def test_a_body_that_breaks_off_is_not_accepted(client: Client) -> None:
    before = client.get("/requests").json()["total"]
    url = urlsplit(client.base_url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=30)
    connection.putrequest("POST", f"{url.path}/requests")
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b'{"model"')
    connection.close()
    assert client.get("/requests").json()["total"] == before


def test_half_a_surrogate_pair_comes_back(client: Client) -> None:
    body = json.dumps({"model": MODEL, "payload": payload(prompt="\ud83d")})
    answer = client.session.post(f"{client.base_url}/requests", data=body, timeout=30)
    assert client.detail(answer.json()["request_id"])["payload"] == payload(prompt="\ud83d")
    refused = client.session.post(f"{client.base_url}/requests", data='{"model": "\\ud83d", "payload": {}}', timeout=30)
    assert refused.status_code == 404


def test_every_answer_says_who_and_when(client: Client, done: dict[str, object]) -> None:
    answers = [
        client.get("/models"),
        client.get("/nothing"),
        client.get("/requests"),
        client.post({}),
        client.get(video_url(done["outcome"])),
        client.session.put(f"{client.base_url}/models", timeout=30),
    ]
    for answer in answers:
        assert answer.headers["Server"] == "reelrun-sandbox"
        assert parsedate_to_datetime(answer.headers["Date"])


def test_no_key_is_needed_and_any_is_fine(client: Client) -> None:
    assert client.get("/models", headers={"Authorization": "Bearer x", "X-Organization-ID": "o"}).status_code == 200


def test_links_follow_the_host_that_was_asked(client: Client, done: dict[str, object]) -> None:
    port = urlsplit(client.base_url).port
    asked = client.get(f"/requests/{done['request_id']}", headers={"Host": f"localhost:{port}"}).json()
    assert video_url(asked["outcome"]) == f"http://localhost:{port}/media/{done['request_id']}.mp4"
    assert video_url(done["outcome"]) == f"http://127.0.0.1:{port}/media/{done['request_id']}.mp4"


def test_both_shapes_of_an_outcome_are_met(client: Client) -> None:
    outcomes = [client.finished(client.submit(prompt=f"shape {number}"))["outcome"] for number in range(2)]
    assert all(isinstance(outcome, dict) for outcome in outcomes)
    keys = {frozenset(outcome) for outcome in outcomes if isinstance(outcome, dict)}
    assert keys == {frozenset({"video_url", "thumbnail_image_url"}), frozenset({"media_urls", "thumbnail_image_url"})}


def test_a_clip_is_served_whole_and_in_parts(client: Client, done: dict[str, object]) -> None:
    url = video_url(done["outcome"])
    whole = client.get(url)
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "video/mp4")
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    etag = whole.headers["ETag"]
    assert etag.startswith('"')
    assert len(etag) == 66
    part = client.get(url, headers={"Range": "bytes=100-199", "If-Range": etag})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.content)}"
    assert part.headers["ETag"] == etag
    rest = client.get(url, headers={"Range": "bytes=1000-"})
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])
    tail = client.get(url, headers={"Range": "bytes=-10"})
    assert (tail.status_code, tail.content) == (206, whole.content[-10:])
    changed = client.get(url, headers={"Range": "bytes=100-199", "If-Range": '"another"'})
    assert (changed.status_code, changed.content) == (200, whole.content)
    beyond = client.get(url, headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
    head = client.session.head(url, timeout=30)
    assert (head.status_code, head.headers["ETag"]) == (200, etag)


def test_a_thumbnail_is_served(client: Client, done: dict[str, object]) -> None:
    outcome = done["outcome"]
    assert isinstance(outcome, dict)
    answer = client.get(outcome["thumbnail_image_url"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.content.startswith(b"\xff\xd8")
    assert answer.headers["ETag"] != client.get(video_url(outcome)).headers["ETag"]


@pytest.mark.parametrize("name", ["../sandbox.sqlite", "..%2fsandbox.sqlite", f"{uuid.UUID(int=0)}.mp4", "x.mp4", ""])
def test_only_finished_clips_are_served(client: Client, name: str) -> None:
    origin = client.base_url.split("/api/")[0]
    assert client.get(f"{origin}/media/{name}").status_code == 404


def test_many_clients_at_once_get_their_own_answers(client: Client) -> None:
    ids: list[str] = []

    def ask(number: int) -> None:
        with requests.Session() as session:
            mine = Client(client.base_url, session=session)
            ids.append(mine.submit(prompt=f"thread {number}"))
            assert mine.detail(ids[-1]) is not None

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 8
