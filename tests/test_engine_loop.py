"""The loop: any sequence of answers, interruptions and crashes; nothing is paid for twice, and nothing is lost."""

import sqlite3
import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.api.answer_classes import AnswerClass
from runner.engine import loop
from runner.engine.loop import check_budget, check_service
from runner.errors import BudgetError, DiskError, StateError, UsageError
from runner.model import Action
from runner.planning.plan import make_plan
from runner.planning.selection import Selection
from runner.state.store import Store
from tests.engines import Bench, accepted, answered, bench, lost, without_downloads


@pytest.fixture
def ground(tmp_path, monkeypatch):
    return lambda **keys: bench(tmp_path, monkeypatch, **keys)


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def killed(*, was_accepted):
    """The process ends while the POST is on its way."""

    def reaction(world, body):
        if was_accepted:
            world.take(body)
        world.is_killed = True
        return answered(AnswerClass.UNKNOWN)(world, body)

    return reaction


REACTIONS = {
    "accepted": accepted,
    "lost": lost(was_accepted=True),
    "lost before": lost(was_accepted=False),
    "killed": killed(was_accepted=True),
    "killed before": killed(was_accepted=False),
    "busy": answered(AnswerClass.BUSY, 429),
    "unsent": answered(AnswerClass.UNSENT),
    "denied": answered(AnswerClass.DENIED, 401),
    "rejected": answered(AnswerClass.REJECTED, 400),
    "refused": answered(AnswerClass.REFUSED, 413),
    "general": answered(AnswerClass.REFUSED, 402),
    "changed": answered(AnswerClass.CHANGED),
}


def run_until_killed(place: Bench) -> None:
    """One command; where the script says so, it ends without another word before the answer is taken in."""
    place.world.is_killed = False
    original = place.clock.wait

    def wait(inbox, timeout):
        if place.world.is_killed:
            raise Killed
        return original(inbox, timeout)

    place.clock.wait = wait
    try:
        place.run()
    except Killed:
        pass
    finally:
        place.clock.wait = original
    place.again()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    script=st.lists(st.sampled_from(sorted(REACTIONS)), max_size=14),
    takes=st.integers(1, 3),
    lag=st.sampled_from([0.0, 5.0, 50.0]),
    skew=st.sampled_from([0.0, -4000.0, 3.7]),
    hides=st.booleans(),
    concurrency=st.sampled_from([1, 2, 16]),
)
def test_over_any_sequence_of_answers_and_kills(tmp_path_factory, script, takes, lag, skew, hides, concurrency):
    place = bench(tmp_path_factory.mktemp("run"), pictures=3, takes=takes, run={"concurrency": concurrency})
    world = place.world
    world.lag, world.skew, world.hides = lag, skew, hides
    world.script.extend(REACTIONS[name] for name in script)
    with pytest.MonkeyPatch.context() as patch:
        without_downloads(patch)
        for _ in range(len(script) + 2):
            run_until_killed(place)
        # What can be told apart again is cleared up, and what failed is bought again on demand.
        world.hides = False
        world.script.clear()
        for _ in range(3):
            place.run(Selection(retry_failed=True, retry_rejected=True))
            place.again()
    jobs = 3 * takes
    assert place.totals() == {"succeeded": jobs}
    assert len(world.requests) == jobs, "each job was accepted once, and every accepted one was attached"
    with place.store() as store:
        assert len({each.request_id for each in store.records()}) == jobs
        sent = {each.request_id: each.payload["image"] for each in world.requests}
        assert all(sent[each.request_id] == each.payload["image"] for each in store.records())
        # Refusals that stand in the state as failed count as spent, too.
        assert store.spent(place.manifest.budget)[1] >= jobs


def test_an_intent_is_on_disk_before_its_post(ground):
    place = ground(pictures=4)
    seen = []

    def look(world, body):
        with sqlite3.connect(place.manifest.output.state) as other:
            seen.append(other.execute("SELECT count(*) FROM attempts WHERE request_id IS NULL").fetchone()[0])
        other.close()
        return accepted(world, body)

    place.world.always = look
    place.run()
    assert seen == [1, 3, 3, 3]


