"""The state file: real SQLite on a real disk."""

import sqlite3
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from runner.model import Artifact, AskedTake, Budget, ModelFacts, Standing, Status
from runner.state.store import Store
from tests import kit
from tests.kit import MODEL, make_attempt, make_job

VIDEO = Artifact("videos/a.mp4", "ab" * 32, 10, 5.0, 64, 36, 24.0, "h264")


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "state.sqlite") as opened:
        yield opened


def register(store, *jobs, digest=None):
    with store.transaction():
        kit.register(store, jobs, digest or repr(jobs))


def intend(store, job, at=1000.0, price=None):
    with store.transaction():
        return store.intend(job, at, price, "USD")


def test_a_job_from_plan_to_video(store):
    job = make_job()
    register(store, job)
    attempt = intend(store, job, price=Decimal("0.25"))
    assert [each.number for each in store.open_attempts()] == [attempt.number]
    with store.transaction():
        store.accept(attempt, "r-1", 1001.0, "queued")
    assert store.standing([job.id], Budget()) == {job.id: Standing(Status.WAITING, "queued", Decimal("0.25"))}
    with store.transaction():
        store.observe(attempt, "success")
        store.keep(job.id, "video", VIDEO)
        store.conclude(attempt, Status.SUCCEEDED, 1010.0)
    (record,) = store.records()
    assert (record.status, record.request_id, record.attempts, record.video) == ("succeeded", "r-1", 1, VIDEO)
    assert (record.submitted_at, record.finished_at, record.cost) == (1000.0, 1010.0, Decimal("0.25"))
    assert store.open_attempts() == []
    assert list(store.unfinished()) == []


def test_what_was_set_is_kept_for_each_manifest(store):
    assert store.last_set("a.yaml") == {}
    with store.transaction():
        store.remember_set("a.yaml", {"season": "winter", "size": 5})
        store.remember_set("../b.yaml", {})
    assert store.last_set("a.yaml") == {"season": "winter", "size": 5}
    assert store.note("set ../b.yaml") is None, "nothing was set, and nothing is to be forgotten"
    with store.transaction():
        store.remember_set("a.yaml", {})
    assert store.last_set("a.yaml") == {}


def test_two_open_attempts_of_a_job_are_impossible(store):
    job = make_job()
    register(store, job)
    intend(store, job)
    with pytest.raises(sqlite3.IntegrityError):
        intend(store, job)


def test_a_request_id_belongs_to_one_attempt(store):
    one, two = make_job(1), make_job(2)
    register(store, one, two)
    with store.transaction():
        store.accept(intend_inside(store, one), "r-1", 1.0)
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        store.accept(intend_inside(store, two), "r-1", 1.0)
    assert store.claimed(["r-1", "r-2"]) == {"r-1"}


def intend_inside(store, job):
    return store.intend(job, 1000.0, None, "USD")


def test_a_transaction_is_all_or_nothing(store):
    job = make_job()
    register(store, job)

    def fail():
        with store.transaction():
            intend_inside(store, job)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.open_attempts() == []


def test_a_withdrawn_intent_leaves_no_trace(store):
    job = make_job()
    register(store, job)
    attempt = intend(store, job, price=Decimal(1))
    with store.transaction():
        store.withdraw(attempt)
    assert store.spent(Budget()) == (Decimal(0), 0)
    assert store.standing([job.id], Budget()) == {job.id: Standing(Status.PENDING, None)}


def test_what_counts_as_spent(store):
    jobs = [make_job(number) for number in range(4)]
    register(store, *jobs)
    for job, outcome in zip(jobs, (None, Status.REJECTED, Status.FAILED, Status.UNKNOWN), strict=True):
        attempt = intend(store, job, price=Decimal("0.1"))
        if outcome:
            with store.transaction():
                store.conclude(attempt, outcome, 1.0)
    assert store.spent(Budget()) == (Decimal("0.3"), 3)


