"""When a POST may leave, and what its answer means for the job."""

import random
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from runner.api.answer_classes import AnswerClass
from runner.api.answers import Submission
from runner.errors import AccessError, DiskError, Exit, ServiceError
from runner.planning.selection import Selection
from runner.state.store import Store
from tests.engines import accepted, answered, bench, lost

BUSY = answered(AnswerClass.BUSY, 429)
UNSENT = answered(AnswerClass.UNSENT)


@pytest.fixture
def ground(tmp_path, monkeypatch):
    return lambda **keys: bench(tmp_path, monkeypatch, **keys)


def test_all_jobs_are_submitted_once(ground):
    place = ground(pictures=5)
    report = place.run()
    assert (report.submitted, report.error, place.totals()) == (5, None, {"succeeded": 5})
    assert len(place.world.posts) == 5


def test_the_first_submission_goes_alone_and_the_rest_together(ground):
    place = ground(pictures=6)
    place.run()
    turns = place.world.turns_of_posts
    assert turns[0] < turns[1]
    assert turns[1:] == [turns[1]] * 5


def test_a_refusal_of_one_job_lets_the_canary_pass(ground):
    place = ground(pictures=4)
    place.world.script.extend([answered(AnswerClass.REJECTED, 400)])
    place.run()
    assert place.totals() == {"succeeded": 3, "rejected": 1}
    assert place.world.turns_of_posts[1:] == [place.world.turns_of_posts[1]] * 3


def test_each_model_has_a_canary_of_its_own(ground):
    models = ["Kling-Image2Video-V1.6-Standard", "Kling-Image2Video-V1.6-Pro"]
    place = ground(pictures=3, model=models)
    place.world.script.extend([answered(AnswerClass.REFUSED, 404)])
    report = place.run()
    assert place.totals() == {"succeeded": 3, "failed": 1, "pending": 2}
    assert isinstance(report.error, ServiceError)
    assert models[0] in report.error.message
    assert [body.model for _, body in place.world.posts].count(models[0]) == 1


@pytest.mark.parametrize("status", [404, 405])
def test_a_general_refusal_costs_one_call_and_after_a_success_two(ground, status):
    place = ground(pictures=8, run={"concurrency": 1})
    place.world.status = "success"
    place.world.script.extend([accepted])
    place.world.always = answered(AnswerClass.REFUSED, status)
    report = place.run()
    assert len(place.world.posts) == 3
    assert place.totals() == {"succeeded": 1, "failed": 2, "pending": 5}
    assert report.error.exit_code is Exit.UNAVAILABLE


@pytest.mark.parametrize("reaction", [BUSY, UNSENT], ids=["429", "not connected"])
def test_a_service_that_takes_nothing_for_the_whole_wait_is_a_clear_error(ground, reaction):
    place = ground(pictures=3)
    place.world.always = reaction
    began = place.clock.time
    report = place.run()
    assert isinstance(report.error, ServiceError)
    assert "took no submission for 600 s" in report.error.message
    assert place.totals() == {"pending": 3}
    assert 600 <= place.clock.time - began <= 900
    assert len(place.world.posts) < 60, "pauses grow"
    assert report.submitted == 0
    place.world.always = accepted
    assert place.run().error is None
    assert place.totals() == {"succeeded": 3}


def test_retry_after_is_heeded(ground):
    place = ground(pictures=1)
    place.world.script.extend([answered(AnswerClass.BUSY, 429, retry_after=123.0)])
    place.run()
    first, second = (at for at, _ in place.world.posts)
    assert 123 <= second - first < 126


def test_a_429_lowers_how_many_are_at_the_service(ground):
    place = ground(pictures=32, run={"concurrency": 16})
    place.world.script.extend([accepted, BUSY])
    place.run()
    assert place.totals() == {"succeeded": 32}
    unfinished = ("submitting", "accepted", "queued", "asking")
    at_once = [sum(each.statuses.get(name, 0) for name in unfinished) for each in place.snapshots]
    most = at_once.index(16)
    assert most <= 4, "all that is allowed at first"
    assert 1 <= max(at_once[most + 1 :]) <= 15