@pytest.mark.parametrize("method", ["accept", "conclude", "observe", "keep", "lose", "intend"])
def test_trouble_with_the_state_in_the_middle_of_a_turn_loses_nothing(ground, monkeypatch, method):
    place = ground(pictures=4)
    if method == "lose":
        place.world.script.extend([lost(was_accepted=True)])
    original, left = getattr(Store, method), [2 if method != "lose" else 0]

    def fails(self, *arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            raise DiskError("database or disk is full", "make room")
        return original(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Store, method, fails)
        with pytest.raises(DiskError):
            place.run()
    place.again()
    place.run()
    assert place.totals() == {"succeeded": 4}
    assert len(place.world.requests) == 4


def test_downloads_are_told_to_stop_however_a_run_ends(ground, monkeypatch):
    place = ground()
    monkeypatch.setattr(Store, "accept", lambda *_, **__: (_ for _ in ()).throw(DiskError("full", "")))
    with place.engine() as (engine, _):
        with pytest.raises(DiskError):
            engine.run()
        assert engine._run.stop.is_set()


def test_an_interruption_before_the_posts_of_written_intents_sends_none_of_them(ground):
    place = ground(pictures=5)
    with place.engine() as (engine, store):
        intend = engine._submitting.intend

        def interrupted_meanwhile():
            intend()
            if len(engine._submitting._intended) > 1:
                engine.interrupt()

        engine._submitting.intend = interrupted_meanwhile
        report = engine.run()
        assert report.interrupted
        assert len(place.world.posts) == 1
        assert len(store.open_attempts()) == 1
    place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 5}, 5)


@pytest.mark.parametrize("after", [1, 3])
def test_after_an_interruption_from_another_thread_nothing_is_submitted(ground, after):
    place = ground(pictures=8, run={"concurrency": 4})
    place.in_real_time(4)
    on_disk = []
    with place.engine() as (engine, _), place.executor:

        def react(world, body):
            told = accepted(world, body)
            if len(world.requests) == after:
                engine.interrupt()
                on_disk.append(len(intents(place)))
            return told

        place.world.always = react
        report = engine.run()
    assert report.interrupted
    assert len(place.world.posts) <= on_disk[0], "only what was on disk already, and so on its way"
    with place.store() as store:
        kept = {each.request_id for each in store.records()}
    assert kept >= {each.request_id for each in place.world.requests}, "open calls were waited for"
    place.in_real_time(4)
    with place.executor:
        place.world.always = accepted
        place.run()
    assert (place.totals(), len(place.world.requests)) == ({"succeeded": 8}, 8)


def intents(place):
    connection = sqlite3.connect(place.manifest.output.state)
    try:
        return connection.execute("SELECT number FROM attempts").fetchall()
    finally:
        connection.close()


def test_an_interrupted_run_waits_for_open_calls_no_longer_than_it_says(ground, monkeypatch):
    """The POST hangs for ever; its intent stays, and is looked for by the next run."""
    monkeypatch.setattr(loop, "DRAIN", 0.2)
    place = ground()
    release, running = threading.Event(), threading.Event()

    def hang(world, body):
        world.take(body)
        running.set()
        release.wait(30)
        return answered(AnswerClass.UNKNOWN)(world, body)

    place.world.always = hang
    place.in_real_time(2)
    with place.engine() as (engine, store):
        threading.Thread(target=lambda: (running.wait(30), engine.interrupt()), daemon=True).start()
        report = engine.run()
        assert report.interrupted
        assert [each.request_id for each in store.open_attempts()] == [None]
    release.set()
    place.executor.shutdown()


def test_a_run_that_waits_does_not_turn_in_circles(ground):
    """Takes that are held, calls at their limit, storms: turns are counted, none of them may be a busy loop."""
    place = ground(pictures=2, takes=3, run={"settle": 300, "wait": 3000})
    place.world.script.extend([accepted, lost(was_accepted=False)])
    began = place.clock.time
    place.run()
    took = place.clock.time - began
    assert took >= 300
    assert place.clock.turns < 3 * took
    assert place.totals() == {"succeeded": 6}


