"""Downloading what is finished, and what a download in vain means."""

import pytest

from runner.engine.downloads import fetching
from runner.engine.downloads.transfer import FetchError, FetchFailure
from runner.errors import DiskError
from tests.engines import bench


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