def test_after_a_storm_of_lost_answers_nothing_is_risked_until_they_are_found(ground):
    place = ground(pictures=30, run={"settle": 60})
    place.world.always = lost(was_accepted=False)
    place.world.lists.extend([lambda told: told] * 3)
    seen = []

    def watch(world, body):
        seen.append(world.calls.count("list"))
        return lost(was_accepted=True)(world, body)

    place.world.always = watch
    place.run()
    assert len([each for each in seen if each == 0]) <= 5
    assert place.totals() == {"succeeded": 30}
    assert len(place.world.posts) == 30


@pytest.mark.parametrize("was_accepted", [True, False])
def test_an_error_that_nobody_foresaw_costs_no_other_job_anything(ground, was_accepted):
    """Other calls were answered in the same turn of the loop: their request ids must be kept."""
    place = ground(pictures=6)

    def broken(world, body):
        if was_accepted:
            world.take(body)
        raise RuntimeError("nobody foresaw this")

    place.world.script.extend([accepted, accepted, broken, accepted])
    report = place.run()
    assert report.error is None
    assert place.totals() == {"succeeded": 6}
    assert len(place.world.requests) == 6
    assert len(place.world.posts) == (6 if was_accepted else 7)


def test_one_id_for_two_submissions_is_attached_to_one(ground):
    place = ground(pictures=2)

    def same_id(world, body):
        world.take(body)
        return Submission(AnswerClass.ACCEPTED, "r-0", "queued", 200)

    place.world.script.extend([accepted, same_id])
    place.run()
    assert place.totals() == {"succeeded": 2}
    with place.store() as store:
        assert sorted(each.request_id for each in store.records()) == ["r-0", "r-1"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_the_run_with_everything_kept(ground, status):
    place = ground(pictures=9)
    place.world.script.extend([accepted, accepted, answered(AnswerClass.DENIED, status), accepted])
    report = place.run()
    assert isinstance(report.error, AccessError)
    with place.store() as store:
        kept = [each.request_id for each in store.open_attempts()]
    assert sorted(kept) == sorted(each.request_id for each in place.world.requests)
    place.run()
    assert place.totals() == {"succeeded": 9}
    assert len(place.world.requests) == 9


def test_a_changed_picture_stops_the_run_and_its_job_stays_pending(ground):
    place = ground(pictures=2)
    place.world.script.extend([answered(AnswerClass.CHANGED)])
    report = place.run()
    assert isinstance(report.error, DiskError)
    assert place.totals() == {"pending": 2}


def test_what_is_spent_on_the_way_is_what_the_state_says_at_the_end(ground):
    place = ground(pictures=8, budget={"price_per_job": 0.25, "max_cost": 100})
    place.world.script.extend(
        [
            accepted,
            answered(AnswerClass.REJECTED, 400),
            answered(AnswerClass.REFUSED, 413),
            lost(was_accepted=True),
            lost(was_accepted=False),
            BUSY,
        ]
    )
    place.run()
    with place.store() as store:
        spent, _ = store.spent(place.manifest.budget)
    assert spent == Decimal("1.75"), "eight jobs, one of them rejected"
    assert place.snapshots[-1].spent == spent


def test_takes_wait_for_each_other_and_for_what_is_lost(ground):
    place = ground(pictures=1, takes=3)
    place.world.script.extend([lost(was_accepted=True)])
    place.run()
    assert place.totals() == {"succeeded": 3}
    (first, _), (second, _), _ = place.world.posts
    assert place.world.calls[:3] == ["page", "submit", "list"]
    assert second > first


def test_a_take_whose_equal_is_left_unknown_stays_pending_and_the_run_ends(ground):
    place = ground(pictures=1, takes=2)
    place.world.script.extend([lost(was_accepted=False)])
    place.world.lists.extend([lambda told: told.__class__(AnswerClass.UNKNOWN, message="broken")] * 10_000)
    place.run()
    assert place.totals() == {"unknown": 1, "pending": 1}
    assert len(place.world.posts) == 1


def test_a_take_waits_for_an_equal_that_is_not_selected_either(ground):
    place = ground(pictures=1, takes=2)
    place.world.script.extend([lost(was_accepted=False)])
    place.world.lists.extend([lambda told: told.__class__(AnswerClass.UNKNOWN, message="broken")] * 10_000)
    place.run()
    place.world.lists.clear()
    place.run(Selection(only=("*/take-2",)))
    assert place.totals() == {"unknown": 1, "pending": 1}
    place.run()
    assert place.totals() == {"succeeded": 2}
    assert len(place.world.requests) == 2


def test_where_all_that_may_be_at_the_service_is_left_the_rest_stays_pending_and_the_run_ends(ground):
    place = ground(pictures=3, run={"concurrency": 1, "wait": 60})
    place.world.status = "processing"
    report = place.run()
    assert report.error is None
    assert place.totals() == {"waiting": 1, "pending": 2}
    place.world.status = "success"
    place.run()
    assert place.totals() == {"succeeded": 3}


# Models that answer when they are done


def finished(world, body, status="success", **changes):
    """A sync model: the answer to the POST is the finished record."""
    world.take(body)
    link = f"http://127.0.0.1:1/{world.requests[-1].request_id}"
    world.requests[-1] = replace(world.requests[-1], status=status, video_url=link, **changes)
    return Submission(AnswerClass.ACCEPTED, world.requests[-1], 200)


def test_a_final_answer_to_a_post_is_taken_as_such(ground):
    place = ground(pictures=3)
    place.world.always = finished
    place.run()
    assert place.totals() == {"succeeded": 3}
    assert "get" not in place.world.calls
    with place.store() as store:
        assert store.model_facts(place.manifest.models[0]).is_sync


def test_a_refusal_with_an_id_is_final_and_keeps_the_id(ground):
    place = ground()

    def refuse(world, body):
        world.take(body)
        world.requests[-1] = replace(world.requests[-1], status="failed")
        return Submission(AnswerClass.REJECTED, world.requests[-1], 400, message="no")

    place.world.always = refuse
    place.run()
    assert place.totals() == {"rejected": 1}
    with place.store() as store:
        assert [each.request_id for each in store.records()] == ["r-0"]


@pytest.mark.parametrize("was_accepted", [True, False])
def test_a_lost_answer_of_a_sync_model_settles_for_minutes(ground, was_accepted):
    """The record may appear when the work is done, two minutes after the connection broke."""
    place = ground(pictures=2)
    late = []

    def lose(world, body):
        if was_accepted:
            finished(world, body)
            late.append((place.clock.time + 115.0, world.requests.pop()))
        return Submission(AnswerClass.UNKNOWN, message="the connection broke")

    def listed(told):
        shown = tuple(record for at, record in late if at <= place.clock.time)
        place.world.requests += [each for each in shown if each not in place.world.requests]
        return replace(told, requests=(*told.requests, *shown), total=len(told.requests) + len(shown))

    place.world.always = finished
    place.world.script.extend([finished, lose])
    place.world.lists.extend([listed] * 1000)
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 2}, 2 if was_accepted else 3)
    if not was_accepted:
        assert place.world.posts[2][0] - place.world.posts[1][0] >= 180


