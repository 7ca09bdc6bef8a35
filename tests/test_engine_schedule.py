"""When each flight is asked for, and what is kept of how long requests took."""

import random
from bisect import bisect_right
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.flights import Flight, Flights, Phase
from runner.engine.schedule import Schedule
from tests.bench import simulation
from tests.bench.simulation import Scenario, log_normal, simulate
from tests.kit import make_attempt

WAIT = 1800.0


class Memory:
    """What the state keeps."""

    def __init__(self, learned=()):
        self.ages = list(learned)

    def learn(self, attempt, age):
        self.ages.append(age)

    def learned(self, model, seconds):
        return list(self.ages)


class Ground:
    """A schedule with the flights that it plans."""

    def __init__(self, learned=()):
        self.flights, self.memory = Flights(), Memory(learned)
        self.schedule = Schedule(self.flights, self.memory, WAIT)

    def accepted(self, number, at):
        flight = Flight(make_attempt(number, intended_at=at - 1.0, accepted_at=at), Phase.POSTING, at)
        self.flights.add(flight)
        self.schedule.join(flight, at)
        return flight

    def unfinished(self, flight, status, now):
        self.flights.move(flight, Phase.ASKING)
        self.schedule.unfinished(flight, status, now)

    def ended(self, flight, now):
        self.flights.move(flight, Phase.ASKING)
        self.schedule.ended(flight, now)
        self.schedule.leave(flight, now)
        self.flights.remove(flight)


def minutes(count=60):
    """Requests that took about two minutes."""
    drawn = random.Random(1)
    return [drawn.uniform(80.0, 160.0) for _ in range(count)]


def in_line(ground):
    """Four requests of which the service works on the first, and calls the others queued."""
    flights = [ground.accepted(number, 0.0) for number in range(4)]
    ground.unfinished(flights[0], "processing", 60.0)
    for each in flights[1:]:
        ground.unfinished(each, "queued", 60.0)
    return flights


def test_what_earlier_runs_saw_tells_when_the_first_poll_is_worth_it():
    cold, warm = Ground(), Ground(minutes())
    assert cold.accepted(1, 0.0).due <= 1.0
    assert 60.0 < warm.accepted(1, 0.0).due < 90.0


@pytest.mark.parametrize("learned", [(), minutes()], ids=["unknown", "known"])
def test_polls_become_rare_with_age(learned):
    ground = Ground(learned)
    flight = ground.accepted(1, 0.0)
    ages = []
    while flight.due < 1000.0:
        ages.append(flight.due)
        ground.unfinished(flight, "processing", flight.due)
    pauses = [later - earlier for earlier, later in pairwise(ages)]
    assert pauses == sorted(pauses)
    assert len(ages) < 60
    assert pauses[-1] > 40.0


def test_the_more_are_in_flight_of_what_is_not_known_the_rarer_each_is_asked_for():
    def pause(others):
        ground = Ground()
        flight, *_ = (ground.accepted(number, 0.0) for number in range(1 + others))
        ground.unfinished(flight, "processing", 100.0)
        return flight.due - 100.0

    assert pause(0) < 20.0 < pause(10) < pause(1000) <= 100.0


def test_what_is_seen_is_kept_once():
    ground = Ground()
    flight = ground.accepted(1, 100.0)
    ground.unfinished(flight, "processing", 160.0)
    ground.flights.move(flight, Phase.ASKING)
    ground.schedule.ended(flight, 170.0)
    ground.schedule.ended(flight, 500.0)
    assert ground.memory.ages == [70.0]


def test_one_of_an_earlier_run_is_asked_for_at_once_and_nothing_is_learned_of_it():
    ground = Ground(minutes())
    flights = [Flight(make_attempt(number, accepted_at=0.0), Phase.UNKNOWN, 9000.0) for number in (1, 2)]
    for each in flights:
        ground.flights.add(each)
        ground.schedule.join(each, 9000.0)
        assert each.due == 9000.0
    ground.ended(flights[0], 9001.0)
    ground.unfinished(flights[1], "processing", 9001.0)
    ground.ended(flights[1], 9100.0)
    assert ground.memory.ages == minutes()


def test_those_that_wait_are_asked_for_when_they_can_be_done():
    ground = Ground(minutes())
    first, second, third, _ = in_line(ground)
    late = ground.accepted(9, 70.0)
    assert second.due < 80.0 < third.due, "the first of them tells whether others move the line"
    assert min(third.due, late.due) > 200.0
    ground.ended(first, 120.0)
    assert 180.0 < second.due < 220.0, "it is presumed to have begun"
    assert third.due > 200.0


