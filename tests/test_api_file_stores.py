"""Files put into a bucket of one's own, on real servers: named by their content, whole or not at all, then signed."""

from __future__ import annotations

import base64
import hashlib
import urllib.error
import urllib.request
from dataclasses import replace
from uuid import uuid4

import pytest

from runner.api import file_stores
from runner.api.answer_classes import AnswerClass
from runner.api.file_stores import BucketStore, ServiceStore, store_of
from runner.buckets import bucket
from runner.buckets.bucket_address import BucketAddress
from runner.model import Image, Origin
from tests.kit import picture_bytes, sound_bytes, video_bytes
from tests.store_proxies import filled, hanging, refusing, resetting


@pytest.fixture(params=["moto", "seaweed"])
def servers(request, tmp_path, monkeypatch):
    with filled(request.param, f"uploads-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


@pytest.fixture
def own(tmp_path, monkeypatch):
    with filled("moto", f"uploads-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


def image_of(folder, data):
    path = folder / hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
    return Image("file", Origin.FILE, str(path), f"sha256:{path.name}", {}, (), len(data))


def store(made, prefix="up loads"):
    return BucketStore(BucketAddress.of(f"{made.address}/{prefix}"))


def fetched(address):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address) as answer:
        return answer.headers["Content-Type"], answer.read()


def test_the_destination_says_which_store_it_is():
    assert isinstance(store_of("s3://campaigns/x", None, None), BucketStore)
    assert isinstance(store_of("service", None, None), ServiceStore)


def test_a_file_of_each_type_has_its_ending_and_its_content_type(servers, tmp_path, monkeypatch):
    monkeypatch.setattr(file_stores, "_WHOLE", 1 << 20)
    to = store(servers)
    for data, kind, ending in (
        (picture_bytes(kind="JPEG"), "image/jpeg", ".jpg"),
        (picture_bytes(kind="WEBP"), "image/webp", ".webp"),
        (video_bytes(), "video/mp4", ".mp4"),
        (sound_bytes(kind="wav"), "audio/wav", ".wav"),
        (b"something else", "application/octet-stream", ""),
        (b"\xff\xd8\xff" + bytes(2 << 20), "image/jpeg", ".jpg"),
    ):
        for _ in range(2):
            told = to.put(image_of(tmp_path, data))
            name = hashlib.sha256(data).hexdigest() + ending
            assert (told.kind, told.address) == (AnswerClass.ACCEPTED, f"{servers.address}/up loads/{name}")
        sent = to.sent(told.address, 5400.0)
        assert fetched(sent) == (kind, data)
        assert "X-Amz-Expires=5400" in sent
        assert not to.is_gone(told.address, is_fresh=False)
        if servers.proxy.store.makes_buckets:
            # Moto lets everybody read.
            with pytest.raises(urllib.error.HTTPError):
                fetched(sent.partition("?")[0])
        servers.bucket.remove(f"up loads/{name}")
        assert to.is_gone(told.address, is_fresh=False)
        assert not to.is_gone(told.address, is_fresh=True)


def test_no_address_is_signed_for_longer_than_stores_do(own):
    assert "X-Amz-Expires=604800" in store(own).sent(f"{own.address}/up loads/a.jpg", 10_000_000.0)


def test_a_picture_of_the_manifest_itself_goes_there_too(own):
    data = picture_bytes(3)
    inline = Image("a", Origin.INLINE, base64.b64encode(data).decode(), "", {}, (), len(data))
    told = store(own).put(replace(inline, reference=f"sha256:{hashlib.sha256(data).hexdigest()}"))
    assert own.bucket.read(told.address.removeprefix(f"{own.address}/"))[0] == data


@pytest.mark.parametrize("size", [1_000, 2 << 20])
@pytest.mark.parametrize("change", [lambda data: data + b"x", lambda data: data[:-1], lambda data: data[:-1] + b"x"])
def test_a_file_that_changed_is_never_whole_in_the_bucket(own, tmp_path, monkeypatch, change, size):
    monkeypatch.setattr(file_stores, "_WHOLE", 1 << 20)
    data = b"\xff\xd8\xff" + bytes(size)
    image = image_of(tmp_path, data)
    (tmp_path / hashlib.sha256(data).hexdigest()).write_bytes(change(data))
    told = store(own).put(image)
    assert told.kind is AnswerClass.CHANGED
    assert "changed since the plan" in told.message
    assert list(own.bucket.each()) == []


def test_a_file_that_is_gone(own, tmp_path):
    image = image_of(tmp_path, picture_bytes())
    (tmp_path / image.reference.removeprefix("sha256:")).unlink()
    assert store(own).put(image).kind is AnswerClass.CHANGED


def test_what_another_put_under_the_name_of_a_file_is_not_taken_for_it(own, tmp_path):
    image = image_of(tmp_path, picture_bytes())
    own.put(f"x/{image.reference.removeprefix('sha256:')}.jpg", b"something else")
    told = store(own, "x").put(image)
    assert (told.kind, "holds something else" in told.message) == (AnswerClass.REFUSED, True)


# Whether it is tried again: what the store forbids, it will not allow a minute later.
FAULTS = {
    "403": (refusing(403, "AccessDenied"), AnswerClass.REFUSED, "the store answers AccessDenied"),
    "no bucket": (refusing(404, "NoSuchBucket"), AnswerClass.REFUSED, "there is no such bucket"),
    "503": (refusing(503, "SlowDown"), AnswerClass.UNKNOWN, "the store answers SlowDown"),
    "507": (refusing(507, "QuotaExceeded"), AnswerClass.UNKNOWN, "the store answers QuotaExceeded"),
    "hangs": (hanging, AnswerClass.UNKNOWN, "no answer in time"),
    "resets": (resetting, AnswerClass.UNKNOWN, "there is no connection"),
}


@pytest.mark.parametrize(("fault", "kind", "words"), FAULTS.values(), ids=FAULTS)
def test_a_store_that_does_not_take_it(own, tmp_path, monkeypatch, fault, kind, words):
    monkeypatch.setattr(file_stores, "_RETRIED", 0.05)
    monkeypatch.setattr(bucket, "_SILENCE", 0.2)
    image = image_of(tmp_path, picture_bytes())
    own.proxy.fault = fault
    told = store(own).put(image)
    assert (told.kind, told.address, words in told.message) == (kind, "", True), told.message
    own.proxy.fault = None
    monkeypatch.setattr(bucket, "_SILENCE", 20.0)
    assert store(own).put(image).kind is AnswerClass.ACCEPTED


def test_no_package(tmp_path, monkeypatch):
    monkeypatch.setattr(bucket, "can_be_opened", lambda: False)
    told = BucketStore(BucketAddress.of("s3://campaigns/x")).put(image_of(tmp_path, picture_bytes()))
    assert (told.kind, "pip install" in told.message) == (AnswerClass.REFUSED, True)