# Rate limits that come as failed records


def limited(world, body):
    return finished(world, body, "failed", error="rate limit exceeded(RPM)")


def test_a_rate_limit_in_a_failed_record_is_a_push_back(ground):
    place = ground(pictures=2)
    place.world.script.extend([limited, limited])
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 2}, 4)
    for _, body in place.world.posts:
        times = [at for at, other in place.world.posts if other == body]
        assert all(later - earlier >= 5 for earlier, later in pairwise(times))


def test_a_job_that_is_pushed_back_again_and_again_is_left_pending(ground):
    place = ground()
    place.world.always = limited
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"pending": 1}, 3)
    place.world.always = accepted
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"succeeded": 1}, 4)


def test_a_rate_limit_among_lost_answers_is_no_push_back(ground):
    """Whether the failed record is that of the lost POST is not known before all is settled."""
    place = ground()

    def lose(world, body):
        limited(world, body)
        return Submission(AnswerClass.UNKNOWN, message="the connection broke")

    place.world.script.extend([lose])
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"failed": 1}, 1)


def test_a_push_back_heeds_the_budget(ground):
    budget = {"max_cost": 2, "price_per_job": 1}
    place = ground(budget=budget)
    place.world.always = limited
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"pending": 1}, 2)


def test_a_push_back_of_a_job_of_an_earlier_run_heeds_the_budget(ground):
    place = ground(budget={"max_cost": 1, "price_per_job": 1})
    place.world.status = "queued"
    place.run()
    place.again()
    place.world.requests[0] = replace(place.world.requests[0], status="failed", error="rate limit exceeded(RPM)")
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"pending": 1}, 1)


