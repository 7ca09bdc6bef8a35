"""Looking for submissions whose answer was lost: attached, surely absent, or left unknown."""

import json
from dataclasses import replace

import pytest

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Listing
from runner.errors import StateError
from runner.planning.selection import Selection
from runner.state.store import Store
from tests.engines import accepted, bench, lost


@pytest.fixture
def ground(tmp_path, monkeypatch):
    return lambda **keys: bench(tmp_path, monkeypatch, **keys)


def own_videos(place):
    """Whether each request id stands with the job whose request it is."""
    sent = {each.request_id: json.dumps(each.payload, sort_keys=True) for each in place.world.requests}
    with place.store() as store:
        records = [each for each in store.records() if each.request_id is not None]
    return all(sent[each.request_id] == json.dumps(each.payload, sort_keys=True) for each in records)


def broken(told):
    return Listing(AnswerClass.UNKNOWN, message="the listing is broken")


def test_one_that_is_listed_is_attached_soon(ground):
    place = ground(pictures=3)
    place.world.script.extend([lost(was_accepted=True)])
    began = place.clock.time
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 3}, 3)
    assert place.clock.time - began < 10


@pytest.mark.parametrize("settle", [1, 60, 300])
def test_one_that_is_absent_is_submitted_again_after_the_settling_wait(ground, settle):
    place = ground(run={"settle": settle})
    place.world.script.extend([lost(was_accepted=False)])
    place.run()
    first, second = (at for at, _ in place.world.posts)
    assert settle <= second - first <= settle + 20
    assert place.world.calls.count("list") >= 2
    assert place.totals() == {"succeeded": 1}


def test_a_listing_that_lags_is_waited_for(ground):
    place = ground(run={"settle": 60})
    place.world.lag = 59.0
    place.world.script.extend([lost(was_accepted=True)])
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1}, 1)


@pytest.mark.parametrize("skew", [-7200.0, 7200.0])
@pytest.mark.parametrize("was_accepted", [True, False])
def test_a_service_whose_clock_is_wrong(ground, skew, was_accepted):
    place = ground(pictures=3)
    place.world.skew = skew
    place.world.script.extend([accepted, lost(was_accepted=was_accepted)])
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 3}, 3)


@pytest.mark.parametrize("was_accepted", [True, False])
def test_a_wrong_clock_is_no_matter_for_the_very_first_submission_either(ground, was_accepted):
    place = ground()
    place.world.skew = -7200.0
    place.world.script.extend([lost(was_accepted=was_accepted)])
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 1}, 1)


def test_a_service_that_does_not_tell_its_time_is_not_believed_to_have_nothing(ground):
    """Its clock may be hours off: what it shows may be ours."""
    place = ground(run={"wait": 60})
    place.world.skew = 7200.0
    place.world.script.extend([lost(was_accepted=True)])
    place.world.lists.extend([lambda told: replace(told, skew_from=None)] * 1000)
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"unknown": 1}, 1)


def test_a_listing_that_cannot_be_read_is_asked_again_and_proves_nothing(ground):
    place = ground(run={"wait": 60})
    place.world.script.extend([lost(was_accepted=False)])
    place.world.lists.extend([broken] * 1000)
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"unknown": 1}, 1)
    with place.store() as store:
        (record,) = store.unfinished()
    assert "the listing is broken" in record.reason
    place.world.lists.clear()
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1}, 2)


def test_an_error_that_nobody_foresaw_is_a_listing_that_cannot_be_read(ground):
    place = ground()

    def crash(told):
        raise ZeroDivisionError

    place.world.script.extend([lost(was_accepted=True)])
    place.world.lists.extend([crash, crash])
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1}, 1)


def hide_and_lose_two(place):
    """Two lost requests that differ in the picture alone, which the listing does not show."""
    place.world.hides = True
    place.world.script.extend([accepted, lost(was_accepted=True), lost(was_accepted=True)])


def test_two_that_a_listing_cannot_tell_apart_stay_unknown(ground):
    place = ground(pictures=3)
    hide_and_lose_two(place)
    place.run()
    assert place.totals() == {"succeeded": 1, "unknown": 2}
    place.world.hides = False
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 3}, 3)
    assert own_videos(place)


@pytest.mark.parametrize("only", ["p1/*", "p2/*"])
def test_selecting_one_of_two_does_not_make_them_distinct(ground, only):
    """The other one is open all the same: what the listing shows may be its."""
    place = ground(pictures=3)
    hide_and_lose_two(place)
    place.run()
    place.run(Selection(only=(only,)))
    assert place.totals() == {"succeeded": 1, "unknown": 2}
    assert own_videos(place)


def test_only_resubmit_unknown_buys_an_unknown_again_after_looking_once_more(ground):
    place = ground(pictures=3, run={"wait": 60})
    hide_and_lose_two(place)
    place.run()
    looks = place.world.calls.count("list")
    place.run(Selection(resubmit_unknown=True))
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 3}, 5)
    assert place.world.calls.count("list") > looks


def test_an_empty_list_of_another_organisation_is_no_absence(ground):
    """The key was changed: the list of another organisation is empty, and proves nothing."""
    place = ground(pictures=1)
    place.world.organisation = "org-1"
    place.run()
    place.manifest = replace(place.manifest, takes=2)
    place.again()
    place.world.script.extend([lost(was_accepted=True)])
    place.world.lists.extend([lambda told: replace(told, requests=(), total=0)] * 10_000)
    place.clock.time += 1000
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1, "unknown": 1}, 2)


def test_a_list_of_another_organisation_stops_the_run(ground):
    place = ground()
    place.world.organisation = "org-1"
    place.run()
    place.manifest = replace(place.manifest, takes=2)
    place.world.script.extend([lost(was_accepted=True)])
    place.world.lists.extend(
        [lambda told: replace(told, requests=tuple(replace(each, organisation="org-2") for each in told.requests))]
    )
    report = place.run()
    assert isinstance(report.error, StateError)


def test_one_list_serves_all_that_were_lost(ground):
    place = ground(pictures=5)
    place.world.script.extend([accepted, *[lost(was_accepted=True)] * 4])
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 5}, 5)
    assert place.world.calls.count("list") <= 2


def test_what_is_accepted_while_a_list_is_on_its_way_need_not_be_in_it(ground, monkeypatch):
    """Otherwise steady submissions would keep a lost one unknown for ever."""
    place = ground(pictures=4)
    asked, looked_until = [], []
    original = Store.accepted_between

    def noted(self, model, start, end):
        looked_until.append((asked[-1], end))
        return original(self, model, start, end)

    def slowly(told):
        asked.append(place.clock.time)
        place.clock.time += 3.0
        return told

    monkeypatch.setattr(Store, "accepted_between", noted)
    place.world.lists.extend([slowly] * 1000)
    place.world.script.extend([accepted, lost(was_accepted=False)])
    place.run()
    assert looked_until
    assert all(end <= began for began, end in looked_until)
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 4}, 4)
