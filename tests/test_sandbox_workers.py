from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from runner.sandbox.album import Album
from runner.sandbox.catalog import Catalog
from runner.sandbox.film.clip import AbandonedError
from runner.sandbox.records import Records, Request, RequestStatus
from runner.sandbox.studio import Studio
from runner.sandbox.workers import Pace, Workers

AT_ONCE = Pace(queue_seconds=0, seconds=0, failure_rate=0)
PATIENCE = 30.0  # seconds until a test that waits in vain fails
Answer = Callable[[Request, Callable[[], bool]], tuple[str, str]]


class Watched(Records):
    """A queue that tells when requests have reached a final status."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._finals = threading.Semaphore(0)

    def save(self, request: Request) -> None:
        super().save(request)
        if request.status in (RequestStatus.SUCCESS, RequestStatus.FAILED):
            self._finals.release()

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self._finals.acquire(timeout=PATIENCE)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Watched]:
    with closing(Watched(tmp_path / "sandbox.sqlite")) as opened:
        yield opened


def new(request_id: str, now: float = 0.0, digest: str = "d") -> Request:
    return Request(request_id, "m", "{}", "{}", "{}", digest, now, now)


@contextmanager
def working(records: Records, folder: Path, answer: Answer, slots: int = 2, pace: Pace = AT_ONCE) -> Iterator[Workers]:
    """Workers with `answer` in the place of the making of clips."""

    class Stand(Studio):
        def make(self, request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
            return answer(request, stopped)

    workers = Workers(records, Stand(folder, Album(folder), Catalog({}), 48), slots, pace, time.time)
    workers.resume()
    workers.start()
    try:
        yield workers
    finally:
        workers.stop()


def at_once(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
    return "video", "still"


def test_what_is_in_the_queue_is_made(records: Watched, tmp_path: Path) -> None:
    for number in range(6):
        records.add(new(str(number)))
    with working(records, tmp_path, at_once):
        records.wait_for(6)
    assert {request.status for request in records.all()} == {RequestStatus.SUCCESS}
    assert {request.worker for request in records.all()} <= {"sandbox-worker-1", "sandbox-worker-2"}
    assert records.all()[0].video_sha256 == "video"
    assert records.all()[0].thumbnail_sha256 == "still"


def test_each_request_is_made_by_one_worker_alone(records: Watched, tmp_path: Path) -> None:
    taken: list[str] = []

    def answer(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        taken.append(request.request_id)
        return "video", "still"

    for number in range(40):
        records.add(new(str(number)))
    with working(records, tmp_path, answer, slots=4):
        records.wait_for(40)
    assert sorted(taken) == sorted(str(number) for number in range(40))


def test_a_worker_wakes_up_for_a_new_request(records: Watched, tmp_path: Path) -> None:
    with working(records, tmp_path, at_once) as workers:
        for number in range(3):
            records.add(new(str(number), time.time()))
            workers.notify()
            records.wait_for(1)
    assert len(records.all()) == 3


@pytest.mark.parametrize("slots", [1, 3])
def test_no_more_than_the_slots_are_processed_at_once(records: Watched, tmp_path: Path, slots: int) -> None:
    inside, free = threading.Semaphore(0), threading.Semaphore(0)
    most: list[int] = []

    def gated(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        inside.release()
        assert free.acquire(timeout=PATIENCE)
        return "video", "still"

    for number in range(6):
        records.add(new(str(number)))
    with working(records, tmp_path, gated, slots):
        for _ in range(6 // slots):
            for _ in range(slots):
                assert inside.acquire(timeout=PATIENCE)
            most.append(sum(request.status is RequestStatus.PROCESSING for request in records.all()))
            assert not inside.acquire(blocking=False)
            for _ in range(slots):
                free.release()
            records.wait_for(slots)
    assert set(most) == {slots}


def test_a_request_waits_in_the_queue_and_takes_its_time(records: Watched, tmp_path: Path) -> None:
    records.add(new("a", time.time()))
    with working(records, tmp_path, at_once, pace=Pace(queue_seconds=0.2, seconds=0.3, failure_rate=0)):
        records.wait_for(1)
    request = records.all()[0]
    assert request.dispatched_at - request.created_at >= 0.2
    assert request.updated_at - request.dispatched_at >= 0.3


def test_failures_are_chosen_by_content_and_ordinal(records: Watched, tmp_path: Path) -> None:
    for number in range(40):
        records.add(new(str(number), digest=str(number % 20)))
    with working(records, tmp_path, at_once, pace=replace(AT_ONCE, failure_rate=0.5)):
        records.wait_for(40)
    failed = [(request.digest, request.ordinal) for request in records.all() if request.status is RequestStatus.FAILED]
    first, second = ([int(digest) for digest, ordinal in failed if ordinal == number] for number in (1, 2))
    assert first == [0, 2, 3, 4, 5, 9, 10, 11, 12, 15, 16, 18, 19]
    assert second == [0, 3, 4, 6, 7, 8, 10, 11, 13, 15, 17, 19]
    assert all("simulated" in request.error for request in records.all() if request.status is RequestStatus.FAILED)


@pytest.mark.parametrize(("rate", "status"), [(0.0, RequestStatus.SUCCESS), (1.0, RequestStatus.FAILED)])
def test_none_or_all_fail(records: Watched, tmp_path: Path, rate: float, status: RequestStatus) -> None:
    for number in range(5):
        records.add(new(str(number)))
    with working(records, tmp_path, at_once, pace=replace(AT_ONCE, failure_rate=rate)):
        records.wait_for(5)
    assert {request.status for request in records.all()} == {status}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (HTTPException(400, "payload.image: cannot be fetched"), "payload.image: cannot be fetched"),
        (OSError(28, "No space left on device"), "the clip could not be made: [Errno 28] No space left on device"),
    ],
)
def test_what_cannot_be_made_fails_and_the_worker_goes_on(
    records: Watched, tmp_path: Path, error: Exception, message: str
) -> None:
    def answer(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        if request.request_id == "bad":
            raise error
        return "video", "still"

    records.add(new("bad"))
    records.add(new("good"))
    with working(records, tmp_path, answer, slots=1):
        records.wait_for(2)
    bad, good = records.all()
    assert (bad.status, bad.error) == (RequestStatus.FAILED, message)
    assert good.status is RequestStatus.SUCCESS


def test_a_store_in_trouble_does_not_end_the_worker(records: Watched, tmp_path: Path) -> None:
    tried = threading.Event()

    def answer(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        tried.set()
        raise sqlite3.OperationalError("database or disk is full")

    records.add(new("a"))
    with working(records, tmp_path, answer):
        assert tried.wait(PATIENCE)
    assert records.all()[0].status is RequestStatus.PROCESSING


def test_a_stop_leaves_what_is_under_way_for_the_next_start(records: Watched, tmp_path: Path) -> None:
    started = threading.Event()

    def until_stopped(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        started.set()
        while not stopped():
            time.sleep(0.001)
        raise AbandonedError

    for number in range(3):
        records.add(new(str(number)))
    with working(records, tmp_path, until_stopped, slots=1):
        assert started.wait(PATIENCE)
    assert [request.status for request in records.all()] == ["processing", "queued", "queued"]
    with working(records, tmp_path, at_once):
        records.wait_for(3)
    assert {request.status for request in records.all()} == {RequestStatus.SUCCESS}


def test_a_stop_does_not_wait_for_the_time_of_a_request(records: Watched, tmp_path: Path) -> None:
    finished = threading.Event()

    def answer(request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        finished.set()
        return "video", "still"

    records.add(new("a"))
    with working(records, tmp_path, answer, pace=Pace(queue_seconds=0, seconds=2, failure_rate=0)):
        assert finished.wait(PATIENCE)
    assert records.all()[0].status is RequestStatus.PROCESSING