def test_a_push_back_of_a_job_that_the_manifest_lost_is_its_end(ground):
    place = ground(pictures=2)
    place.world.status = "queued"
    place.run()
    place.again()
    place.manifest = replace(place.manifest, images=place.manifest.images[1:])
    place.world.requests[0] = replace(place.world.requests[0], status="failed", error="rate limit exceeded(RPM)")
    place.world.status = "success"
    place.run()
    assert (place.totals(), len(place.world.posts)) == ({"failed": 1, "succeeded": 1}, 2)


# What a list cannot tell apart


def test_posts_that_only_a_hidden_picture_tells_apart_never_overlap(ground, monkeypatch):
    place = ground(pictures=6)
    with place.store() as store, store.transaction():
        store.learn_fact(place.manifest.models[0], "hidden", "image")
    overlaps = []
    intend = Store.intend

    def watch(self, job, *arguments, **options):
        overlaps.append(sum(each.request_id is None for each in self.open_attempts()))
        return intend(self, job, *arguments, **options)

    monkeypatch.setattr(Store, "intend", watch)
    place.run()
    assert place.totals() == {"succeeded": 6}
    assert overlaps == [0] * 6


def test_a_tenth_of_400_answers_is_lost_and_nothing_stays_unknown(ground):
    place = ground(pictures=20, takes=20)
    chance = random.Random(7)

    def maybe(world, body):
        if chance.random() < 0.1:
            return lost(was_accepted=chance.random() < 0.5)(world, body)
        return accepted(world, body)

    place.world.always = maybe
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 400}, 400)


def test_a_request_that_holds_the_key_stops_the_run_and_its_job_stays_pending(ground):
    place = ground(pictures=1)
    place.world.script.extend([answered(AnswerClass.KEY_INSIDE)])
    report = place.run()
    assert (report.error.code, report.error.exit_code, report.submitted) == ("secret", 2, 0)
    assert place.totals() == {"pending": 1}


def test_a_pause_that_the_service_wants_ends_with_the_wait(ground):
    place = ground(pictures=3, run={"wait": 60})
    place.world.always = answered(AnswerClass.BUSY, 429, retry_after=3600.0)
    began = place.clock.time
    report = place.run()
    assert isinstance(report.error, ServiceError)
    assert "it asks for 3600 s" in report.error.message
    assert place.totals() == {"pending": 3}
    assert 60 <= place.clock.time - began < 90


def silent(told):
    return replace(told, is_silent=True)


def test_a_service_that_never_answers_is_not_waited_for_as_long_as_one_that_does(ground):
    place = ground(pictures=3)
    place.world.pages = silent
    place.world.always = answered(AnswerClass.UNSENT, is_silent=True, message="no connection")
    began = place.clock.time
    report = place.run()
    assert report.error.exit_code is Exit.UNAVAILABLE
    assert report.error.message == "nothing answers at http://127.0.0.1:1 for 60 s: no connection"
    assert "GMI_BASE_URL or --base-url" in report.error.hint
    assert 60 <= place.clock.time - began < 70
    assert place.totals() == {"pending": 3}
    place.world.pages, place.world.always = None, accepted
    assert place.run().error is None
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 3}, 3)


def test_after_its_first_answer_a_service_is_waited_for(ground):
    place = ground(pictures=3)
    place.world.pages = silent
    silence = answered(AnswerClass.UNSENT, is_silent=True)
    place.world.script.extend([silence, BUSY, *[silence] * 12])
    began = place.clock.time
    assert place.run().error is None
    assert place.clock.time - began > 60
    assert place.totals() == {"succeeded": 3}
