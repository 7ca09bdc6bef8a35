"""Putting a file into the store of the service: what each answer means, and that the key goes to the service alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from runner.api.answer_classes import AnswerClass
from runner.api.client import Client
from runner.api.linked_files import LinkedFiles
from runner.api.service import Service
from runner.api.uploads import is_gone, upload
from runner.model import Image, Origin
from tests.faults import service as faults
from tests.faults.service import FaultyService
from tests.kit import picture_bytes, sound_bytes, video_bytes

KEY = "sk-test-key"
PICTURE = picture_bytes()


@pytest.fixture
def service():
    with FaultyService(b"") as started:
        yield started


def image_of(folder, data=PICTURE):
    path = folder / "file"
    path.write_bytes(data)
    return Image("file", Origin.FILE, str(path), f"sha256:{hashlib.sha256(data).hexdigest()}", {}, (), len(data))


def put(service, image):
    known = Service(service.base_url, KEY, connect_timeout=1.0, read_timeout=1.0)
    return upload(Client(known), LinkedFiles.of(known), image)


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (picture_bytes(kind="JPEG"), ".jpeg"),
        (picture_bytes(kind="PNG"), ".png"),
        (video_bytes(), ".mp4"),
        (sound_bytes(kind="mp3"), ".mp3"),
        (sound_bytes(kind="wav"), ".wav"),
    ],
)
def test_a_file_of_each_type_is_put_under_the_type_that_is_signed(service, tmp_path, data, ending):
    told = put(service, image_of(tmp_path, data))
    assert told.kind is AnswerClass.ACCEPTED
    assert told.address.startswith(f"{service.files_url}/public/")
    assert told.address.endswith(ending)
    assert service.stored(told.address) == data
    assert (service.calls, service.key_seen_by_files) == (["upload-url", "put"], 0)


UNKNOWN, DENIED, UNPAID = AnswerClass.UNKNOWN, AnswerClass.DENIED, AnswerClass.UNPAID
ASKED = {
    "500": (faults.status(500), UNKNOWN),
    "503": (faults.status(503), UNKNOWN),
    "429": (faults.status(429, headers={"Retry-After": "7"}), AnswerClass.BUSY),
    "401": (faults.status(401), DENIED),
    "403": (faults.status(403), DENIED),
    "402": (faults.status(402), UNPAID),
    "400": (faults.status(400), AnswerClass.REJECTED),
    "404": (faults.status(404), AnswerClass.REFUSED),
    "302": (faults.redirect(lambda call: call.service.files_url, 302), UNKNOWN),
    "HTML": (faults.raw(b"<html>"), UNKNOWN),
    "a list": (faults.raw(b"[]"), UNKNOWN),
    "no address": (faults.raw(b'{"upload_url": "http://127.0.0.1/x"}'), UNKNOWN),
    "no web address": (faults.raw(b'{"upload_url": "file:///x", "public_url": "file:///y"}'), UNKNOWN),
    "an address that is none": (faults.raw(b'{"upload_url": "http://127.0.0.1:1/x", "public_url": "/y"}'), UNKNOWN),
    "closed": (faults.drop_before, UNKNOWN),
    "time-out": (faults.hang(), UNKNOWN),
}
PUTS = {
    "500": (faults.status(500), "the store answered 500"),
    "expired": (faults.raw(faults.refusal("AccessDenied"), code=403), "the store answered 403 AccessDenied"),
    "403 without words": (faults.raw(b"", code=403), "the store answered 403"),
    "302": (faults.redirect(lambda call: call.service.files_url + "/x", 302), "the store answered 302"),
    "closed": (faults.drop_after(accepted=False), "the store cannot be used"),
    "reset": (faults.reset_after(accepted=False), "the store cannot be used"),
    "time-out": (faults.hang(), "the store cannot be used"),
}


@pytest.mark.parametrize(("fault", "kind"), ASKED.values(), ids=ASKED)
def test_where_to_put_it_is_not_told(service, tmp_path, fault, kind):
    service.order("upload-url", fault)
    told = put(service, image_of(tmp_path))
    assert (told.kind, told.address) == (kind, "")
    assert told.message
    assert told.retry_after == (7.0 if kind is AnswerClass.BUSY else None)
    assert (service.kept(), service.key_seen_by_files) == ([], 0)


@pytest.mark.parametrize(("fault", "words"), PUTS.values(), ids=PUTS)
def test_it_cannot_be_put(service, tmp_path, fault, words):
    service.order("put", fault)
    told = put(service, image_of(tmp_path))
    assert (told.kind, told.address, service.kept()) == (UNKNOWN, "", [])
    assert words in told.message
    assert "signature" not in told.message
    assert service.key_seen_by_files == 0


def test_a_service_that_is_not_there(tmp_path):
    with FaultyService(b"") as dead:
        pass
    told = put(dead, image_of(tmp_path))
    assert (told.kind, told.is_silent) == (AnswerClass.UNSENT, True)


@pytest.mark.parametrize("change", [lambda data: data + b"x", lambda data: data[:-1], lambda data: data[:-1] + b"x"])
def test_a_file_that_changed_is_never_whole_in_the_store(service, tmp_path, change):
    data = picture_bytes()
    image = image_of(tmp_path, data)
    (tmp_path / "file").write_bytes(change(data))
    told = put(service, image)
    assert told.kind is AnswerClass.CHANGED
    assert "changed since the plan" in told.message
    assert service.kept() == []


def test_a_file_that_is_gone(service, tmp_path):
    image = image_of(tmp_path)
    (tmp_path / "file").unlink()
    assert put(service, image).kind is AnswerClass.CHANGED
    assert service.calls == []


def test_a_file_that_the_store_does_not_take(service, tmp_path):
    told = put(service, replace(image_of(tmp_path, picture_bytes(kind="WEBP"))))
    assert (told.kind, service.calls) == (AnswerClass.REFUSED, [])


def test_a_larger_file_is_sent_in_blocks(service, tmp_path):
    data = b"\xff\xd8\xff" + bytes(3_000_000)
    assert service.stored(put(service, image_of(tmp_path, data)).address) == data


def test_whether_an_address_still_serves(service, tmp_path):
    files = LinkedFiles.of(Service(service.base_url, KEY, read_timeout=1.0))
    address = put(service, image_of(tmp_path)).address
    assert not is_gone(files, address)
    for code, gone in ((403, True), (404, True), (410, True), (500, False), (405, False), (302, False)):
        service.order("look", faults.status(code))
        assert is_gone(files, address) is gone
    service.order("look", faults.drop_before)
    assert not is_gone(files, address)
    assert not is_gone(files, "file:///etc/passwd")
    assert service.key_seen_by_files == 0
