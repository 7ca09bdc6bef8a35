"""Asking for what is in flight, and what each answer means."""

from dataclasses import replace

import pytest

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Answer
from runner.errors import AccessError, StateError
from runner.model import Status
from runner.planning.selection import Selection
from tests.engines import bench


@pytest.fixture
def ground(tmp_path, monkeypatch):
    return lambda **keys: bench(tmp_path, monkeypatch, **keys)


def saying(**changes):
    return lambda told: replace(told, remote=replace(told.remote, **changes))


def failure(kind=AnswerClass.UNKNOWN, **values):
    return lambda told: Answer(kind, message="trouble", **values)


@pytest.mark.parametrize("status", ["created", "queued", "dispatched", "processing", "on-mars"])
def test_an_unfinished_or_unknown_status_is_asked_again(ground, status):
    place = ground()
    place.world.gets.extend([saying(status=status, video_url=None)] * 3)
    place.run()
    assert place.totals() == {"succeeded": 1}
    assert place.world.calls.count("get") == 4


@pytest.mark.parametrize(("status", "outcome"), [("failed", "failed"), ("cancelled", "cancelled")])
def test_a_failure_is_final_and_tells_the_services_words(ground, status, outcome):
    place = ground(pictures=2)
    place.world.gets.extend([saying(status=status, error="policy: no")])
    place.run()
    assert place.totals() == {"succeeded": 1, outcome: 1}
    with place.store() as store:
        assert [each.error for each in store.unfinished()] == ["policy: no"]
    place.run()
    assert len(place.world.posts) == 2, "a plain run buys nothing again"


def test_polls_become_rare_with_age(ground):
    place = ground(run={"wait": 600})
    place.world.status = "processing"
    place.run()
    assert 20 <= place.world.calls.count("get") <= 60
    assert place.totals() == {"waiting": 1}


def test_a_wait_that_is_over_is_no_failure(ground):
    place = ground(pictures=3, run={"wait": 60})
    place.world.status = "processing"
    began = place.clock.time
    report = place.run()
    assert report.error is None
    assert 60 <= place.clock.time - began <= 75
    assert place.totals() == {"waiting": 3}
    with place.store() as store:
        assert {each.reason for each in store.unfinished()} == {"still processing after 60 s"}
    place.world.status = "success"
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 3}, 3)


def test_trouble_is_waited_out_with_growing_pauses(ground):
    place = ground()
    place.world.gets.extend([failure()] * 8)
    place.run()
    assert place.totals() == {"succeeded": 1}
    assert any("no usable answer" in each.note for each in place.snapshots)


def test_an_error_that_nobody_foresaw_is_trouble(ground):
    place = ground(pictures=3)

    def broken(told):
        raise KeyError("nobody foresaw this")

    place.world.gets.extend([broken, broken])
    place.run()
    assert place.totals() == {"succeeded": 3}


def test_polls_heed_retry_after(ground):
    place = ground()
    place.world.gets.extend([failure(AnswerClass.BUSY, retry_after=100.0)])
    began = place.clock.time
    place.run()
    assert place.clock.time - began >= 100


def test_a_storm_is_probed_one_call_at_a_time(ground):
    place = ground(pictures=12, run={"wait": 3000})
    place.world.gets.extend([failure()] * 40)
    place.run()
    assert place.totals() == {"succeeded": 12}


def test_a_request_that_the_service_does_not_know_is_unknown_and_never_bought_again_by_itself(ground):
    place = ground(run={"wait": 60})
    place.world.gets.extend([failure(AnswerClass.MISSING)] * 1000)
    place.run()
    assert place.totals() == {"unknown": 1}
    place.run()
    assert len(place.world.posts) == 1
    place.world.gets.clear()
    place.world.gets.extend([failure(AnswerClass.MISSING)] * 3)
    place.run(Selection(resubmit_unknown=True))
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1}, 2)


def test_a_request_that_shows_up_again_is_attached_even_where_buying_again_is_allowed(ground):
    place = ground(run={"wait": 60})
    place.world.gets.extend([failure(AnswerClass.MISSING)] * 1000)
    place.run()
    place.world.gets.clear()
    place.world.gets.extend([failure(AnswerClass.MISSING)] * 2)
    place.run(Selection(resubmit_unknown=True))
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1}, 1)


def test_a_refused_key_keeps_what_is_in_flight(ground):
    place = ground(pictures=4)
    place.world.gets.extend([failure(AnswerClass.DENIED)])
    report = place.run()
    assert isinstance(report.error, AccessError)
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 4}, 4)


