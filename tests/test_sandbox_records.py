from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import ServiceError
from runner.sandbox.records import Records, Request, RequestStatus


def new(request_id: str, now: float = 0.0, model: str = "m", digest: str = "d1") -> Request:
    return Request(request_id, model, '{"image": ""}', '{"image": "aa"}', "{}", digest, now, now)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with closing(Records(tmp_path / "sandbox.sqlite")) as opened:
        yield opened


def test_a_new_request_is_queued_at_the_end(records: Records) -> None:
    first, second = records.add(new("a", 10.5)), records.add(new("b", 11.5))
    assert (first.number, second.number) == (1, 2)
    assert first == replace(new("a", 10.5), number=1, ordinal=1, status=RequestStatus.QUEUED)
    assert records.get("a") == first
    assert records.get("c") is None


def test_equal_requests_are_counted(records: Records) -> None:
    digests = ["d1", "d2", "d1", "d1", "d2"]
    added = [records.add(new(str(place), digest=digest)) for place, digest in enumerate(digests)]
    assert [request.ordinal for request in added] == [1, 1, 2, 3, 2]
    assert len({request.take for request in added}) == 5


def test_listing_is_by_model_and_in_the_order_of_creation(records: Records) -> None:
    for request_id, model in (("a", "m"), ("b", "n"), ("c", "m")):
        records.add(new(request_id, model=model))
    assert [request.request_id for request in records.all()] == ["a", "b", "c"]
    assert [request.request_id for request in records.all("m")] == ["a", "c"]
    assert records.all("x") == []


def test_the_head_of_the_queue_is_what_waits_longest(records: Records) -> None:
    assert records.head() is None
    first, second = records.add(new("a", 10)), records.add(new("b", 11))
    assert records.head() == first
    records.save(replace(first, status=RequestStatus.DISPATCHED, worker="w", dispatched_at=12))
    assert records.head() == second


def test_what_is_saved_is_found_again_and_touches_nothing_else(records: Records) -> None:
    first, second = records.add(new("a", 1)), records.add(new("b", 1))
    done = replace(
        first, status=RequestStatus.SUCCESS, worker="w", video_sha256="v", thumbnail_sha256="t", updated_at=3
    )
    failed = replace(second, status=RequestStatus.FAILED, error="why", updated_at=4)
    records.save(done)
    records.save(failed)
    assert records.all() == [done, failed]


def test_what_was_with_a_worker_goes_back_to_its_place(records: Records) -> None:
    statuses = [
        RequestStatus.DISPATCHED,
        RequestStatus.PROCESSING,
        RequestStatus.SUCCESS,
        RequestStatus.FAILED,
        RequestStatus.QUEUED,
    ]
    for request_id, status in zip("abcde", statuses, strict=True):
        records.save(replace(records.add(new(request_id, 1)), status=status, worker="w", dispatched_at=2))
    records.requeue(9)
    assert [request.status for request in records.all()] == ["queued", "queued", "success", "failed", "queued"]
    head = records.head()
    assert head
    assert (head.request_id, head.worker, head.dispatched_at, head.updated_at) == ("a", "", 0, 9)


def test_requests_outlive_the_sandbox(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    with closing(Records(path)) as records:
        added = records.add(new("a", 1))
    with closing(Records(path)) as records:
        assert records.get("a") == added


def test_the_file_is_safe_against_a_crash(records: Records) -> None:
    with records._transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_file_is_one_sandboxs_at_a_time(records: Records, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="in use by another sandbox"):
        Records(tmp_path / "sandbox.sqlite")


def test_a_damaged_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(ServiceError, match="damaged"):
        Records(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(ServiceError, match="version 7"):
        Records(path)


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "sandbox.sqlite").mkdir()
    with pytest.raises(ServiceError, match="cannot be written"):
        Records(tmp_path / "sandbox.sqlite")


def test_uploads_are_kept_by_name_in_older_files_too(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    with closing(Records(path)) as records:
        records.add(new("a"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE upload")
    for digest in ("first", "later"):
        with closing(Records(path)) as records:
            records.keep_upload("x.png", digest)
    with closing(Records(path)) as records:
        assert (records.upload("x.png"), records.upload("y.png"), len(records.all())) == ("later", None, 1)
