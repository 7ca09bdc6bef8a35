from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from runner.sandbox.catalog import Catalog
from runner.sandbox.clip import AbandonedError
from runner.sandbox.errors import RefusedError
from runner.sandbox.pictures import Album
from runner.sandbox.store import Draft, Request, Status, Store
from runner.sandbox.studio import Studio
from runner.sandbox.workers import Pace, Workers

DRAFT = Draft(model="m", payload="{}", pictures="{}", filled="{}", digest="d")
AT_ONCE = Pace(queue_seconds=0, seconds=0, failure_rate=0)
PATIENCE = 30.0  # seconds until a test that waits in vain fails
Answer = Callable[[Request, Callable[[], bool]], tuple[str, str]]


class Watched(Store):
    """A store that tells when requests have reached a final status."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._finals = threading.Semaphore(0)

    def succeed(self, request_id: str, video_sha256: str, thumbnail_sha256: str, now: float) -> None:
        super().succeed(request_id, video_sha256, thumbnail_sha256, now)
        self._finals.release()

    def fail(self, request_id: str, error: str, now: float) -> None:
        super().fail(request_id, error, now)
        self._finals.release()

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self._finals.acquire(timeout=PATIENCE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Watched]:
    with closing(Watched(tmp_path / "sandbox.sqlite")) as opened:
        yield opened


@contextmanager
def working(store: Store, folder: Path, answer: Answer, slots: int = 2, pace: Pace = AT_ONCE) -> Iterator[Workers]:
    """Workers with `answer` in the place of the making of clips."""

    class Stand(Studio):
        def make(self, request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
            return answer(request, stopped)

    workers = Workers(store, Stand(folder, Album(folder), Catalog({}), 48), slots, pace, time.time)
    workers.resume()
    workers.start()
    try:
        yield workers
    finally:
        workers.stop()


def at_once(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
    return "video", "still"


def test_what_is_in_the_queue_is_made(store: Watched, tmp_path: Path) -> None:
    for number in range(6):
        store.add(DRAFT, str(number), 0)
    with working(store, tmp_path, at_once):
        store.wait_for(6)
    assert {request.status for request in store.all()} == {Status.SUCCESS}
    assert {request.worker for request in store.all()} <= {"sandbox-worker-1", "sandbox-worker-2"}
    assert store.all()[0].video_sha256 == "video"
    assert store.all()[0].thumbnail_sha256 == "still"


def test_a_worker_wakes_up_for_a_new_request(store: Watched, tmp_path: Path) -> None:
    with working(store, tmp_path, at_once) as workers:
        for number in range(3):
            store.add(DRAFT, str(number), time.time())
            workers.notify()
            store.wait_for(1)
    assert len(store.all()) == 3


@pytest.mark.parametrize("slots", [1, 3])
def test_no_more_than_the_slots_are_processed_at_once(store: Watched, tmp_path: Path, slots: int) -> None:
    inside, free = threading.Semaphore(0), threading.Semaphore(0)
    most: list[int] = []

    def gated(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        inside.release()
        assert free.acquire(timeout=PATIENCE)
        return "video", "still"

    for number in range(6):
        store.add(DRAFT, str(number), 0)
    with working(store, tmp_path, gated, slots):
        for _ in range(6 // slots):
            for _ in range(slots):
                assert inside.acquire(timeout=PATIENCE)
            most.append(sum(request.status is Status.PROCESSING for request in store.all()))
            assert not inside.acquire(blocking=False)
            for _ in range(slots):
                free.release()
            store.wait_for(slots)
    assert set(most) == {slots}


def test_a_request_waits_in_the_queue_and_takes_its_time(store: Watched, tmp_path: Path) -> None:
    store.add(DRAFT, "a", time.time())
    with working(store, tmp_path, at_once, pace=Pace(queue_seconds=0.2, seconds=0.3, failure_rate=0)):
        store.wait_for(1)
    request = store.all()[0]
    assert request.dispatched_at - request.created_at >= 0.2
    assert request.updated_at - request.dispatched_at >= 0.3


def test_failures_are_chosen_by_content_and_ordinal(store: Watched, tmp_path: Path) -> None:
    for number in range(40):
        store.add(replace(DRAFT, digest=str(number % 20)), str(number), 0)
    with working(store, tmp_path, at_once, pace=replace(AT_ONCE, failure_rate=0.5)):
        store.wait_for(40)
    failed = [(request.digest, request.ordinal) for request in store.all() if request.status is Status.FAILED]
    first, second = ([int(digest) for digest, ordinal in failed if ordinal == number] for number in (1, 2))
    assert first == [0, 2, 3, 4, 5, 9, 10, 11, 12, 15, 16, 18, 19]
    assert second == [0, 3, 4, 6, 7, 8, 10, 11, 13, 15, 17, 19]
    assert all("simulated" in request.error for request in store.all() if request.status is Status.FAILED)


@pytest.mark.parametrize(("rate", "status"), [(0.0, Status.SUCCESS), (1.0, Status.FAILED)])
def test_none_or_all_fail(store: Watched, tmp_path: Path, rate: float, status: Status) -> None:
    for number in range(5):
        store.add(DRAFT, str(number), 0)
    with working(store, tmp_path, at_once, pace=replace(AT_ONCE, failure_rate=rate)):
        store.wait_for(5)
    assert {request.status for request in store.all()} == {status}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RefusedError(400, "payload.image: cannot be fetched"), "payload.image: cannot be fetched"),
        (OSError(28, "No space left on device"), "the clip could not be made: [Errno 28] No space left on device"),
    ],
)
def test_what_cannot_be_made_fails_and_the_worker_goes_on(
    store: Watched, tmp_path: Path, error: Exception, message: str
) -> None:
    def answer(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        if request.request_id == "bad":
            raise error
        return "video", "still"

    store.add(DRAFT, "bad", 0)
    store.add(DRAFT, "good", 0)
    with working(store, tmp_path, answer, slots=1):
        store.wait_for(2)
    bad, good = store.all()
    assert (bad.status, bad.error) == (Status.FAILED, message)
    assert good.status is Status.SUCCESS


def test_a_store_in_trouble_does_not_end_the_worker(store: Watched, tmp_path: Path) -> None:
    tried = threading.Event()

    def answer(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        tried.set()
        raise sqlite3.OperationalError("database or disk is full")

    store.add(DRAFT, "a", 0)
    with working(store, tmp_path, answer):
        assert tried.wait(PATIENCE)
    assert store.all()[0].status is Status.PROCESSING


def test_a_stop_leaves_what_is_under_way_for_the_next_start(store: Watched, tmp_path: Path) -> None:
    started = threading.Event()

    def until_stopped(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        started.set()
        while not stopped():
            time.sleep(0.001)
        raise AbandonedError

    for number in range(3):
        store.add(DRAFT, str(number), 0)
    with working(store, tmp_path, until_stopped, slots=1):
        assert started.wait(PATIENCE)
    assert [request.status for request in store.all()] == ["processing", "queued", "queued"]
    with working(store, tmp_path, at_once):
        store.wait_for(3)
    assert {request.status for request in store.all()} == {Status.SUCCESS}


def test_a_stop_does_not_wait_for_the_time_of_a_request(store: Watched, tmp_path: Path) -> None:
    finished = threading.Event()

    def answer(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        finished.set()
        return "video", "still"

    store.add(DRAFT, "a", 0)
    with working(store, tmp_path, answer, pace=Pace(queue_seconds=0, seconds=2, failure_rate=0)):
        assert finished.wait(PATIENCE)
    assert store.all()[0].status is Status.PROCESSING
