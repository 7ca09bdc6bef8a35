"""Looking for submissions whose answer was lost: attached, surely absent, or left unknown."""

import json
from dataclasses import replace
from itertools import product

import pytest

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Listing
from runner.api.body import Body
from runner.errors import StateError
from runner.planning.plan import make_plan
from runner.planning.selection import Selection
from tests.engines import accepted, bench, lost
from tests.kit import sampled


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


def test_what_is_accepted_while_a_list_is_on_its_way_need_not_be_in_it(ground):
    """Otherwise steady submissions would keep a lost one unknown for ever."""
    place = ground(pictures=40, run={"concurrency": 2})
    before = []

    def stale(told):
        """What the service had when the list was asked for, which is told seconds later."""
        shown, before[:] = [each for each in told.requests if each in before], told.requests
        place.clock.time += 3.0
        return replace(told, requests=tuple(shown), total=len(shown))

    place.world.lists.extend([stale] * 1000)
    place.world.script.extend([accepted, lost(was_accepted=False)])
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 40}, 40)


# Clocks


def stepped(place, seconds):
    """Somebody sets the clock of this machine; what passed since its boot is as before."""
    place.clock.ahead += seconds


JUMPS = [10.0, -10.0, 600.0, 3600.0, -3600.0, 365 * 86400.0]


MOMENTS = ["before", "lost", "between runs", "looked"]


# Less than there are jumps: each moment and fate has one, and each jump is tried.
@pytest.mark.parametrize(("moment", "was_accepted", "jump"), sampled([*product(MOMENTS, [True, False], JUMPS)], 5))
def test_a_clock_that_is_set_buys_nothing_twice_and_loses_nothing(ground, jump, was_accepted, moment):
    place = ground(pictures=4)
    world = place.world

    def lose(world, body):
        told = lost(was_accepted=was_accepted)(world, body)
        if moment == "lost":
            stepped(place, jump)
        return told

    if moment == "before":
        stepped(place, jump)
    world.script.extend([accepted, lose])
    if moment in ("between runs", "looked"):
        # The first run ends before it looked, or after the first whole list.
        world.lists.extend([broken] * 10_000 if moment == "between runs" else [lambda told: told] + [broken] * 10_000)
        place.run()
        world.lists.clear()
        stepped(place, jump)
        place.again()
    place.run()
    assert (place.totals(), len(world.requests)) == ({"succeeded": 4}, 4)
    assert own_videos(place)


@pytest.mark.parametrize("was_accepted", [True, False])
def test_after_a_reboot_the_first_list_is_asked_for_anew(ground, was_accepted):
    place = ground()
    place.world.script.extend([lost(was_accepted=False)])
    place.world.lists.extend([lambda told: told] + [broken] * 10_000)
    place.run()
    place.world.lists.clear()
    place.clock.boot, place.clock.time = "boot-2", 50.0
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 1}, 1)
    _, second = (at for at, _ in place.world.posts)
    assert second >= 50.0 + 60.0, "a whole settling wait after the reboot"


def test_a_suspended_machine_settles_while_it_sleeps(ground):
    place = ground()
    place.world.script.extend([lost(was_accepted=False)])

    def asleep(told):
        place.clock.time += 300.0
        return told

    place.world.lists.extend([asleep])
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 1}, 1)


def test_times_in_milliseconds_are_not_trusted_and_nothing_is_bought_twice(ground):
    place = ground(pictures=3)
    place.world.unit = 1000.0
    place.world.script.extend([accepted, lost(was_accepted=True), lost(was_accepted=False)])
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 3}, 3)
    with place.store() as store:
        assert store.model_facts(place.manifest.models[0]).is_untimed


# Keys and organisations


def test_the_key_of_another_organisation_does_not_buy_again_what_was_lost_in_the_first_post(ground):
    """Its list is empty, and says nothing of the organisation."""
    place = ground()
    place.world.script.extend([lost(was_accepted=True)])
    place.world.lists.extend([broken] * 10_000)
    place.run()
    theirs = place.world.requests
    place.world.lists.clear()
    place.world.requests = []
    place.world.service = replace(place.world.service, key="sk-of-another")
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"unknown": 1}, 1)
    place.world.service = replace(place.world.service, key="sk-key")
    place.world.requests = theirs
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1}, 1)


# Strangers' records of the same request, and failed ones


def test_a_request_of_before_is_not_taken_for_a_lost_one(ground):
    """It was on the page that was asked for before the first submission."""
    place = ground()
    world = place.world
    body = Body(place.manifest.models[0], dict(next(iter(make_plan(place.manifest).jobs)).job.payload), {})
    world.take(body)
    world.script.extend([lost(was_accepted=False)])
    place.run()
    assert (place.totals(), len(world.requests), len(world.posts)) == ({"succeeded": 1}, 2, 2)
    with place.store() as store:
        assert [each.request_id for each in store.records()] == ["r-1"]


def test_more_records_than_attempts_are_left_to_people(ground):
    place = ground(run={"wait": 60})

    def twice(world, body):
        world.take(body)
        return lost(was_accepted=True)(world, body)

    place.world.script.extend([twice])
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"unknown": 1}, 1)
    with place.store() as store:
        (record,) = store.unfinished()
    assert "r-0, r-1" in record.reason


def test_a_lost_post_that_left_a_failed_record_is_failed_after_settling(ground):
    place = ground()

    def fails(world, body):
        told = lost(was_accepted=True)(world, body)
        world.requests[-1] = replace(world.requests[-1], status="failed", error="Backend error (400)")
        return told

    place.world.script.extend([fails])
    began = place.clock.time
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"failed": 1}, 1)
    assert place.clock.time - began >= 60
    with place.store() as store:
        (record,) = store.unfinished()
    assert (record.error, record.request_id) == ("Backend error (400)", "r-0")


def test_equal_takes_go_on_once_all_was_asked_of_the_unknown_one(ground):
    place = ground(takes=2)

    def twice(world, body):
        world.take(body)
        return lost(was_accepted=True)(world, body)

    place.world.script.extend([twice])
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"unknown": 1, "succeeded": 1}, 2)


def test_a_pause_that_the_service_wants_ends_with_the_wait(ground):
    place = ground(run={"wait": 300, "settle": 60})
    place.world.script.extend([lost(was_accepted=True)])
    busy = Listing(AnswerClass.BUSY, message="slow down", retry_after=3600.0)
    place.world.lists.extend([lambda told: busy] * 1000)
    began = place.clock.time
    place.run()
    assert place.totals() == {"unknown": 1}
    assert 300 <= place.clock.time - began < 330
    place.world.lists.clear()
    place.again()
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 1}, 1)
