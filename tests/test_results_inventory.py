"""The inventory: what is missing, changed, foreign or stale is found, and nothing else."""

import hashlib
import json

import pytest

from runner.errors import DiskError
from runner.model import Artifact, JobRecord, Status
from runner.results.inventory import Kind, set_aside, take


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
    return [(each.kind, each.path) for each in take(tmp_path, [record]).discrepancies]


def test_all_is_well(tmp_path, record):
    taken = take(tmp_path, [record])
    assert (taken.artifacts, taken.discrepancies) == (2, ())


def test_a_missing_file(tmp_path, record):
    (tmp_path / "videos/a.mp4").unlink()
    assert kinds(tmp_path, record) == [(Kind.MISSING, "videos/a.mp4")]


@pytest.mark.parametrize("content", [b"short", b"vIdeo" * 100])
def test_a_changed_file(tmp_path, record, content):
    (tmp_path / "videos/a.mp4").write_bytes(content)
    assert kinds(tmp_path, record) == [(Kind.CHANGED, "videos/a.mp4")]
    assert take(tmp_path, [record]).of(Kind.CHANGED)[0].job_id == "id"


def test_foreign_files_but_not_downloads_in_progress(tmp_path, record):
    for name in ("videos/deep/b.mp4", "videos/r.part", "videos/r.part.etag", "thumbnails/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert kinds(tmp_path, record) == [(Kind.FOREIGN, "videos/deep/b.mp4"), (Kind.FOREIGN, "thumbnails/b.jpg")]


@pytest.mark.parametrize("index", ["{}", "broken", '{"jobs": [{"video": {"path": "videos/a.mp4", "sha256": "0"}}]}'])
def test_an_index_that_tells_otherwise_is_stale(tmp_path, record, index):
    (tmp_path / "index.json").write_text(index)
    assert kinds(tmp_path, record) == [(Kind.STALE, "videos/a.mp4")]


def test_a_changed_file_is_set_aside_and_nothing_is_overwritten(tmp_path):
    for number in range(3):
        (tmp_path / "a.mp4").write_bytes(bytes([number]))
        set_aside(tmp_path / "a.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.changed-2.mp4", "a.changed-3.mp4", "a.changed.mp4"]
    with pytest.raises(DiskError):
        set_aside(tmp_path / "a.mp4")
