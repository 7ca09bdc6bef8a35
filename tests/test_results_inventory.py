"""The inventory: what is missing, changed, foreign or stale is found, and nothing else."""

import hashlib
import json

import pytest

from runner.model import Artifact, JobRecord, Status
from runner.results.inventory import Kind, take


def artifact(path, content):
    return Artifact(path, hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture
def record(tmp_path):
    video, thumbnail = b"video" * 100, b"thumbnail"
    for name, content in (("videos/a.mp4", video), ("thumbnails/a.jpg", thumbnail)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    kept = artifact("videos/a.mp4", video)
    index = {"jobs": [{"video": {"path": kept.path, "sha256": kept.sha256}}, {"video": None}]}
    (tmp_path / "index.json").write_text(json.dumps(index))
    return JobRecord(
        "id", "key", (), False, "p", "q", "m", {}, 1, {}, Status.SUCCEEDED, "",
        video=kept, thumbnail=artifact("thumbnails/a.jpg", thumbnail),
    )  # fmt: skip


def kinds(tmp_path, record):
    return [(each.kind, each.path) for each in take(tmp_path / "index.json", [record]).discrepancies]


def test_all_is_well(tmp_path, record):
    taken = take(tmp_path / "index.json", [record])
    assert (taken.artifacts, taken.discrepancies) == (2, ())


def test_a_missing_file(tmp_path, record):
    (tmp_path / "videos/a.mp4").unlink()
    assert kinds(tmp_path, record) == [(Kind.MISSING, "videos/a.mp4")]


@pytest.mark.parametrize("content", [b"short", b"vIdeo" * 100])
def test_a_changed_file(tmp_path, record, content):
    (tmp_path / "videos/a.mp4").write_bytes(content)
    assert kinds(tmp_path, record) == [(Kind.CHANGED, "videos/a.mp4")]
    assert take(tmp_path / "index.json", [record]).of(Kind.CHANGED)[0].job_id == "id"


def test_foreign_files_but_not_downloads_in_progress(tmp_path, record):
    for name in ("videos/deep/b.mp4", "videos/r.part", "videos/r.part.etag", "thumbnails/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert kinds(tmp_path, record) == [(Kind.FOREIGN, "videos/deep/b.mp4"), (Kind.FOREIGN, "thumbnails/b.jpg")]


def test_folders_of_any_depth_are_looked_through(tmp_path, record):
    made = [tmp_path / "videos"]
    for _ in range(1_200):
        made.append(made[-1] / "d")
        made[-1].mkdir()
    deepest = made[-1] / "a.mp4"
    deepest.touch()
    found = kinds(tmp_path, record)
    # The clean-up of pytest goes down by recursion.
    deepest.unlink()
    for each in reversed(made[1:]):
        each.rmdir()
    assert found == [(Kind.FOREIGN, deepest.relative_to(tmp_path).as_posix())]


@pytest.mark.parametrize("index", ["{}", "broken", '{"jobs": [{"video": {"path": "videos/a.mp4", "sha256": "0"}}]}'])
def test_an_index_that_tells_otherwise_is_stale(tmp_path, record, index):
    (tmp_path / "index.json").write_text(index)
    assert kinds(tmp_path, record) == [(Kind.STALE, "videos/a.mp4")]