def test_attempts_without_a_price_count_at_todays(store):
    job = make_job()
    register(store, job)
    intend(store, job)
    assert store.spent(Budget()) == (Decimal(0), 1)
    assert store.spent(Budget(price_per_second=Decimal("0.1"))) == (Decimal("0.5"), 1)
    # Models may have prices of their own.
    own = {MODEL: Budget(price_per_second=Decimal("0.2")), "other": Budget(price_per_job=Decimal(9))}
    for budget, cost in ((Budget(models=own), "1"), (Budget(price_per_job=Decimal(7), models=own), "1")):
        assert store.spent(budget) == (Decimal(cost), 1)
        assert store.standing([job.id], budget)[job.id].spent == Decimal(cost)
    others = Budget(price_per_job=Decimal(7), models={"other": own["other"]})
    assert (store.spent(others)[0], store.standing([job.id], others)[job.id].spent) == (Decimal(7), Decimal(7))


def test_uploads_and_what_was_sent_of_them(store):
    with store.transaction():
        store.keep_upload("sha256:a", "service", "https://example.com/old", 1.0)
        store.keep_upload("sha256:a", "service", "https://example.com/new", 2.0)
        store.keep_upload("sha256:a", "s3://bucket", "https://example.com/other", 3.0)
    assert store.uploads("service") == {"sha256:a": ("https://example.com/new", 2.0)}
    job = make_job()
    register(store, job)
    with store.transaction():
        attempt = store.intend(job, 1.0, None, "USD", addresses={"sha256:a": "https://example.com/new"})
    assert attempt.addresses == {"sha256:a": "https://example.com/new"}
    assert [each.addresses for each in store.open_attempts()] == [attempt.addresses]
    with store.transaction():
        store.withdraw(attempt)
    assert store.scalar("SELECT count(*) FROM sent_addresses") == 0
    assert store.uploads("service")


def test_where_jobs_stand_does_not_depend_on_where_they_are_looked_for(store):
    jobs = [make_job(number) for number in range(5)]
    register(store, *jobs)
    intend(store, jobs[1])
    register(store, *jobs[::-1])
    ids = [job.id for job in jobs]
    found = store.standing(ids, Budget())
    assert [found[job_id].status for job_id in ids] == [Status.PENDING, Status.UNKNOWN] + [Status.PENDING] * 3
    for place in range(-2, 7):
        for part in (ids, ids[::-1], ids[1:3], [ids[4], "none", ids[0]]):
            told = store.standing(part, Budget(), place)
            assert {each: told.get(each) for each in part} == {each: found.get(each) for each in part}


def test_a_path_has_one_holder_and_a_job_without_files_takes_that_of_its_last_plan(store):
    one, two = make_job(1), replace(make_job(2), output="P0/PLAIN/N=1/TAKE-1")
    register(store, one, two)
    first, second = intend(store, one), intend(store, two)
    assert first.path == one.output
    assert second.path == f"{two.output}-{two.id[:8]}"
    with store.transaction():
        store.withdraw(second)
    elsewhere = intend(store, replace(two, output="elsewhere"))
    assert elsewhere.path == "elsewhere"
    with store.transaction():
        store.keep(two.id, "video", VIDEO)
        store.conclude(elsewhere, Status.SUCCEEDED, 1.0)
    assert intend(store, replace(two, output="third")).path == "elsewhere", "its file is there"


def test_a_spare_path_that_is_taken_is_left_for_a_longer_one(store):
    one, two = make_job(1), make_job(2)
    thief = replace(make_job(3), output=f"{one.output}-{two.id[:8]}")
    register(store, one, two, thief)
    intend(store, one)
    intend(store, thief)
    assert intend(store, replace(two, output=one.output)).path == f"{one.output}-{two.id}"


def test_orphans_stay_when_they_were_submitted(store):
    kept, gone, never = make_job(1), make_job(2), make_job(3)
    register(store, kept, gone, never)
    intend(store, gone)
    register(store, kept)
    assert [(record.id, record.orphaned) for record in store.records()] == [(kept.id, False), (gone.id, True)]
    assert store.totals()[Status.PENDING] == 1
    assert [record.id for record in store.unfinished()] == [kept.id, gone.id]


