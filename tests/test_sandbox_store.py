from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from runner.sandbox.errors import SandboxError
from runner.sandbox.store import Draft, Status, Store

DRAFT = Draft(model="m", payload='{"image": ""}', pictures='{"image": "aa"}', filled="{}", digest="d1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "sandbox.sqlite")) as opened:
        yield opened


def test_a_new_request_is_queued_at_the_end(store: Store) -> None:
    first, second = store.add(DRAFT, "a", 10.5), store.add(DRAFT, "b", 11.5)
    assert (first.number, second.number) == (1, 2)
    assert first.status is Status.QUEUED
    assert (first.created_at, first.updated_at, first.worker, first.error) == (10.5, 10.5, "", "")
    assert (first.model, first.payload, first.pictures, first.filled, first.digest) == (
        DRAFT.model,
        DRAFT.payload,
        DRAFT.pictures,
        DRAFT.filled,
        DRAFT.digest,
    )
    assert store.get("a") == first
    assert store.get("c") is None


def test_equal_requests_are_counted(store: Store) -> None:
    other = replace(DRAFT, digest="d2")
    added = [store.add(draft, str(place), 0) for place, draft in enumerate([DRAFT, other, DRAFT, DRAFT, other])]
    assert [request.ordinal for request in added] == [1, 1, 2, 3, 2]


def test_listing_is_by_model_and_in_the_order_of_creation(store: Store) -> None:
    for request_id, model in (("a", "m"), ("b", "n"), ("c", "m")):
        store.add(replace(DRAFT, model=model), request_id, 0)
    assert [request.request_id for request in store.all()] == ["a", "b", "c"]
    assert [request.request_id for request in store.all("m")] == ["a", "c"]
    assert store.all("x") == []


def test_the_head_of_the_queue_is_dispatched_once_it_has_waited(store: Store) -> None:
    store.add(DRAFT, "a", 10)
    store.add(DRAFT, "b", 11)
    assert store.next_created() == 10
    assert store.dispatch("w", created_before=9.9, now=10.1) is None
    head = store.dispatch("w", created_before=10, now=12)
    assert head
    assert (head.request_id, head.status, head.worker, head.dispatched_at) == ("a", Status.DISPATCHED, "w", 12)
    assert store.next_created() == 11
    assert store.dispatch("w", created_before=10, now=12) is None


def test_a_request_goes_its_way_to_the_end(store: Store) -> None:
    store.add(DRAFT, "a", 1)
    store.add(DRAFT, "b", 1)
    store.process("a", 2)
    assert store.get("a") == replace(store.get("a"), status=Status.PROCESSING, updated_at=2)  # type: ignore[type-var]
    store.succeed("a", "v", "t", 3)
    store.fail("b", "why", 4)
    done, failed = store.all()
    assert (done.status, done.video_sha256, done.thumbnail_sha256, done.updated_at) == (Status.SUCCESS, "v", "t", 3)
    assert (failed.status, failed.error, failed.updated_at) == (Status.FAILED, "why", 4)
    assert store.next_created() is None


def test_what_was_with_a_worker_goes_back_to_its_place(store: Store) -> None:
    for request_id in "abcde":
        store.add(DRAFT, request_id, 1)
    store.dispatch("w", 1, 2)
    store.dispatch("w", 1, 2)
    store.process("b", 3)
    store.succeed("c", "v", "t", 3)
    store.fail("d", "why", 3)
    store.requeue(9)
    assert [request.status for request in store.all()] == ["queued", "queued", "success", "failed", "queued"]
    head = store.dispatch("w", 1, 10)
    assert head
    assert head.request_id == "a"


def test_each_request_is_dispatched_to_one_worker_alone(store: Store) -> None:
    for number in range(40):
        store.add(DRAFT, str(number), 0)
    taken: list[str] = []

    def work(worker: str) -> None:
        while request := store.dispatch(worker, 0, 0):
            taken.append(request.request_id)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(str(number) for number in range(40))


def test_requests_outlive_the_store(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    with closing(Store(path)) as store:
        added = store.add(DRAFT, "a", 1)
    with closing(Store(path)) as store:
        assert store.get("a") == added


def test_the_file_is_safe_against_a_crash(store: Store) -> None:
    with store._transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_file_is_one_sandboxs_at_a_time(store: Store, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="in use by another sandbox"):
        Store(tmp_path / "sandbox.sqlite")


def test_a_damaged_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(SandboxError, match="damaged"):
        Store(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(SandboxError, match="version 7"):
        Store(path)


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "sandbox.sqlite").mkdir()
    with pytest.raises(SandboxError, match="cannot be written"):
        Store(tmp_path / "sandbox.sqlite")
