"""Uploads to the sandbox, over real sockets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from starlette.exceptions import HTTPException

from runner.sandbox.album import Album
from runner.sandbox.records import Records
from runner.sandbox.upload_store import CONTENT_TYPES, LIFETIME, LinkError, UploadStore, uploaded
from tests.test_sandbox_kit import Client, payload, picture_bytes, running, video_url

ORIGIN = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("uploads")) as opened:
        yield opened


def link(client: Client, file_type: object = "jpeg") -> dict[str, str]:
    answer = client.session.post(f"{client.base_url}/upload-url", json={"file_type": file_type}, timeout=30)
    assert answer.status_code == 200, answer.text
    told: dict[str, str] = answer.json()
    return told


def put(client: Client, url: str, data: bytes = picture_bytes(), **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in {"Content_Type": "image/jpeg", **headers}.items()}
    return client.session.put(url, data=data, headers=named, timeout=30)


def code(answer: requests.Response) -> tuple[int, str]:
    """The status and the code in the XML of a refusal."""
    assert answer.headers["Content-Type"].startswith("application/xml")
    found = re.fullmatch(r"<\?xml .*\?><Error><Code>(\w+)</Code><Message>.+</Message></Error>", answer.text)
    assert found
    return answer.status_code, found.group(1)


@pytest.mark.parametrize(("file_type", "content_type"), CONTENT_TYPES.items())
def test_a_file_is_put_and_read(client: Client, file_type: str, content_type: str) -> None:
    told = link(client, file_type)
    assert set(told) == {"upload_url", "public_url"}
    assert client.get(told["public_url"]).status_code == 404
    assert put(client, told["upload_url"], b"bytes", Content_Type=content_type).status_code == 200
    answer, head = client.get(told["public_url"]), client.session.head(told["public_url"], timeout=30)
    assert (answer.content, answer.headers["Content-Type"]) == (b"bytes", content_type)
    assert (head.status_code, head.headers["Content-Length"]) == (200, "5")


@pytest.mark.parametrize("file_type", ["webp", "JPEG", "", None, 5, ["png"]])
def test_other_types_are_refused(client: Client, file_type: object) -> None:
    answer = client.session.post(f"{client.base_url}/upload-url", json={"file_type": file_type}, timeout=30)
    assert answer.status_code == 400
    assert answer.json() == {"error": "file_type: must be jpeg or jpg or png or mp4 or mp3 or wav"}


@pytest.mark.parametrize(("body", "error"), [(b"{", "the body is not JSON"), (b"[]", "file_type: must be")])
def test_a_link_is_asked_for_with_json(client: Client, body: bytes, error: str) -> None:
    answer = client.session.post(f"{client.base_url}/upload-url", data=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(error)


def test_the_type_is_signed(client: Client) -> None:
    told = link(client)
    for wrong in ("image/jpg", "image/png", "image/jpeg; charset=utf-8", ""):
        assert code(put(client, told["upload_url"], Content_Type=wrong)) == (403, "SignatureDoesNotMatch")
    assert client.get(told["public_url"]).status_code == 404


def test_a_changed_or_missing_signature_is_refused(client: Client) -> None:
    told, other = link(client), link(client)
    signed = told["upload_url"].partition("?")[2]
    for wrong in (told["public_url"], told["upload_url"] + "0", f"{other['public_url']}?{signed}"):
        assert code(put(client, wrong)) == (403, "SignatureDoesNotMatch")
    later = re.sub(r"expires=\d+", "expires=9999999999", told["upload_url"])
    assert code(put(client, later)) == (403, "SignatureDoesNotMatch")


def test_a_key_does_not_belong_there(client: Client) -> None:
    answer = put(client, link(client)["upload_url"], Authorization="Bearer secret")
    assert code(answer) == (400, "InvalidArgument")
    assert "secret" not in answer.text


def test_a_clip_of_a_picture_that_was_uploaded(client: Client) -> None:
    told = link(client)
    put(client, told["upload_url"])
    done = client.finished(client.submit(image=told["public_url"]))
    assert done["payload"] == payload(image=told["public_url"])
    direct = client.finished(client.submit())
    # One picture is one request, however it came: this is the second take of it.
    with_address, within = (client.get(video_url(each["outcome"])).content for each in (done, direct))
    assert with_address != within
    assert b"over the picture" in with_address


def test_an_uploaded_picture_is_held_to_the_rules(client: Client) -> None:
    told = link(client)
    put(client, told["upload_url"], picture_bytes(200, 200))
    answer = client.post({"model": "Kling-Image2Video-V1.6-Pro", "payload": payload(image=told["public_url"])})
    error = "payload.image: is 200 x 200 pixels; both sides must be at least 300"
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_an_address_where_nothing_was_put_fails(client: Client) -> None:
    done = client.finished(client.submit(image=link(client)["public_url"]))
    assert (done["status"], done["outcome"]) == ("failed", {})
    assert "cannot be fetched: status 404" in str(done["error"])


def test_a_later_start_knows_the_address_by_its_name(tmp_path: Path) -> None:
    """Each start may have another port."""
    with running(tmp_path) as first:
        told = link(first)
        put(first, told["upload_url"])
    with running(tmp_path) as later:
        assert later.finished(later.submit(image=told["public_url"]))["status"] == "success"
        void = told["upload_url"].replace(first.base_url[:22], later.base_url[:22])
        assert code(put(later, void)) == (403, "SignatureDoesNotMatch")
    assert len(list((tmp_path / "sandbox" / "pictures").iterdir())) == 1


def test_an_uploaded_file_that_is_gone_fails_the_request(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        told = link(client)
        put(client, told["upload_url"])
        (kept,) = (tmp_path / "sandbox" / "pictures").iterdir()
        kept.unlink()
        assert client.get(told["public_url"]).status_code == 404
        assert "cannot be fetched: status 404" in str(client.finished(client.submit(image=told["public_url"]))["error"])


# Without HTTP


@pytest.fixture
def store(tmp_path: Path) -> Iterator[UploadStore]:
    (tmp_path / "pictures").mkdir()
    with closing(Records(tmp_path / "sandbox.sqlite")) as records:
        yield UploadStore(records, Album(tmp_path / "pictures"), lambda: 1000.0)


def parts(told: dict[str, str]) -> tuple[str, str, str]:
    found = re.fullmatch(r".*/uploads/(.+)\?expires=(\d+)&signature=(\w+)", told["upload_url"])
    assert found
    return found.group(1), found.group(2), found.group(3)


def test_a_link_expires(store: UploadStore) -> None:
    link = parts(store.link("png", ORIGIN))
    for seconds in (0, LIFETIME):
        replace(store, clock=lambda now=1000.0 + seconds: now).check(*link, "image/png")
    with pytest.raises(LinkError) as caught:
        replace(store, clock=lambda: 1000.5 + LIFETIME).check(*link, "image/png")
    assert (caught.value.status, caught.value.code) == (403, "ExpiredToken")


def test_every_link_is_another_and_another_start_signs_otherwise(store: UploadStore) -> None:
    one, two = (parts(store.link("png", ORIGIN)) for _ in range(2))
    assert one[0] != two[0]
    with pytest.raises(LinkError):
        UploadStore(store.records, store.album, store.clock).check(*one, "image/png")
    with pytest.raises(HTTPException):
        store.link("exe", ORIGIN)


def test_the_latest_file_counts(store: UploadStore) -> None:
    told = store.link("png", ORIGIN)
    assert uploaded(store.records, told["public_url"]) is None
    for data in (b"one", b"two"):
        store.put(parts(told)[0], data)
        digest = uploaded(store.records, f"http://elsewhere:9{told['public_url'][len(ORIGIN) :]}")
        assert digest
        assert store.album.path(digest).read_bytes() == data
    assert uploaded(store.records, "https://example.com/uploads/bag.jpg") is None