def test_where_one_that_waits_was_begun_the_next_is_asked_for_at_once():
    ground = Ground(minutes())
    _, second, third, fourth = in_line(ground)
    ground.unfinished(second, "processing", 75.0)
    assert third.due == 75.0
    assert second.due > 130.0
    ground.unfinished(third, "queued", 75.0)
    assert 75.0 < third.due < 90.0 < fourth.due


def test_one_that_was_presumed_to_have_begun_is_the_first_that_waits_again():
    ground = Ground(minutes())
    first, second, third, _ = in_line(ground)
    ground.ended(first, 120.0)
    ground.unfinished(second, "queued", 190.0)
    assert second.due < 205.0 < third.due
    assert second.started is None


def test_where_the_first_is_never_begun_the_others_are_asked_for_all_the_same():
    ground = Ground(minutes())
    _, *others = in_line(ground)
    assert max(each.due for each in others) < 300.0


def test_where_an_end_is_the_first_word_but_queued_all_that_wait_are_asked_for():
    """Some services call queued whatever is not finished."""
    ground = Ground()
    flights = [ground.accepted(number, 0.0) for number in range(4)]
    for each in flights:
        ground.unfinished(each, "queued", 1.0)
    ground.ended(flights[1], 100.0)
    assert {each.due for each in (flights[0], *flights[2:])} == {100.0}
    ground.unfinished(flights[0], "queued", 100.0)
    assert flights[0].due < 150.0
    ground.unfinished(flights[2], "queued", 100.0)
    assert flights[2].due < 150.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["join", "queued", "processing", "ended", "leave"]),
            st.integers(0, 5),
            st.floats(0.0, 300.0),
        ),
        max_size=50,
    ),
    st.booleans(),
)
def test_over_any_sequence_all_that_is_open_is_due_within_its_wait(events, is_warm):
    ground, open_flights, now = Ground(minutes() if is_warm else ()), {}, 1000.0
    for word, number, later in events:
        now += later
        flight = open_flights.get(number)
        if word == "join":
            if flight is None:
                open_flights[number] = ground.accepted(number, now)
        elif flight is None:
            continue
        elif word in ("queued", "processing"):
            ground.unfinished(flight, word, now)
        elif word == "ended":
            ground.ended(open_flights.pop(number), now)
        else:
            ground.schedule.leave(open_flights.pop(number), now)
            ground.flights.remove(flight)
        assert len(ground.flights) == len(open_flights)
        for each in open_flights.values():
            assert each.phase is Phase.WAITING
            assert each.due <= max(each.since + WAIT, now)
    assert (ground.flights.next_due() == float("inf")) == (not open_flights)


def small(**changes):
    return replace(Scenario(log_normal(120.0), jobs=48, slots=8, concurrency=16), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tells": lambda status: "queued" if status == "processing" else status},
        {"tells": lambda status: {"queued": "in line", "processing": "at work"}.get(status, status)},
        {"others": 24},
        {"times": simulation.mixed(10.0, 200.0)},
        {"times": simulation.shifted(120.0, 3.0, 24)},
    ],
    ids=["plain", "never processing", "words of its own", "others before us", "mixed", "slower"],
)
def test_a_simulated_batch_is_done_and_nothing_is_asked_for_that_is(changes, tmp_path, monkeypatch):
    told, original = set(), simulation.Simulated.get

    def get(self, request_id):
        assert request_id not in told, "it was told to be done"
        answer = original(self, request_id)
        if answer.remote.is_final:
            told.add(request_id)
        return answer

    monkeypatch.setattr(simulation.Simulated, "get", get)
    figures = simulate(small(**changes), 1, tmp_path)
    assert len(told) == 48
    assert figures.polls < 25
    assert figures.lag < 60.0


def test_the_next_run_goes_by_what_this_one_saw(tmp_path):
    """The figures are those of a simulated clock: the same on every machine."""
    first = simulate(small(), 1, tmp_path / "first")
    second = simulate(small(runs_before=1), 1, tmp_path / "second")
    assert second.polls < 0.8 * first.polls
    assert second.lag < 1.2 * first.lag


def test_hundreds_that_may_end_together_do_not_flood_the_service(tmp_path, monkeypatch):
    """However many polls are due, a second never sees more than 250 of them, and a quarter as a burst."""
    at, original = [], simulation.Simulated.get

    def get(self, request_id):
        at.append(self._clock.now())
        return original(self, request_id)

    monkeypatch.setattr(simulation.Simulated, "get", get)
    simulate(Scenario(log_normal(5.0, 0.02), jobs=400, slots=400, concurrency=400), 1, tmp_path)
    assert max(bisect_right(at, each + 1.0) - place for place, each in enumerate(at)) <= 313
