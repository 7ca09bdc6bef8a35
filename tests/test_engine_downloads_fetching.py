"""Downloading what is finished, and what a download in vain means."""

import threading

import pytest

from runner.engine.downloads import fetching
from runner.engine.downloads.transfer import FetchError, FetchFailure
from runner.errors import DiskError
from runner.model import Status
from runner.state.store import Store
from runner.video.looking import viewing
from runner.video.looking.frame_measures import FrameMeasures
from tests.engines import bench
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import few_frames, write_manifest


@pytest.fixture(params=["arrive", "accept"])
def ground(tmp_path, monkeypatch, request):
    """A bench whose downloads, or verifications, meet what `script` holds."""

    def make(**keys):
        place = bench(tmp_path, monkeypatch, **keys)
        place.script, place.orders = [], []
        stage = getattr(fetching, request.param)

        def meet(files, order, *rest):
            place.orders.append(order)
            if place.script:
                raise place.script.pop(0)
            return stage(files, order, *rest)

        monkeypatch.setattr(fetching, request.param, meet)
        return place

    return make


@pytest.mark.parametrize("failure", [FetchFailure.EXPIRED, FetchFailure.UNFIT, FetchFailure.NETWORK])
def test_trouble_is_tried_again_with_a_fresh_link(ground, failure):
    place = ground(run={"attempts": 3})
    place.script.extend([FetchError(failure, "no"), FetchError(failure, "no")])
    place.run()
    assert place.totals() == {"succeeded": 1}
    assert place.world.calls.count("get") == 3
    assert len(place.world.posts) == 1


def test_after_so_many_attempts_it_is_left_and_the_next_run_goes_on(ground):
    place = ground(pictures=2, run={"attempts": 2})
    place.script.extend([FetchError(FetchFailure.UNFIT, "it lasts 2 s")] * 4)
    report = place.run()
    assert (report.error, place.totals(), len(place.orders)) == (None, {"waiting": 2}, 4)
    with place.store() as store:
        assert {each.reason for each in store.unfinished()} == {"download 2 of 2: it lasts 2 s"}
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 2}, 2)


def test_an_error_that_nobody_foresaw_is_that_files_alone(ground):
    place = ground(pictures=3, run={"attempts": 1})
    place.script.append(MemoryError())
    report = place.run()
    assert (report.error, place.totals()) == (None, {"succeeded": 2, "waiting": 1})
    place.run()
    assert place.totals() == {"succeeded": 3}


def test_disk_trouble_stops_the_run_and_loses_nothing(ground):
    place = ground(pictures=4)
    place.script.append(DiskError("cannot write: No space left on device", "make room"))
    report = place.run()
    assert isinstance(report.error, DiskError)
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 4}, 4)


def test_an_order_says_all_that_a_download_needs(ground):
    place = ground(run={"verify": "header"})
    place.run()
    (order,) = place.orders
    assert (order.request_id, order.video_url) == ("r-0", "http://127.0.0.1:1/r-0")
    assert (order.output_dir, order.path) == (place.manifest.output.dir, "p0/plain/take-1")
    assert (order.seconds, order.decode) == (5.0, False)
    with place.store() as store:
        (record,) = store.records()
    assert record.video.path == "videos/p0/plain/take-1.mp4"
    assert record.thumbnail is None


# Over a real service, with a real pool


def test_downloads_and_polls_go_on_while_clips_are_verified(tmp_path, monkeypatch):
    """The first clip is verified for as long as not all others have come: it must not be in their way."""
    jobs, come, original = fetching.MOST_FETCHES + 1, [], (fetching.arrive, fetching.accept)
    all_have_come = threading.Event()

    def arrive(files, order, stop):
        arrival = original[0](files, order, stop)
        come.append(order.request_id)
        if len(come) == jobs:
            all_have_come.set()
        return arrival

    def accept(files, order, arrival, stop):
        assert all_have_come.wait(60), f"only {len(come)} came"
        return original[1](files, order, arrival, stop)

    monkeypatch.setattr(fetching, "arrive", arrive)
    monkeypatch.setattr(fetching, "accept", accept)
    monkeypatch.setattr(fetching, "MOST_VERIFIED", 1)
    with FaultyService(few_frames()) as service:
        result = run(write_manifest(tmp_path, pictures=jobs), service)
    assert (result.totals[Status.SUCCEEDED], sorted(come)) == (jobs, sorted(each.id for each in service.accepted))


def test_no_more_clips_wait_to_be_verified_than_are_downloaded_at_once(tmp_path, monkeypatch):
    waiting, original, lock = [0, 0], (fetching.arrive, fetching.accept), threading.Lock()

    def arrive(files, order, stop):
        with lock:
            waiting[0] += 1
            waiting[1] = max(waiting)
        return original[0](files, order, stop)

    def accept(files, order, arrival, stop):
        with lock:
            waiting[0] -= 1
        return original[1](files, order, arrival, stop)

    monkeypatch.setattr(fetching, "arrive", arrive)
    monkeypatch.setattr(fetching, "accept", accept)
    monkeypatch.setattr(fetching, "MOST_FETCHES", 2)
    monkeypatch.setattr(fetching, "MOST_VERIFIED", 1)
    with FaultyService(few_frames()) as service:
        result = run(write_manifest(tmp_path, pictures=9), service)
    assert (result.totals[Status.SUCCEEDED], waiting[0], waiting[1] <= 4) == (9, 0, True)


def test_a_file_that_came_before_is_not_measured_again(tmp_path, monkeypatch):
    measured = []

    class Counted(FrameMeasures):
        def __init__(self, order, fps):
            measured.append(order.sha256)
            super().__init__(order, fps)

    monkeypatch.setattr(viewing, "FrameMeasures", Counted)
    with FaultyService(few_frames()) as service:
        manifest = write_manifest(tmp_path, pictures=4)
        run(manifest, service)
        run(write_manifest(tmp_path, pictures=5), service)
        with Store.open(tmp_path / "out" / "state.sqlite") as store:
            records = list(store.records())
    assert len(measured) == 1
    assert [each.measured.is_known for each in records] == [True] * 5
