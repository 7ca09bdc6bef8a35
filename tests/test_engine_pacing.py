"""How fast to go: pauses, polls, the window and the gate, over any sequence of answers."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.lifetimes import Lifetimes
from runner.engine.pacing import Gate, Window, backoff, next_poll

SEEDS = st.integers().map(random.Random)
SPANS = st.tuples(st.floats(0.0, 5000.0), st.floats(0.0, 5000.0)).map(sorted)
SEEN = st.lists(st.tuples(st.sampled_from(["went on", "ended"]), SPANS), max_size=30)


def taught(seen):
    lifetimes = Lifetimes()
    for kind, (since, until) in seen:
        (lifetimes.went_on if kind == "went on" else lifetimes.ended)(since, until)
    return lifetimes


@given(st.integers(0, 10_000), SEEDS)
def test_a_pause_is_jittered_over_all_of_an_exponential_range(tries, randomness):
    assert 0 <= backoff(tries, randomness) <= min(60.0, 2.0 ** min(tries, 10))


def test_pauses_grow_on_the_whole():
    def mean(tries):
        return sum(backoff(tries, random.Random(seed)) for seed in range(400)) / 400

    assert mean(0) < mean(2) < mean(4) < mean(6) <= 60


@given(SEEN, st.floats(0.0, 20_000.0), st.floats(1.0, 50.0))
def test_a_poll_comes_later_and_not_for_ever(seen, age, dearness):
    lifetimes = taught(seen)
    due = next_poll(lifetimes, age, dearness)
    assert age < due < float("inf")


@given(SEEN, st.floats(0.0, 5000.0), st.floats(0.0, 1.0))
def test_what_was_seen_to_go_on_for_longer_is_asked_for_no_sooner(seen, age, more):
    lifetimes = taught(seen)
    assert next_poll(lifetimes, age) <= next_poll(lifetimes, age * (1.0 + more)) * (1.0 + 1e-9)


@given(SEEN, st.floats(0.0, 5000.0), st.floats(1.0, 50.0))
def test_where_lag_counts_more_it_is_asked_for_sooner(seen, age, dearness):
    lifetimes = taught(seen)
    assert next_poll(lifetimes, age, dearness) <= next_poll(lifetimes, age) * (1.0 + 1e-9)


@given(SEEN, st.floats(0.0, 5000.0), st.tuples(st.floats(0.0, 5000.0), st.floats(0.0, 5000.0)).map(sorted))
def test_what_goes_on_puts_polls_off(seen, age, span):
    lifetimes = taught(seen)
    before = next_poll(lifetimes, age)
    lifetimes.went_on(*span)
    assert next_poll(lifetimes, age) >= before * (1.0 - 1e-9)


def test_a_cold_start_begins_short_and_grows_with_the_age():
    ages, age = [], 0.0
    while age < 600.0:
        age = next_poll(Lifetimes(), age)
        ages.append(age)
    assert ages[0] < 0.5
    assert len(ages) < 45
    assert all(0.05 < (later - earlier) / earlier < 0.4 for earlier, later in pairwise(ages) if earlier > 15.0)


def test_polls_come_where_the_ends_are():
    lifetimes = taught([("went on", (0.0, 100.0)), ("ended", (100.0, 104.0))] * 60)
    first = next_poll(lifetimes, 0.0)
    assert 60.0 < first < 104.0
    assert next_poll(lifetimes, 101.0) - 101.0 < (first - 0.0) / 4


def test_the_interval_is_that_of_the_formula():
    """With a hazard of h and a price of p, sqrt(2 p / h)."""

    class Constant(Lifetimes):
        mean = 1000.0

        def hazards(self, age):
            yield age + 1.0, 0.02
            yield float("inf"), 0.02

    assert next_poll(Constant(), 50.0) - 50.0 == pytest.approx((2.0 * 10.0 / 0.02) ** 0.5)
    assert next_poll(Constant(), 50.0, 4.0) - 50.0 == pytest.approx((2.0 * 2.5 / 0.02) ** 0.5)


@given(st.integers(1, 200), st.lists(st.tuples(st.booleans(), st.floats(0, 100), st.floats(0, 100))))
def test_a_window_is_never_wider_than_allowed_and_never_shut(most, steps):
    window, now = Window(most), 0.0
    for was_accepted, later, ago in steps:
        now += later
        before = window.size
        if was_accepted:
            window.accepted()
            assert window.size >= before
        else:
            window.refused(now, now - ago)
            assert window.size in (before, max(1.0, before / 2))
        assert 1 <= int(window.size) <= most


def test_a_volley_of_429_halves_once():
    window = Window(16)
    for number in range(16):
        window.refused(now=10.0 + number / 100, since=9.0)
    assert window.size == 8
    window.refused(now=12.0, since=11.0)
    assert window.size == 4


@given(st.integers(1, 64), st.integers(0, 12))
def test_a_window_finds_its_way_back(most, refusals):
    window = Window(most)
    for number in range(refusals):
        window.refused(float(number), float(number))
    for _ in range(most * most):
        window.accepted()
    assert window.size == most


def test_a_wait_that_doubles_from_round_to_round_halves_a_window_once():
    window = Window(64)
    window.waited(now=100.0, since=0.0, wait=50.0, work=10.0)
    assert window.size == 64, "there is nothing to compare the first one with"
    window.waited(now=101.0, since=99.0, wait=500.0, work=10.0)
    assert window.size == 64, "it was accepted in the round before"
    window.waited(now=300.0, since=101.0, wait=110.0, work=10.0)
    assert window.size == 32
    window.waited(now=500.0, since=301.0, wait=110.0, work=10.0)
    assert window.size == 32, "it has not grown since"


def test_a_wait_as_long_as_the_work_is_what_keeps_the_slots_full():
    window = Window(64)
    for now, wait in ((10.0, 0.0), (200.0, 120.0), (400.0, 230.0)):
        window.waited(now, now - 5.0, wait, work=120.0)
    assert window.size == 64


def test_a_gate_is_open_at_first_and_between_failures():
    gate = Gate(random.Random(1))
    assert gate.may_call(0.0, 1000)
    for _ in range(4):
        gate.failed(0.0)
    assert gate.may_call(0.0, 1000)
    assert not gate.is_stormy


def test_a_storm_shuts_it_then_one_call_probes_until_one_is_answered():
    gate = Gate(random.Random(1))
    for _ in range(5):
        gate.failed(100.0)
    assert gate.is_stormy
    later = gate.opens_at
    assert later > 100.0
    assert not gate.may_call(later - 0.001, 0)
    assert gate.may_call(later, 0)
    assert not gate.may_call(later, 1), "a probe is under way"
    gate.answered()
    assert gate.may_call(later, 1000)
    assert gate.silent_since is None


@given(
    SEEDS, st.lists(st.tuples(st.sampled_from(["answered", "failed", "pause"]), st.floats(0, 30), st.floats(0, 3600)))
)
def test_a_gate_over_any_sequence(randomness, steps):
    gate, now, failures, silent, wished = Gate(randomness), 0.0, 0, None, 0.0
    for kind, later, seconds in steps:
        now += later
        if kind == "answered":
            gate.answered()
            failures, silent = 0, None
        elif kind == "failed":
            gate.failed(now)
            failures, silent = failures + 1, now if silent is None else silent
        else:
            gate.pause(now, seconds)
            wished = max(wished, now + seconds)
        assert gate.silent_since == silent
        assert gate.is_stormy == (failures >= 5)
        assert gate.opens_at >= wished or not wished, "a wished pause is never cut short"
        assert gate.opens_at == float("-inf") or not gate.may_call(gate.opens_at - 1e-3, 0)
        assert gate.may_call(max(gate.opens_at, now), 0), "it always opens again"
        assert gate.may_call(max(gate.opens_at, now), 1) == (failures < 5)
        assert gate.opens_at <= max(wished, now + 60)
