"""What the parts of the engine share during one run."""

from concurrent.futures import Future
from dataclasses import replace

import pytest

from runner.api.answers import Remote
from runner.engine.flights import Flight, Phase
from runner.engine.polling import Polling
from runner.engine.run import MOST_POSTS, result_of
from runner.engine.submitting import Submitting
from runner.errors import DiskError, StateError
from tests.engines import Inline, bench
from tests.kit import make_attempt


@pytest.fixture
def run(tmp_path):
    with bench(tmp_path, pictures=3, takes=2).engine() as (engine, _):
        yield engine._run


def future(value=None, error=None):
    made: Future[object] = Future()
    made.set_exception(error) if error else made.set_result(value)
    return made


def test_what_a_call_gave_or_what_stands_for_it():
    assert result_of(future("told"), lambda words: words) == "told"
    assert result_of(future(error=KeyError("secret")), lambda words: words) == "an unexpected KeyError"
    assert result_of(future(error=SystemExit()), lambda words: words) == "an unexpected SystemExit"
    cancelled: Future[str] = Future()
    cancelled.cancel()
    assert result_of(cancelled, lambda words: words) == "the call was cancelled"


def test_an_organisation_is_learned_once_and_then_held_to(run):
    with run.store.transaction():
        assert run.check_organisation(Remote("r", organisation=None))
        assert run.check_organisation(Remote("r", organisation="org-1"))
        assert run.store.note("organisation") == "org-1"
        assert run.check_organisation(Remote("r", organisation="org-1"))
        assert not run.check_organisation(Remote("r", organisation="org-2"))
    assert isinstance(run.error, StateError)


@pytest.mark.parametrize(
    ("attempt", "told", "is_ours"),
    [
        ({"caller": "ours"}, None, True),
        ({"caller": "another key's"}, None, False),
        ({}, None, False),
        ({"organisation": "org-1"}, None, False),
        ({"organisation": "org-1"}, "org-1", True),
        ({"organisation": "org-1", "caller": "another key's"}, "org-1", True),
    ],
)
def test_whose_lists_these_are(run, attempt, told, is_ours):
    """The key of the intent, or an answer to this key that tells the same organisation."""
    with run.store.transaction():
        run.check_organisation(Remote("r", organisation=told))
        known = {**attempt, "caller": run.caller} if attempt.get("caller") == "ours" else attempt
        assert run.is_ours(make_attempt(1, **known)) is is_ours


def test_another_key_or_organisation_is_another_caller(run, tmp_path):
    with run.store.transaction():
        first = run.caller
    salt = bytes.fromhex(run.store.note("salt"))
    service = run.tools.client.service
    assert first == service.digest(salt)
    others = {replace(service, key="sk-other").digest(salt), replace(service, organisation="org-1").digest(salt)}
    assert len({first, *others, service.digest(b"another salt")}) == 4
    assert service.key not in first


def requests_of(run, **changes):
    """Two requests that differ in one parameter."""
    one = make_attempt(1)
    return one, replace(one, fingerprint="other", payload={**one.payload, **changes})


@pytest.mark.parametrize(
    ("facts", "changes", "overlap"),
    [
        ([], {"image": "sha256:1"}, False),
        ([("hidden", "image")], {"image": "sha256:1"}, True),
        ([("hidden", "image")], {"image": "sha256:1", "prompt": "x"}, False),
        ([("hidden", "image"), ("sync", "")], {"image": "sha256:1"}, False),
    ],
)
def test_what_a_list_cannot_tell_apart_never_overlaps(run, facts, changes, overlap):
    left, right = requests_of(run, **changes)
    with run.store.transaction():
        for fact, name in facts:
            run.learn(left.model, fact, name)
    assert run._overlap(left, right) is overlap
    assert run._overlap(left, left)


def test_times_that_contradict_each_other_are_not_trusted(run):
    attempt = make_attempt(1, created_at=1_700_000_000.0)
    with run.store.transaction():
        run.learn_from(attempt, Remote("r", created_at=1_700_000_000.0))
        assert not run.facts(attempt.model).is_untimed
        run.learn_from(attempt, Remote("r", created_at=1_700_000_000_000.0))
        assert run.facts(attempt.model).is_untimed
    assert run.window_start(attempt.model) is None


def test_an_orphaned_job_is_never_submitted_again(run):
    planned = run.queue.take()
    before = len(run.queue)
    with run.store.transaction():
        attempt = run.store.intend(planned.job, run.wall(), None, "USD")
        flight = Flight(attempt, Phase.UNKNOWN, run.now(), None)
        run.flights.add(flight)
        run.store.withdraw(attempt)
        run.again(flight)
    assert len(run.queue) == before


def test_uploads_leave_room_for_polls(run):
    submitting = Submitting(run, Polling(run))
    submitting._paged.add(run.plan.manifest.models[0])
    run.calls = MOST_POSTS
    submitting.intend()
    assert (len(run.flights), submitting.due) == (0, float("inf"))
    assert run.asks.due(run.calls) < run.now()
    run.calls = MOST_POSTS - 1
    with run.store.transaction():
        submitting.intend()
    assert len(run.flights) == 1


class Exhausted(Inline):
    """Starts only so many calls: then the system gives no further thread."""

    left = 3

    def submit(self, fn, /, *args, **kwargs):
        if not self.left:
            raise RuntimeError("can't start new thread")
        self.left -= 1
        return super().submit(fn, *args, **kwargs)


def test_no_more_threads_end_the_run_and_buy_nothing_twice(tmp_path, monkeypatch):
    made = bench(tmp_path, monkeypatch, pictures=4)
    made.executor = Exhausted()
    report = made.run()
    assert isinstance(report.error, DiskError)
    assert "can't start new thread" in report.error.message
    made.executor = Inline()
    made.again()
    assert made.run().error is None
    assert made.totals() == {"succeeded": 4}
    assert len(made.world.requests) == 4
