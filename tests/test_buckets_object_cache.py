"""Copies of objects: read once for each version, whole or not at all, within bounds, for many processes at once."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from runner.buckets import object_cache
from runner.buckets.object_cache import ObjectCache, usual_cache
from runner.errors import BucketError, DiskError, ObjectChangedError
from tests.store_proxies import filled


@pytest.fixture
def store(tmp_path, monkeypatch):
    with filled("moto", f"cache-{uuid4().hex}", tmp_path / "cache", monkeypatch) as made:
        yield made


def copied(cache, store, path):
    return cache.copy(store.bucket, store.bucket.find(path))


def files(folder):
    return sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))


def test_a_version_is_read_once(store, tmp_path):
    store.put("a.jpg", b"first")
    for cache in (ObjectCache(tmp_path / "c"), ObjectCache(tmp_path / "c")):
        found = copied(cache, store, "a.jpg")
        assert (found.path.read_bytes(), found.size) == (b"first", 5)
        assert found.sha256 == "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"
    assert store.proxy.count("GET") == 1
    store.bucket.replace("a.jpg", b"later", store.bucket.find("a.jpg").version)
    assert copied(cache, store, "a.jpg").path.read_bytes() == b"later"
    assert found.path.read_bytes() == b"first", "who uses the other version has it still"
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("harm", ["bytes", "cut", "note", "no note", "no file"])
def test_a_copy_is_trusted_only_as_its_note_says(store, tmp_path, harm):
    store.put("a.jpg", b"first")
    cache = ObjectCache(tmp_path / "c")
    path = copied(cache, store, "a.jpg").path
    note = path.with_suffix(".json")
    match harm:
        case "bytes":
            path.write_bytes(b"other")
        case "cut":
            path.write_bytes(b"firs")
        case "note":
            note.write_text("{")
        case "no note":
            note.unlink()
        case "no file":
            path.unlink()
    assert copied(cache, store, "a.jpg").path.read_bytes() == b"first"
    assert json.loads(note.read_text())["size"] == 5
    assert store.proxy.count("GET") == 2


def test_a_version_that_is_gone_leaves_nothing(store, tmp_path):
    store.put("a.jpg", b"first")
    cache, found = ObjectCache(tmp_path / "c"), store.bucket.find("a.jpg")
    store.bucket.replace("a.jpg", b"later", found.version)
    with pytest.raises(ObjectChangedError):
        cache.copy(store.bucket, found)
    store.bucket.remove("a.jpg")
    with pytest.raises(BucketError, match="not there any more"):
        cache.copy(store.bucket, found)
    assert files(tmp_path / "c") == []


def test_what_was_used_longest_ago_goes_but_for_what_is_in_use(store, tmp_path):
    cache = ObjectCache(tmp_path / "c", most_bytes=25)
    names = {}
    for number in range(4):
        store.put(f"{number}.jpg", bytes(10 + number))
        # Another process: what it asked for is free once it is gone.
        other = ObjectCache(tmp_path / "c", most_bytes=25)
        names[number] = copied(other, store, f"{number}.jpg").path
        os.utime(names[number], (number, number))
        del other
    held = copied(cache, store, "1.jpg").path
    os.utime(held, (1, 1))
    store.put("large.jpg", bytes(20))
    large = copied(cache, store, "large.jpg").path
    assert held.exists()
    assert not names[0].exists()
    assert large.exists()
    left = {path.name for path in names.values() if path.exists()}
    assert all(f"{name}.json" in files(tmp_path / "c") for name in left)
    assert len(files(tmp_path / "c")) == 2 * (len(left) + 1), "notes go with their files"


def test_a_part_that_was_left_goes_some_day(store, tmp_path):
    cache = ObjectCache(tmp_path / "c", most_bytes=1)
    old, new = tmp_path / "c" / "x.1.part", tmp_path / "c" / "x.2.part"
    old.write_bytes(b"1")
    new.write_bytes(b"2")
    os.utime(old, (0, 0))
    store.put("a.jpg", b"first")
    copied(cache, store, "a.jpg")
    assert (old.exists(), new.exists()) == (False, True)


def test_many_ask_for_one_object_at_once(store, tmp_path):
    store.put("a.jpg", bytes(range(256)) * 1000)
    caches, found = [ObjectCache(tmp_path / "c") for _ in range(2)], store.bucket.find("a.jpg")
    with ThreadPoolExecutor(8) as pool:
        copies = list(pool.map(lambda number: caches[number % 2].copy(store.bucket, found), range(16)))
    assert len(set(copies)) == 1
    assert len(files(tmp_path / "c")) == 2


def test_where_nothing_can_be_written_a_process_has_a_folder_of_its_own(store, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    code = (
        "from runner.buckets.object_cache import usual_cache;"
        " cache = usual_cache(); print(cache._folder); assert cache is usual_cache()"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    folder = ended.stdout.strip()
    assert folder.startswith(str(tmp_path / "reelrun-"))
    assert not os.path.exists(folder), "it goes with its process"
    assert usual_cache() is usual_cache()
    assert (tmp_path / "cache" / "reelrun" / "objects").is_dir()


def test_a_full_disk_is_told(store, tmp_path, monkeypatch):
    store.put("a.jpg", b"first")
    cache = ObjectCache(tmp_path / "c")

    def full(*words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(object_cache, "_written", full)
    with pytest.raises(DiskError, match="No space left") as caught:
        copied(cache, store, "a.jpg")
    assert "XDG_CACHE_HOME" in caught.value.hint