def test_a_storm_is_no_busy_loop_either(ground):
    place = ground(pictures=20, run={"settle": 300, "wait": 3000})
    place.world.script.extend([lost(was_accepted=False)] * 7)
    began = place.clock.time
    place.run()
    assert place.clock.turns < 3 * (place.clock.time - began)
    assert place.totals() == {"succeeded": 20}


# Before a run


def test_a_state_belongs_to_one_service_and_one_organisation(tmp_path):
    with Store.open(tmp_path / "state.sqlite") as store, store.transaction():
        check_service(store, "https://a.example:443", None)
        check_service(store, "https://a.example:443", "org-1")
        check_service(store, "https://a.example:443", "org-1")
        check_service(store, "https://a.example:443", None)
        with pytest.raises(StateError, match="service"):
            check_service(store, "sandbox", "org-1")
        with pytest.raises(StateError, match="organisation"):
            check_service(store, "https://a.example:443", "org-2")


@pytest.mark.parametrize(("most", "fits"), [("0.75", True), ("0.74", False), ("10", True)])
def test_a_budget_covers_what_is_spent_and_what_would_be(ground, most, fits):
    place = ground(pictures=3, budget={"price_per_job": 0.25, "max_cost": float(most)})
    plan = make_plan(place.manifest)
    if fits:
        check_budget(plan)
        return
    with pytest.raises(BudgetError, match=r"3 submissions for \$0\.75"):
        check_budget(plan)


def test_what_is_lost_counts_as_spent_until_it_is_surely_absent(ground):
    place = ground(pictures=2, budget={"price_per_job": 1, "max_cost": 2}, run={"wait": 60})
    place.world.script.extend([accepted, lost(was_accepted=False)])
    place.world.lists.extend([lambda told: told.__class__(AnswerClass.UNKNOWN, message="broken")] * 1000)
    place.run()
    with place.store() as store:
        assert store.spent(place.manifest.budget) == (Decimal(2), 2)
        plan = make_plan(place.manifest, store, Selection(resubmit_unknown=True))
    assert plan.totals[Action.SUBMIT] == 1
    with pytest.raises(BudgetError):
        check_budget(plan)
    place.world.lists.clear()
    place.run()
    assert place.totals() == {"succeeded": 2}
    assert place.snapshots[-1].spent == 2


def test_a_limit_without_a_price_sends_nothing(ground):
    plan = make_plan(ground(pictures=3, budget={"max_cost": 5}).manifest)
    with pytest.raises(BudgetError, match=r"the price of 3 submissions is not known, and the budget is \$5\.00"):
        check_budget(plan)


def test_a_budget_is_exact_to_a_billionth(ground):
    place = ground(pictures=3, budget={"price_per_job": 0.000000001, "max_cost": 0.000000002})
    with pytest.raises(BudgetError, match=r"3 submissions for \$0\.000000003 .* over the budget of \$0\.000000002"):
        check_budget(make_plan(place.manifest))
    place.manifest = replace(place.manifest, budget=replace(place.manifest.budget, max_cost=Decimal("0.000000003")))
    check_budget(make_plan(place.manifest))
    place.run()
    with place.store() as store:
        assert store.spent(place.manifest.budget) == (Decimal("0.000000003"), 3)


def test_the_sum_of_the_dearest_fits(ground):
    place = ground(budget={"price_per_job": 1_000_000})
    place.run()
    with place.store() as store:
        with store.transaction():
            store.write(
                "INSERT INTO attempts (job_id, price, currency, intended_at, outcome) WITH RECURSIVE n(i) AS"
                " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
                " SELECT job_id, price + 1, currency, intended_at, 'failed' FROM attempts, n"
            )
        spent, number = store.spent(place.manifest.budget)
    assert (spent, number) == (Decimal("20001000000.000020000"), 20_001)


def test_another_currency_than_before_is_refused(ground):
    place = ground(budget={"price_per_job": 1, "currency": "EUR"})
    place.run()
    in_dollars = replace(place.manifest, budget=replace(place.manifest.budget, currency="USD"))
    with place.store() as store:
        with pytest.raises(UsageError, match=r"budget\.currency is USD, and .*state\.sqlite counts .* in EUR"):
            make_plan(in_dollars, store)
        assert make_plan(place.manifest, store).spent == 1
