"""When each flight is asked for, and what is kept of how long requests took."""

import random
from bisect import bisect_right
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.flights import Flight, Flights, Phase
from runner.engine.pacing import Window
from runner.engine.queue import Queue
from runner.engine.schedule import Schedule
from tests.bench import simulation
from tests.bench.simulation import Scenario, log_normal, simulate
from tests.kit import make_attempt

WAIT = 1800.0


class Memory:
    """What the state keeps."""

    def __init__(self, learned=()):
        self.times = list(learned)

    def learn(self, attempt, since, until):
        self.times.append((since, until))

    def learned(self, model, seconds):
        return list(self.times)


class Ground:
    """A schedule with the flights that it plans."""

    def __init__(self, learned=()):
        self.flights, self.memory, self.depth = Flights(), Memory(learned), Window(64)
        self.schedule = Schedule(self.flights, Queue((), 0), self.memory, self.depth, WAIT)

    def accepted(self, number, at):
        flight = Flight(make_attempt(number, intended_at=at, accepted_at=at), Phase.POSTING, at, seen=at)
        self.flights.add(flight)
        self.schedule.join(flight, at)
        return flight

    def ask(self, flight, now):
        self.flights.move(flight, Phase.ASKING)
        self.schedule.ask(flight, now)

    def unfinished(self, flight, status, now):
        self.ask(flight, now)
        self.schedule.hear(flight)
        self.schedule.unfinished(flight, status, now)

    def ended(self, flight, now):
        self.ask(flight, now)
        self.schedule.hear(flight)
        self.schedule.ended(flight, now)
        self.flights.remove(flight)


def minutes(count=60):
    """Requests that took about two minutes."""
    drawn = random.Random(1)
    return [(each - 5.0, each + 5.0) for each in (drawn.uniform(80.0, 160.0) for _ in range(count))]


def test_what_earlier_runs_saw_tells_when_the_first_poll_is_worth_it():
    cold, warm = Ground(), Ground(minutes())
    assert cold.accepted(1, 0.0).due < 1.0
    assert 30.0 < warm.accepted(1, 0.0).due < 120.0


def test_what_is_seen_is_kept_once():
    ground = Ground()
    flight = ground.accepted(1, 100.0)
    ground.unfinished(flight, "processing", 160.0)
    ground.flights.move(flight, Phase.ASKING)
    ground.schedule.ended(flight, 170.0)
    ground.schedule.ended(flight, 500.0)
    assert ground.memory.times == [(60.0, 70.0)]


def test_one_of_an_earlier_run_is_asked_for_at_once_and_nothing_is_learned_of_the_time_between():
    ground = Ground(minutes())
    flight = Flight(make_attempt(1, accepted_at=0.0), Phase.LOST, 9000.0)
    ground.flights.add(flight)
    ground.schedule.join(flight, 9000.0)
    assert flight.due == 9000.0
    assert not ground.schedule.put_off(flight, 9000.0)
    before = len(ground.memory.times)
    ground.ended(flight, 9001.0)
    assert len(ground.memory.times) == before


def test_those_that_wait_are_asked_for_when_they_can_be_done():
    ground = Ground(minutes())
    flights = [ground.accepted(number, 0.0) for number in range(6)]
    ground.unfinished(flights[0], "processing", 60.0)
    ground.unfinished(flights[2], "queued", 61.0)
    assert flights[3].started is None
    assert ground.schedule.put_off(flights[3], 62.0)
    assert flights[3].due > 240.0
    ground.ended(flights[0], 120.0)
    assert flights[2].started == flights[3].started == 120.0
    assert 150.0 < flights[2].due < 260.0


def test_all_of_one_age_are_not_asked_for_at_once():
    ground = Ground()
    flights = [ground.accepted(number, 0.0) for number in range(200)]
    now = max(each.due for each in flights)
    asked = 0
    for each in flights:
        if not ground.schedule.put_off(each, now):
            ground.ask(each, now)
            asked += 1
    assert 1 <= asked < 30


def test_where_the_first_is_never_begun_with_the_others_are_asked_for_all_the_same():
    ground = Ground(minutes())
    flights = [ground.accepted(number, 0.0) for number in range(4)]
    ground.unfinished(flights[0], "queued", 60.0)
    latest = 0.0
    for each in flights[1:]:
        ground.schedule.put_off(each, 61.0)
        latest = max(latest, each.due)
    assert latest < 10 * 120.0


def test_the_last_ones_are_asked_for_more_often():
    def pause(others):
        ground = Ground(minutes())
        for number in range(200):
            ground.ended(ground.accepted(1000 + number, 0.0), 120.0)
        for number in range(2, 2 + others):
            ground.accepted(number, 1000.0)
        flight = ground.accepted(1, 1000.0)
        ground.unfinished(flight, "processing", 1100.0)
        return flight.due - 1100.0

    assert pause(others=0) < 0.6 * pause(others=199)


def test_a_wait_that_grows_narrows_the_window():
    ground = Ground(minutes())
    line = [ground.accepted(number, 0.0) for number in range(3)]
    ground.unfinished(line[0], "processing", 1.0)
    ground.unfinished(line[1], "queued", 2.0)
    late = ground.accepted(9, 10.0)
    for each, at in ((line[0], 600.0), (line[1], 1200.0), (line[2], 1800.0)):
        ground.ended(each, at)
    assert ground.depth.size == 64
    ground.ended(late, 1900.0)
    assert ground.depth.size == 32


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["join", "queued", "processing", "ended", "leave", "due"]),
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
        elif word == "leave":
            ground.schedule.leave(open_flights.pop(number), now)
            ground.flights.remove(flight)
        elif flight.due <= now and not ground.schedule.put_off(flight, now):
            ground.unfinished(flight, "processing", now)
        assert len(ground.flights) == len(open_flights)
        for each in open_flights.values():
            assert each.phase is Phase.WAITING
            assert each.due <= max(each.since + WAIT, now)
    assert (ground.flights.next_due() is None) == (not open_flights)


def small(**changes):
    return replace(Scenario(log_normal(120.0), jobs=48, slots=8, concurrency=16), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tells": lambda status: "queued" if status == "processing" else status},
        {"tells": lambda status: {"queued": "in line", "processing": "at work"}.get(status, status)},
        {"others": 24},
        {"skew": -4000.0},
        {"times": simulation.mixed(10.0, 200.0)},
        {"times": simulation.shifted(120.0, 3.0, 24)},
    ],
    ids=["plain", "never processing", "words of its own", "others before us", "another clock", "mixed", "slower"],
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
    simulate(Scenario(log_normal(5.0, 0.02), jobs=600, slots=600, concurrency=600), 1, tmp_path)
    assert max(bisect_right(at, each + 1.0) - place for place, each in enumerate(at)) <= 313