def test_success_without_a_link_is_asked_again_and_told(ground):
    place = ground(run={"wait": 60})
    place.world.gets.extend([saying(video_url=None)] * 1000)
    place.run()
    assert place.totals() == {"waiting": 1}
    place.world.gets.clear()
    place.run()
    assert place.totals() == {"succeeded": 1}


def test_success_without_a_link_is_left_for_the_next_run_after_some_more_polls(ground):
    place = ground(run={"wait": 36_000})
    place.world.gets.extend([saying(video_url=None)] * 9)
    place.run()
    assert place.totals() == {"waiting": 1}
    with place.store() as store:
        assert [record.reason for record in store.records()] == ["finished, but the service gives no link to the video"]
    assert len(place.world.gets) == 1
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1}, 1)


def test_another_organisation_stops_the_run(ground):
    place = ground(pictures=2)
    place.world.organisation = "org-1"
    place.run()
    write_again = replace(place.manifest, takes=2)
    place.manifest = write_again
    place.world.gets.extend([saying(organisation="org-2")])
    report = place.run()
    assert isinstance(report.error, StateError)
    assert "org-2" in report.error.message


def test_a_429_makes_polls_rarer_and_answers_make_them_as_many_again(ground):
    place = ground(pictures=4)
    place.world.gets.extend([failure(AnswerClass.BUSY)])
    with place.engine() as (engine, _):
        rates, original = [], place.world.get

        def get(request_id):
            rates.append(engine._polling._rate.size)
            return original(request_id)

        place.world.get = get
        engine.run()
        assert 125 <= min(rates) < 126, "halved once"
        assert engine._polling._rate.size > min(rates)
    assert place.totals() == {"succeeded": 4}


def test_what_was_seen_of_the_service_is_kept_for_the_next_run(ground):
    place = ground(pictures=3)
    place.world.gets.extend([saying(status="processing", video_url=None)] * 6)
    place.run()
    with place.store() as store:
        learned = store.learned(place.manifest.models[0], 5.0)
    assert len(learned) == 3
    assert all(0.0 < age < 600.0 for age in learned)


def test_a_link_that_is_asked_for_again_teaches_nothing_more(ground):
    place = ground()
    place.world.gets.extend([saying(video_url=None)] * 3)
    place.run()
    with place.store() as store:
        assert len(store.learned(place.manifest.models[0], 5.0)) == 1
    assert place.totals() == {"succeeded": 1}


def test_what_an_echo_hides_is_learned_from_requests_of_ours(ground):
    place = ground(pictures=2)
    place.world.gets.extend([lambda told: replace(told, remote=replace(told.remote, payload={}, model="Alias"))])
    place.run()
    with place.store() as store:
        facts = store.model_facts(place.manifest.models[0])
    assert facts.hidden == {"prompt", "image"}
    assert facts.aliases == {"alias"}


def test_a_model_that_never_begins_is_named(ground):
    place = ground(run={"wait": 60})
    place.world.status = "queued"
    place.world.gets.extend(
        [lambda told: replace(told, remote=replace(told.remote, updated_at=told.remote.created_at))] * 999
    )
    place.run()
    with place.store() as store:
        (record,) = store.unfinished()
    assert record.status is Status.WAITING
    assert "the service never began with it" in record.reason
    assert place.manifest.models[0] in record.reason


def test_a_pause_that_the_service_wants_ends_with_the_wait_of_each(ground):
    place = ground(pictures=40, run={"wait": 60, "concurrency": 40})
    place.world.gets.extend([failure(AnswerClass.BUSY, retry_after=3600.0)] * 1000)
    began = place.clock.time
    place.run()
    assert place.totals() == {"waiting": 40}
    assert 60 <= place.clock.time - began < 90
    assert place.world.calls.count("get") <= 40, "what is over is left without a call"
    place.world.gets.clear()
    place.run()
    assert place.totals() == {"succeeded": 40}


def test_a_service_that_answers_no_poll_keeps_nobody_longer_than_the_wait(ground):
    place = ground(pictures=40, run={"wait": 600, "concurrency": 40})
    place.world.gets.extend([failure()] * 1000)
    began = place.clock.time
    place.run()
    assert place.totals() == {"waiting": 40}
    assert 600 <= place.clock.time - began < 700
    assert place.world.calls.count("get") < 200


def test_a_resumed_run_gives_up_on_a_service_that_never_answers(ground):
    place = ground(pictures=5, run={"wait": 600})
    place.world.status = "processing"
    place.run()
    place.again()
    place.world.gets.extend([failure(is_silent=True)] * 1000)
    began = place.clock.time
    report = place.run()
    assert "nothing answers at http://127.0.0.1:1 for 60 s: trouble" in report.error.message
    assert 60 <= place.clock.time - began < 70
    assert place.totals() == {"waiting": 5}