def test_a_plan_that_is_known_is_not_written_again(store):
    job = make_job()
    register(store, job, digest="d")
    before = store.scalar("SELECT total_changes()")
    register(store, job, digest="d")
    assert store.scalar("SELECT total_changes()") == before


def test_one_id_never_stands_for_two_requests(store):
    from dataclasses import replace

    job = make_job()
    register(store, job)
    with pytest.raises(sqlite3.IntegrityError, match="two requests share one job id"):
        register(store, replace(job, fingerprint="f" * 64))


def test_former_requests_are_found_by_key(store):
    old, new = make_job(1), make_job(1, cfg_scale=0.9)
    register(store, old)
    assert store.former([old.key]) == {}
    intend(store, old)
    register(store, new)
    ((job_id, _, payload),) = store.former([new.key, "other"]).values()
    assert job_id == old.id
    assert payload["cfg_scale"] == 0.5


def test_of_each_kind_the_latest_times_are_remembered_oldest_first(store):
    attempts = [make_attempt(number) for number in range(1, 301)]
    longer = replace(make_attempt(301), seconds=10.0)
    with store.transaction():
        for each in attempts:
            store.learn(each, float(each.number))
        store.learn(longer, 9.0)
    learned = store.learned(attempts[0].model, 5.0)
    assert learned == [float(number) for number in range(173, 301)]
    assert store.learned(longer.model, 10.0) == [9.0]
    assert store.learned("another", 5.0) == []


def test_a_kind_without_a_length_is_a_kind_of_its_own(store):
    still = replace(make_attempt(1), seconds=None)
    with store.transaction():
        store.learn(still, 2.0)
    assert store.learned(still.model, None) == [2.0]
    assert store.learned(still.model, 5.0) == []


def test_what_is_remembered_outlives_the_run(tmp_path, store):
    with store.transaction():
        store.learn(make_attempt(1), 2.0)
    store.close()
    with Store.open(tmp_path / "state.sqlite") as again:
        assert again.learned(make_attempt(1).model, 5.0) == [2.0]


def test_what_was_listed_before_an_intent_is_not_its_request(store):
    job = make_job(1)
    with store.transaction():
        kit.register(store, [job], "x")
        store.see(["r-0"])
        attempt = intend_inside(store, job)
        store.see(["r-0", "r-1"])
    assert store.seen(["r-0", "r-1", "r-2"]) == {"r-0": 0, "r-1": attempt.number}


def test_requests_of_a_model_from_a_time_of_the_service_on(store):
    jobs = [make_job(number) for number in range(4)]
    with store.transaction():
        kit.register(store, jobs, "x")
        for number, created in enumerate([100.0, 200.0, None]):
            store.accept(intend_inside(store, jobs[number]), f"r-{number}", 1.0, "queued", created)
    model = jobs[0].model
    assert store.accepted_since(model, None) == {"r-0": 100.0, "r-1": 200.0, "r-2": None}
    assert store.accepted_since(model, 150.0) == {"r-1": 200.0, "r-2": None}, "one without a time may be of any"
    assert store.accepted_since("other", None) == {}
    assert (store.last_created(model), store.last_created("other")) == (200.0, None)


def test_what_was_learned_of_a_model_is_kept(store):
    with store.transaction():
        store.learn_fact("m", "hidden", "image")
        store.learn_fact("m", "hidden", "image")
        store.learn_fact("m", "sync")
        store.learn_fact("other", "untimed")
    assert store.model_facts("m") == ModelFacts(is_sync=True, hidden=frozenset({"image"}))
    assert store.model_facts("other").is_untimed
    assert store.model_facts("none") == ModelFacts()


def test_the_first_look_is_kept_and_forgotten(store):
    job = make_job(1)
    with store.transaction():
        kit.register(store, [job], "x")
        store.look(intend_inside(store, job), "boot-1", 7.0, ("r-1",))
    (attempt,) = store.open_attempts()
    assert (attempt.looked_boot, attempt.looked_at, attempt.looked_failed) == ("boot-1", 7.0, ("r-1",))
    with store.transaction():
        store.look(attempt, "", None, ())
    assert store.open_attempts()[0].looked_at is None


