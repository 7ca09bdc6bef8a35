"""How long requests take, learned from answers that show only that they have ended or not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.lifetimes import Lifetimes

AGES = st.floats(0.0, 20_000.0)
SPANS = st.tuples(AGES, AGES).map(sorted)
SEEN = st.lists(st.tuples(st.sampled_from(["went on", "ended"]), SPANS), max_size=40)


def taught(seen):
    lifetimes = Lifetimes()
    for kind, (since, until) in seen:
        (lifetimes.went_on if kind == "went on" else lifetimes.ended)(since, until)
    return lifetimes


def hazard(lifetimes, age):
    """The hazard at this age."""
    return next(lifetimes.hazards(age))[1]


@given(SEEN, AGES)
def test_whatever_was_seen_there_is_a_hazard_at_every_age_to_come(seen, age):
    steps = list(taught(seen).hazards(age))
    assert steps[0][0] > age
    assert [until for until, _ in steps] == sorted({until for until, _ in steps})
    assert steps[-1][0] == float("inf")
    assert all(0 < each < float("inf") for _, each in steps)


@given(st.floats(0.1, 5000.0))
def test_what_is_not_known_is_alike_on_all_scales(age):
    """Once an age has doubled, half of what reached it has ended."""
    assert 0.6 <= hazard(Lifetimes(), age) * age <= 1.3


def test_the_mean_is_that_of_the_ends():
    lifetimes = Lifetimes()
    assert lifetimes.mean is None
    lifetimes.went_on(0, 90)
    assert lifetimes.mean is None
    lifetimes.ended(90, 110)
    assert lifetimes.mean == pytest.approx(100)
    for _ in range(2000):
        lifetimes.ended(10, 30)
    assert lifetimes.mean == pytest.approx(20, rel=0.01)


@given(st.permutations([(0.0, 3.0), (2.0, 90.0), (0.5, 0.7), (60.0, 61.0), (0.0, 7000.0), (5.0, 5.0)]))
def test_the_order_in_which_requests_are_seen_to_go_on_does_not_matter(spans):
    one, other = taught([("went on", each) for each in spans]), taught([("went on", each) for each in sorted(spans)])
    assert [each for _, each in one.hazards(0.0)] == pytest.approx([each for _, each in other.hazards(0.0)])


@given(SPANS, st.floats(0.0, 1.0), SEEN)
def test_a_span_teaches_as_much_in_parts(span, share, before):
    (since, until), whole, parted = span, taught(before), taught(before)
    middle = since + share * (until - since)
    whole.went_on(since, until)
    parted.went_on(since, middle)
    parted.went_on(middle, until)
    assert [each for _, each in whole.hazards(0.0)] == pytest.approx([each for _, each in parted.hazards(0.0)])


@given(SEEN, SPANS)
def test_what_goes_on_is_less_likely_to_end_at_such_an_age(seen, span):
    lifetimes = taught(seen)
    before = [each for _, each in lifetimes.hazards(0.0)]
    lifetimes.went_on(*span)
    assert all(now <= then for now, then in zip((each for _, each in lifetimes.hazards(0.0)), before, strict=True))


@given(SEEN, SPANS)
def test_what_is_asked_for_counts_as_going_on_until_the_answer(seen, span):
    lifetimes, other = taught(seen), taught(seen)
    before = [each for _, each in lifetimes.hazards(0.0)]
    lifetimes.ask(*span)
    other.went_on(*span)
    assert [each for _, each in lifetimes.hazards(0.0)] == pytest.approx([each for _, each in other.hazards(0.0)])
    lifetimes.hear(*span)
    assert [each for _, each in lifetimes.hazards(0.0)] == pytest.approx(before)


def test_the_hazard_that_requests_have_is_found():
    """With a constant hazard of a twentieth a second, seen every second."""
    drawn, lifetimes = random.Random(3), Lifetimes()
    for _ in range(3000):
        age = 0.0
        while (ends_in := drawn.expovariate(0.05)) > 1.0:
            lifetimes.went_on(age, age + 1.0)
            age += 1.0
        assert ends_in <= 1.0
        lifetimes.ended(age, age + 1.0)
    for age in (5.0, 10.0, 20.0):
        assert hazard(lifetimes, age) == pytest.approx(0.05, rel=0.5)


def test_a_new_pace_is_followed():
    lifetimes = taught([("went on", (0, 100)), ("ended", (100, 110))] * 300)
    assert hazard(lifetimes, 101.0) > 10 * hazard(lifetimes, 30.0)
    for _ in range(300):
        lifetimes.went_on(0, 28)
        lifetimes.ended(28, 31)
    assert hazard(lifetimes, 30.0) > 1.0 / 30.0
    assert lifetimes.mean == pytest.approx(30, rel=0.4)


def test_two_kinds_in_one_leave_a_gap_between_them():
    lifetimes = taught([("ended", (4, 5)), ("went on", (0, 200)), ("ended", (200, 210))] * 100)
    assert hazard(lifetimes, 60.0) < hazard(lifetimes, 4.5) / 5
    assert hazard(lifetimes, 60.0) < hazard(lifetimes, 205.0) / 2
