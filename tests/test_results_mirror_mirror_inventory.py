"""`verify` with a mirror: what it lacks is told and copied again, and what is broken here comes back from it."""

import json
import shutil

import pytest

from runner.errors import Exit
from tests import object_stores
from tests.command import call
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import video_bytes, write_manifest
from tests.mirrors import StandInStore, assert_mirrored, each_its_own

MIRROR = "s3://campaigns/spring"
FIRST = "videos/p0/plain/take-1.mp4"


@pytest.fixture
def service():
    with FaultyService(video_bytes()) as started:
        started.always["download"] = each_its_own
        yield started


@pytest.fixture
def store(monkeypatch):
    with StandInStore() as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        yield started


@pytest.fixture
def manifest(service, store, tmp_path):
    """A campaign of two clips that is done, and in the mirror."""
    output = {"dir": "out", "previews": "none", "mirror": MIRROR}
    path = write_manifest(tmp_path, pictures=2, output=output)
    assert run(path, service).exit_code is Exit.DONE
    service.calls.clear()
    return path


def verify(manifest, service, *words):
    return call("verify", manifest, "--base-url", service.base_url, "--no-progress", *words)


def test_every_copy_is_read_and_hashed(manifest, service, store):
    ended = verify(manifest, service)
    assert ended.code == Exit.DONE
    assert (
        "4 artifacts hashed: all as recorded.\n3 copies in s3://campaigns/spring hashed: all as recorded." in ended.out
    )
    assert verify(manifest, service, "--json").document["mirror"] == {
        "address": MIRROR, "objects": 3, "missing": [], "changed": [], "error": None,
    }  # fmt: skip


def test_what_is_missing_or_changed_there_is_told_and_copied_again(manifest, service, store):
    del store.objects[f"spring/{FIRST}"]
    second = FIRST.replace("p0", "p1")
    clip = store.objects[f"spring/{second}"]
    store.objects[f"spring/{second}"] = clip[:-1] + b"?"
    told = verify(manifest, service)
    assert told.code == Exit.UNFINISHED
    assert f"missing  {MIRROR}/{FIRST}  (p0/plain/take-1)" in told.out
    assert f"changed  {MIRROR}/{second}  (p1/plain/take-1)" in told.out
    assert "2 copies in s3://campaigns/spring hashed: 1 missing, 1 changed." in told.out
    assert "verify" in told.out.rpartition("Next: ")[2]
    one = verify(manifest, service, "--only", "p1/*", "--json").document["mirror"]
    assert ([each["object"] for each in one["changed"]], one["missing"]) == ([f"{MIRROR}/{second}"], [])
    assert verify(manifest, service, "--repair").code == Exit.DONE
    assert FIRST in {path.removeprefix("spring/") for path in store.objects}
    # What is there is never replaced: the right bytes lie beside it.
    assert store.objects[f"spring/{second}"] == clip[:-1] + b"?"
    assert len([each for each in store.objects.values() if each == clip]) == 1
    assert not service.calls or set(service.calls) == {"other"}


def test_what_is_broken_here_comes_from_the_mirror_first(manifest, service, store, tmp_path):
    clip, other = (tmp_path / "out" / FIRST.replace("p0", name) for name in ("p0", "p1"))
    content = clip.read_bytes()
    clip.unlink()
    other.write_bytes(b"edited")
    ended = verify(manifest, service, "--repair")
    assert ended.code == Exit.DONE
    assert clip.read_bytes() == content
    assert other.with_name("take-1.changed.mp4").read_bytes() == b"edited"
    assert set(service.calls) <= {"other"}, "nothing came from the service"


def test_what_the_mirror_has_not_comes_from_the_service(manifest, service, store, tmp_path):
    clip = tmp_path / "out" / FIRST
    content = clip.read_bytes()
    clip.unlink()
    del store.objects[f"spring/{FIRST}"]
    assert verify(manifest, service, "--repair").code == Exit.DONE
    assert clip.read_bytes() == content == store.objects[f"spring/{FIRST}"]
    assert "download" in service.calls


def test_a_mirror_out_of_reach_is_told_and_what_is_here_is_verified(manifest, service, store, monkeypatch):
    store.way = "gone"
    ended = verify(manifest, service)
    assert ended.code == Exit.UNFINISHED
    assert "4 artifacts hashed: all as recorded." in ended.out
    assert "The mirror was not looked at to its end: " in ended.out
    assert "there is no such bucket" in ended.out
    error = verify(manifest, service, "--json").document["mirror"]["error"]
    assert (error["code"], error["hint"]) == ("bucket", "make it, or correct its name")


def test_what_was_never_copied_is_missing(service, store, tmp_path):
    output = {"dir": "out", "previews": "none"}
    run(write_manifest(tmp_path, output=output), service)
    path = write_manifest(tmp_path, output={**output, "mirror": MIRROR})
    found = verify(path, service, "--json").document["mirror"]
    assert [(each["path"], each["object"]) for each in found["missing"]] == [
        (FIRST, None), (FIRST.replace("videos", "thumbnails").replace("mp4", "jpg"), None),
    ]  # fmt: skip


def test_a_disk_that_is_gone_comes_back_from_a_real_store(service, tmp_path, monkeypatch):
    """All clips of a campaign but its state."""
    with object_stores.moto() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        server.make_bucket("campaigns")
        path = write_manifest(tmp_path, pictures=3, output={"dir": "out", "previews": "none", "mirror": MIRROR})
        assert run(path, service).exit_code is Exit.DONE
        for room in ("videos", "thumbnails"):
            shutil.rmtree(tmp_path / "out" / room)
        service.calls.clear()
        ended = verify(path, service, "--repair", "--json")
        assert (ended.code, ended.document["missing"]) == (Exit.DONE, [])
        assert set(service.calls) <= {"other"}
        assert_mirrored(MIRROR, tmp_path / "out")
        index = json.loads((tmp_path / "out" / "index.json").read_text(encoding="utf-8"))
        assert [each["status"] for each in index["jobs"]] == ["succeeded"] * 3
