"""The queue that clients are measured with: first come, first served, and a ledger that misses nothing."""

import heapq
import math
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.slots import Slots, ideal_makespan, ledger, service_times


class World:
    """Time that passes from one event to the next."""

    def __init__(self):
        self.time, self._events, self._order = 0.0, [], 0

    def now(self):
        return self.time

    def later(self, seconds, call):
        self._order += 1
        heapq.heappush(self._events, (self.time + seconds, self._order, call))

    def run(self):
        while self._events:
            self.time, _, call = heapq.heappop(self._events)
            call()


def queue(times, slots):
    world = World()
    return world, Slots(slots, iter(times), world.now, world.later)


TIMES = st.lists(st.floats(0.01, 10.0), min_size=1, max_size=40)


@given(TIMES, st.integers(1, 12))
def test_all_at_once_take_the_ideal_makespan(times, slots):
    world, made = queue(times, slots)
    for number in range(len(times)):
        made.submit(f"r-{number}", b"%d" % number)
    world.run()
    assert world.time == pytest.approx(ideal_makespan(times, slots))
    assert world.time >= max(max(times), sum(times) / slots) - 1e-9
    assert all(each.status == "success" for each in made.requests.values())
    assert made.most_unfinished == len(times)


@given(TIMES, st.integers(1, 5))
def test_who_comes_first_starts_first(times, slots):
    world, made = queue(times, slots)
    for number in range(len(times)):
        made.submit(f"r-{number}", b"")
    world.run()
    starts = [each.started for each in made.requests.values()]
    assert all(sooner <= later for sooner, later in pairwise(starts))


def test_a_request_is_queued_then_processing_then_a_success():
    world, made = queue([1.0, 1.0], 1)
    first, second = made.submit("a", b"a"), made.submit("b", b"b")
    assert (first.status, second.status) == ("processing", "queued")
    world.run()
    assert (first.completed, second.completed) == (1.0, 2.0)


def test_instant_requests_are_done_when_they_are_submitted():
    _, made = queue([0.0, 0.0], 1)
    assert [made.submit(name, b"").status for name in "ab"] == ["success", "success"]


def test_service_times_have_their_mean_and_are_the_same_for_a_seed():
    drawn = list(islice(service_times(2.0, 0.5, 1), 20_000))
    assert sum(drawn) / len(drawn) == pytest.approx(2.0, rel=0.02)
    assert drawn[:5] == list(islice(service_times(2.0, 0.5, 1), 5)) != list(islice(service_times(2.0, 0.5, 2), 5))
    assert list(islice(service_times(0.0, 0.5, 1), 3)) == [0.0, 0.0, 0.0]


def test_the_ledger_tells_makespan_lag_polls_and_what_came_twice():
    world, made = queue([1.0, 2.0, 2.0], 3)
    for name, document in (("a", b"1"), ("b", b"2"), ("c", b"2")):
        made.submit(name, document)
    world.run()
    for name, asked in (("a", 1.5), ("b", 3.0)):
        made.requests[name].asked, made.requests[name].delivered = asked, asked + 1.0
        made.requests[name].polls = 3
    told = ledger(made, 7, 4096, 0.25)
    assert (told.submitted, told.repeated, told.delivered) == (3, 1, 2)
    assert (told.makespan, told.ideal, told.polls, told.lag) == (4.0, 2.0, 2.0, 0.75)
    assert (told.most_unfinished, told.most_uploads, told.first_call) == (3, 7, 0.25)


def test_an_empty_ledger_is_one():
    _, made = queue([], 2)
    told = ledger(made, 0, 0, None)
    assert (told.submitted, told.delivered, told.makespan, told.ideal) == (0, 0, 0.0, 0.0)
    assert not any(math.isnan(each) for each in (told.polls, told.lag))
