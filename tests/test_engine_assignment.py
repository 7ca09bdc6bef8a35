"""A person says which request a lost submission is."""

from dataclasses import replace

import pytest

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Listing
from runner.errors import UsageError
from tests.engines import bench, lost


def broken(told):
    return Listing(AnswerClass.UNKNOWN, message="the list is broken")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """One of two jobs is unknown, and the list cannot be read."""
    place = bench(tmp_path, monkeypatch, pictures=2, run={"wait": 60})
    place.world.script.extend([lost(was_accepted=True)])
    place.world.lists.extend([broken] * 1000)
    place.run()
    assert place.totals() == {"unknown": 1, "succeeded": 1}
    return place


def attach(place, *asked):
    with place.engine() as (engine, _):
        engine._attach = asked
        return engine.run()


def test_it_is_attached_and_fetched(place):
    attach(place, "p0/plain/take-1=r-0")
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 2}, 2)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("p9/plain/take-1=r-0", "names no job whose answer was lost"),
        ("p1/plain/take-1=r-0", "names no job whose answer was lost"),
        ("p0/plain/take-1", "names no job whose answer was lost"),
        ("p0/plain/take-1=r-1", "belongs to another job already"),
        ("p0/plain/take-1=r-7", "does not show request r-7"),
        ("p0/plain/take-1=other", "is certainly not p0/plain/take-1"),
    ],
)
def test_what_cannot_be_it_is_refused_and_nothing_changes(place, asked, message):
    other = replace(place.world.requests[0], request_id="other", model="another-model")
    place.world.requests.append(other)
    with pytest.raises(UsageError, match=message):
        attach(place, asked)
    assert (place.totals(), len(place.world.posts)) == ({"unknown": 1, "succeeded": 1}, 2)


def test_one_that_is_not_found_by_its_id_may_still_be_listed(place):
    place.world.lists.clear()
    place.world.gets.append(lambda told: replace(told, kind=AnswerClass.MISSING, remote=None))
    attach(place, "p0/plain/take-1=r-0")
    assert place.totals() == {"succeeded": 2}
