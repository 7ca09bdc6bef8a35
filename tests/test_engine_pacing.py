"""How fast to go: pauses, the window and the gate, over any sequence of answers."""

import random

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.pacing import Gate, Window, backoff

SEEDS = st.integers().map(random.Random)


@given(st.integers(0, 10_000), SEEDS)
def test_a_pause_is_jittered_over_all_of_an_exponential_range(tries, randomness):
    assert 0 <= backoff(tries, randomness) <= min(60.0, 2.0 ** min(tries, 10))


def test_pauses_grow_on_the_whole():
    def mean(tries):
        return sum(backoff(tries, random.Random(seed)) for seed in range(400)) / 400

    assert mean(0) < mean(2) < mean(4) < mean(6) <= 60


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


def test_a_gate_is_open_at_first_and_between_failures():
    gate = Gate(random.Random(1), 10)
    for _ in range(4):
        assert gate.due(9) == float("-inf")
        gate.failed(0.0)
    assert gate.due(9) == float("-inf")


def test_no_call_can_start_before_another_one_ends_where_there_are_as_many_as_may_be():
    assert Gate(random.Random(1), 10).due(10) == float("inf")


def test_a_storm_shuts_it_then_one_call_probes_until_one_is_answered():
    gate = Gate(random.Random(1), 1000)
    for _ in range(5):
        gate.failed(100.0)
    assert gate.is_stormy
    later = gate.due(0)
    assert 100.0 < later < 160.0
    assert gate.due(1) == float("inf"), "a probe is under way"
    gate.answered()
    assert gate.due(999) == later
    assert gate.silent_since is None


@given(
    SEEDS, st.lists(st.tuples(st.sampled_from(["answered", "failed", "wished"]), st.floats(0, 30), st.floats(0, 3600)))
)
def test_a_gate_over_any_sequence(randomness, steps):
    gate, now, failures, silent, wished = Gate(randomness, 8), 0.0, 0, None, 0.0
    for kind, later, seconds in steps:
        now += later
        if kind == "answered":
            gate.answered()
            failures, silent = 0, None
        else:
            gate.failed(now, seconds if kind == "wished" else None)
            failures, silent = failures + 1, now if silent is None else silent
            wished = max(wished, now + seconds) if kind == "wished" else wished
        assert gate.silent_since == silent
        assert gate.is_stormy == (failures >= 5)
        assert gate.due(0) >= wished or not wished, "a wished pause is never cut short"
        assert gate.due(0) <= max(wished, now + 60), "it always opens again"
        assert gate.due(1) == (gate.due(0) if failures < 5 else float("inf"))
        assert gate.due(8) == float("inf")
