"""What the parts of the engine share during one run."""

from concurrent.futures import Future

import pytest

from runner.api.answers import Remote
from runner.engine.flights import Flight, Phase
from runner.engine.run import MOST_POSTS, result_of
from runner.engine.submitting import Submitting
from runner.errors import StateError
from tests.engines import bench


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
    assert run.is_ours, "nothing was recorded yet"
    with run.store.transaction():
        assert run.check_organisation(Remote("r", organisation=None))
        assert run.check_organisation(Remote("r", organisation="org-1"))
        assert run.store.note("organisation") == "org-1"
        assert run.check_organisation(Remote("r", organisation="org-1"))
        assert not run.check_organisation(Remote("r", organisation="org-2"))
    assert isinstance(run.error, StateError)


def test_in_the_next_run_the_organisation_must_show_again(tmp_path):
    place = bench(tmp_path)
    with place.engine() as (engine, store), store.transaction():
        engine._run.check_organisation(Remote("r", organisation="org-1"))
    with place.engine() as (engine, store):
        assert not engine._run.is_ours
        with store.transaction():
            engine._run.check_organisation(Remote("r", organisation="org-1"))
        assert engine._run.is_ours


def test_an_orphaned_job_is_never_submitted_again(run):
    planned = run.queue.take()
    before = len(run.queue)
    with run.store.transaction():
        attempt = run.store.intend(planned.job, run.now(), None, None, "USD")
        flight = Flight(attempt, Phase.LOST, run.now(), None)
        run.flights.add(flight)
        run.store.withdraw(attempt)
        run.again(flight)
    assert len(run.queue) == before


def test_uploads_leave_room_for_polls(run):
    submitting = Submitting(run)
    run.calls = MOST_POSTS
    submitting.intend()
    assert (len(run.flights), submitting.due) == (0, float("inf"))
    assert run.asks.due(run.calls) < run.now()
    run.calls = MOST_POSTS - 1
    with run.store.transaction():
        submitting.intend()
    assert len(run.flights) == 1
