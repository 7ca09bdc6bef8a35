"""Objects by their addresses: found under every spelling, replaced while they are read, and given up after a while."""

from __future__ import annotations

import unicodedata
from uuid import uuid4

import pytest

from runner.buckets import bucket_files
from runner.buckets.bucket_address import BucketAddress
from runner.buckets.bucket_files import BucketFiles, TooManyObjectsError
from runner.errors import BucketError, BucketRefusedError
from tests.store_proxies import filled, refusing


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(bucket_files, "_RETRIED", 0.05)
    with filled("moto", f"files-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


def at(store, path):
    return BucketAddress.of(f"{store.address}/{path}")


@pytest.mark.parametrize(
    "name", ["100%.jpg", "a[1].jpg", "a*b.jpg", "x~y.jpg", "a%20b.jpg", "a+b c.jpg", "q?x#y.jpg", '"q"\'{}<>^`|.jpg']
)
def test_names_of_any_signs(store, name):
    store.put(f"looks/{name}", name.encode())
    files = BucketFiles()
    assert [each.path for each in files.below(at(store, "looks"), 9)] == [f"looks/{name}"]
    found = BucketFiles().find(at(store, f"looks/{name}"))
    assert files.copy(at(store, f"looks/{name}"), found).path.read_bytes() == name.encode()


def test_a_name_in_another_unicode_form(store):
    composed, apart = (unicodedata.normalize(form, "Bär.jpg") for form in ("NFC", "NFD"))
    store.put(f"looks/{apart}", b"x")
    files = BucketFiles()
    found = files.find(at(store, f"looks/{composed}"))
    assert found.path == f"looks/{apart}"
    assert files.copy(at(store, f"looks/{composed}"), found).path.read_bytes() == b"x"
    assert files.find(at(store, "looks/Bär.png")) is None


def test_an_object_that_is_replaced_while_it_is_read_is_read_as_it_is_next(store):
    store.put("a.jpg", b"first")
    files = BucketFiles()
    found = files.find(at(store, "a.jpg"))
    store.bucket.replace("a.jpg", b"second", found.version)
    assert files.copy(at(store, "a.jpg"), found).path.read_bytes() == b"second"


def test_what_was_found_is_not_looked_at_again(store):
    store.put("a/1.jpg", b"1")
    files = BucketFiles()
    files.below(at(store, "a"), 5)
    assert files.find(at(store, "a/1.jpg")) == files.find(at(store, "a/1.jpg"))
    assert store.proxy.count("HEAD") == 0
    assert files.find(BucketAddress.of(store.address)) is None


def test_a_list_has_an_end(store):
    for number in range(3):
        store.put(f"a/{number}", b"")
    assert len(BucketFiles().below(at(store, "a"), 3)) == 3
    with pytest.raises(TooManyObjectsError):
        BucketFiles().below(at(store, "a"), 2)


def test_who_may_read_and_not_list_can_read_many(store, monkeypatch):
    monkeypatch.setattr(bucket_files, "_MANY", 2)
    for number in range(5):
        store.put(f"a/{number}.jpg", b"x")

    def fault(handler):
        return "list-type" in handler.path and refusing(403, "AccessDenied")(handler)

    store.proxy.fault = fault
    files = BucketFiles()
    assert all(files.find(at(store, f"a/{number}.jpg")) for number in range(5))
    with pytest.raises(BucketRefusedError):
        files.beside(at(store, "a/x"))


def test_a_bucket_that_fails_again_and_again_is_given_up(store):
    store.proxy.fault = refusing(403)
    files = BucketFiles()
    for number in range(8):
        with pytest.raises(BucketRefusedError):
            files.find(at(store, f"{number}.jpg"))
    calls = len(store.proxy.requests)
    with pytest.raises(BucketError, match="failed 8 times, and is not asked again"):
        files.find(at(store, "8.jpg"))
    assert len(store.proxy.requests) == calls
