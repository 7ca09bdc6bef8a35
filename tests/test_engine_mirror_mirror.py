"""One copy: made where nothing is, known to be right, and brought back."""

import hashlib
import os

import pytest

from runner.buckets.bucket_address import BucketAddress
from runner.engine.mirror import mirror as mirrors
from runner.engine.mirror.mirror import Mirror, UncopiedError
from runner.errors import BucketError, ObjectChangedError
from runner.model import Artifact, MirrorCopy, Output
from runner.state.store import Store
from tests import object_stores
from tests.kit import make_job, register
from tests.mirrors import StandInStore

NAME = "s3://campaigns/spring"
LARGE = os.urandom(9 << 20)


@pytest.fixture(scope="module", params=["moto", "seaweed"])
def server(request):
    with getattr(object_stores, request.param)() as started:
        started.make_bucket("campaigns")
        yield started


@pytest.fixture
def real(server, monkeypatch, request):
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return Mirror(BucketAddress.of(f"{NAME}/{request.node.name.partition('[')[0]}"))


@pytest.fixture
def store(monkeypatch):
    with StandInStore() as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        yield started


@pytest.fixture
def mirror(store):
    return Mirror(BucketAddress.of(NAME))


def file_in(folder, content=b"a clip", path="videos/shoe/50% é=a,b/take-1.mp4"):
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)
    return Artifact(path, hashlib.sha256(content).hexdigest(), len(content))


def test_a_copy_has_the_name_of_its_file_and_comes_back(real, tmp_path):
    file = file_in(tmp_path)
    copy = real.copy(tmp_path, file, [file.path])
    assert (copy.path, copy.sha256, copy.bytes) == (file.path, file.sha256, 6)
    assert real.sha256_of(copy) == file.sha256
    # Whoever was killed before it was recorded makes it again.
    assert real.copy(tmp_path, file, [file.path]) == copy
    (tmp_path / file.path).unlink()
    assert real.fetch_back(copy, tmp_path, file.path) == []
    assert (tmp_path / file.path).read_bytes() == b"a clip"
    assert list(tmp_path.rglob("*.part")) == []


def test_a_large_file_goes_in_parts_and_is_proven_by_its_tag(real, tmp_path, monkeypatch):
    monkeypatch.setattr(mirrors, "WHOLE", 1 << 20)
    file = file_in(tmp_path, LARGE)
    with monkeypatch.context() as patch:
        patch.setattr(mirrors.Bucket, "sha256_of", lambda *_: pytest.fail("it was read back"))
        copy = real.copy(tmp_path, file, [file.path])
    assert copy.version.strip('"').endswith("-2")
    # The same once more is found there, and read.
    assert real.copy(tmp_path, file, [file.path]) == copy
    other = Artifact(file.path, "0" * 64, file.bytes)
    with pytest.raises(UncopiedError, match="other files have its names"):
        real.copy(tmp_path, other, [file.path])


def test_a_large_file_that_changes_meanwhile_becomes_no_object(real, tmp_path, monkeypatch):
    monkeypatch.setattr(mirrors, "WHOLE", 1 << 20)
    file = Artifact(file_in(tmp_path, LARGE).path, "0" * 64, len(LARGE))
    with pytest.raises(UncopiedError, match="was changed since it was delivered"):
        real.copy(tmp_path, file, [file.path])
    assert real.sha256_of(MirrorCopy(file.path, "", 1, "")) is None


def test_present_are_the_clips_that_one_list_shows(real, tmp_path):
    jobs = [make_job(number) for number in range(4)]
    with Store.open(tmp_path / "state.sqlite") as state:
        with state.transaction():
            register(state, jobs, "digest")
        for number, job in enumerate(jobs):
            file = file_in(tmp_path, b"%d" % number, f"videos/{number}.mp4")
            copy = real.copy(tmp_path, file, [file.path])
            with state.transaction():
                state.keep(job.id, "video", file)
                if number != 1:
                    state.keep_copy(real.name, copy)
        assert real.present(state) == {jobs[number].id for number in (0, 2, 3)}
        real._bucket(0).remove("videos/2.mp4")
        real._bucket(0).replace("videos/3.mp4", b"9", real._bucket(0).find("videos/3.mp4").version)
        assert real.present(state) == {jobs[0].id}


def test_what_a_store_tells_otherwise_is_read_back(mirror, store, tmp_path, monkeypatch):
    """With keys of one's own an ETag says nothing of the content."""
    monkeypatch.setattr("tests.mirrors._etag", lambda content: '"opaque"')
    file = file_in(tmp_path)
    assert mirror.copy(tmp_path, file, [file.path]).version == '"opaque"'
    store.way = "damage"
    other = file_in(tmp_path, b"another", "videos/other.mp4")
    with pytest.raises(UncopiedError):
        mirror.copy(tmp_path, other, [other.path])


def test_a_taken_path_leads_to_the_next(mirror, store, tmp_path):
    file = file_in(tmp_path, path="videos/x.mp4")
    store.objects["spring/videos/x.mp4"] = b"somebody's"
    with Store.open(tmp_path / "state.sqlite") as state:
        paths = mirror.paths_for(state, file)
        copy = mirror.copy(tmp_path, file, paths)
        assert copy.path == f"videos/x-{file.sha256[:8]}.mp4"
        assert store.objects["spring/videos/x.mp4"] == b"somebody's"
        with state.transaction():
            state.keep_copy(NAME, MirrorCopy("videos/x.mp4", "0" * 64, 1, '"v"'))
        # What the state knows of is not tried.
        assert mirror.paths_for(state, file) == paths[1:]
        long = Artifact(f"videos/{'é' * 600}.mp4", file.sha256, 6)
        assert mirror.paths_for(state, long) == [f"videos/{file.sha256}.mp4"]


@pytest.mark.parametrize(("content", "said"), [(b"b clip", "was changed"), (b"longer", "was changed"), (None, "read")])
def test_a_file_that_is_not_as_recorded_is_not_sent(mirror, store, tmp_path, content, said):
    file = file_in(tmp_path)
    (tmp_path / file.path).unlink() if content is None else (tmp_path / file.path).write_bytes(content)
    with pytest.raises(UncopiedError, match=said):
        mirror.copy(tmp_path, file, [file.path])
    assert not store.puts


def test_a_damaged_copy_does_not_come_back(mirror, store, tmp_path):
    file = file_in(tmp_path)
    copy = mirror.copy(tmp_path, file, [file.path])
    for content in (b"a CLIP", b"another, and longer than it was"):
        store.objects[f"spring/{file.path}"] = content
        with pytest.raises(ObjectChangedError, match="holds something else"):
            mirror.fetch_back(copy, tmp_path, file.path)
    store.objects.clear()
    with pytest.raises(BucketError, match="it is not there any more"):
        mirror.fetch_back(copy, tmp_path, file.path)
    assert (tmp_path / file.path).read_bytes() == b"a clip"
    assert [each.name for each in tmp_path.rglob("*") if each.is_file() and each.suffix != ".mp4"] == []


def test_what_is_in_the_way_is_set_aside(mirror, store, tmp_path):
    file = file_in(tmp_path)
    copy = mirror.copy(tmp_path, file, [file.path])
    (tmp_path / file.path).write_bytes(b"edited")
    (aside,) = mirror.fetch_back(copy, tmp_path, file.path)
    assert (aside.read_bytes(), (tmp_path / file.path).read_bytes()) == (b"edited", b"a clip")


def test_a_manifest_without_a_mirror_has_none(tmp_path):
    assert Mirror.of(Output(tmp_path, tmp_path / "state.sqlite")) is None