class Attempts(RuleBasedStateMachine):
    """Any order of what can happen to jobs keeps the promises: one open attempt a job, one job a request id."""

    jobs = Bundle("jobs")
    intents = Bundle("intents")
    flying = Bundle("flying")

    def __init__(self):
        super().__init__()
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store.open(Path(self.folder.name) / "state.sqlite")
        self.store._connection.execute("PRAGMA synchronous = OFF")
        self.number = 0
        self.closed = {}

    @rule(target=jobs)
    def add(self):
        self.number += 1
        job = make_job(self.number)
        with self.store.transaction():
            kit.register(self.store, [*(make_job(n) for n in range(1, self.number)), job], str(self.number))
        return job

    @rule(target=intents, job=consumes(jobs))
    def intend(self, job):
        return job, intend(self.store, job, price=Decimal(1))

    @rule(target=flying, intent=consumes(intents))
    def accept(self, intent):
        with self.store.transaction():
            self.store.accept(intent[1], f"r-{intent[1].number}", 1.0, "queued")
        return intent

    @rule(target=jobs, intent=consumes(intents))
    def withdraw(self, intent):
        with self.store.transaction():
            self.store.withdraw(intent[1])
        return intent[0]

    @rule(intent=intents)
    def lose(self, intent):
        with self.store.transaction():
            self.store.lose(intent[1], 2.0, "lost")

    @rule(target=jobs, flight=consumes(flying), outcome=st.sampled_from([Status.FAILED, Status.UNKNOWN]))
    def conclude(self, flight, outcome):
        with self.store.transaction():
            self.store.conclude(flight[1], outcome, 3.0)
        self.closed[flight[1].number] = outcome
        return flight[0]

    @rule()
    def reopen(self):
        path = self.store._path
        self.store.close()
        self.store = Store.open(path)
        self.store._connection.execute("PRAGMA synchronous = OFF")

    @invariant()
    def status_agrees_with_attempts(self):
        opened = {each.job_id: each for each in self.store.open_attempts()}
        assert len(opened) == len(self.store.open_attempts())
        for record in self.store.records():
            attempt = opened.get(record.id)
            if attempt is None:
                assert record.status not in (Status.WAITING, Status.UNKNOWN)
            else:
                assert record.status is (Status.UNKNOWN if attempt.request_id is None else Status.WAITING)
        assert self.store.spent(Budget())[1] == len(opened) + len(self.closed)

    def teardown(self):
        self.store.close()
        self.folder.cleanup()


TestAttempts = Attempts.TestCase
TestAttempts.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)


def test_what_was_asked_for_stays_until_it_is_withdrawn(tmp_path):
    first, second = AskedTake("a" * 64, 1, 3, "ann"), AskedTake("a" * 64, 2, 4, "bob")
    with Store.open(tmp_path / "state.sqlite") as store:
        with store.transaction():
            for each in (second, first, AskedTake("a" * 64, 1, 9, "eve")):
                store.ask(each)
        assert store.asked() == [first, second], "one take asks for one"
        with store.transaction():
            store.withdraw_ask(AskedTake("a" * 64, 1, 9, "eve"))
            store.withdraw_ask(second)
        assert store.asked() == [first]


def test_the_retakes_that_were_submitted(tmp_path):
    jobs = [replace(make_job(1, take=take), is_retake=take > 1) for take in (1, 2, 3, 4)]
    with Store.open(tmp_path / "state.sqlite") as store, store.transaction():
        kit.register(store, jobs, "plan")
        for job in jobs[:3]:
            attempt = store.intend(job, 1.0, None, "USD")
        assert list(store.bought_takes(1)) == [(jobs[0].fingerprint, 2), (jobs[0].fingerprint, 3)]
        assert list(store.bought_takes(2)) == [(jobs[0].fingerprint, 3)]
        store.withdraw(attempt)
        assert list(store.bought_takes(2)) == []
