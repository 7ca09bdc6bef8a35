"""Open attempts in memory, and when each is due."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.flights import Flight, Flights, Phase
from tests.kit import make_attempt


def flight(number, phase=Phase.WAITING, **values):
    return Flight(make_attempt(number, request_id=f"r-{number}", **values), phase, 0.0)


def test_what_counts_as_unfinished_at_the_service():
    flights = Flights()
    for number, phase in enumerate(Phase):
        flights.add(flight(number, phase))
    assert len(flights) == len(Phase)
    assert flights.at_service() == len(Phase) - 2, "all but those that are finished and only to be fetched"
    assert flights.is_busy()


def test_what_is_left_for_the_next_run_keeps_no_run_going():
    flights = Flights()
    flights.add(flight(1, Phase.LEFT))
    assert not flights.is_busy()
    assert flights.at_service() == 1
    assert flights.statuses() == {}


def test_statuses_are_the_services_words_while_it_works():
    flights = Flights()
    flights.add(flight(1, Phase.WAITING, remote_status="processing"))
    flights.add(flight(2, Phase.ASKING, remote_status="processing"))
    flights.add(flight(3, Phase.WAITING))
    flights.add(flight(4, Phase.POSTING))
    flights.add(flight(5, Phase.FETCHING, remote_status="success"))
    assert flights.statuses() == {"processing": 2, "accepted": 1, "submitting": 1, "downloading": 1}


def test_phases_are_found_and_flights_removed():
    flights = Flights()
    one, two = flight(1, Phase.LOST), flight(2, Phase.READY)
    flights.add(one)
    flights.add(two)
    assert flights.in_phase(Phase.LOST) == [one]
    assert flights.in_phase(Phase.READY) == [two]
    assert flights.count(Phase.LOST, Phase.READY) == 2
    flights.remove(one)
    assert list(flights) == [two]
    assert flights.in_phase(Phase.LOST) == []


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from([*Phase, "remove"]), st.sampled_from(["queued", "x"]))))
def test_what_is_counted_as_it_changes_is_what_counting_would_give(steps):
    flights = Flights()
    for number, to, word in steps:
        known = next((each for each in flights if each.attempt.number == number), None)
        if to == "remove":
            if known is not None:
                flights.remove(known)
        elif known is None:
            flights.add(flight(number, to, remote_status=word))
        else:
            known.attempt = replace(known.attempt, remote_status=word)
            flights.move(known, to)
        for phase in Phase:
            assert flights.in_phase(phase) == sorted(
                (each for each in flights if each.phase is phase), key=flights.in_phase(phase).index
            )
        assert sum(map(flights.count, Phase)) == len(flights)
        assert flights.statuses() == Counter(each.status for each in flights if each.phase is not Phase.LEFT)
        assert flights.at_service() == sum(each.phase not in (Phase.READY, Phase.FETCHING) for each in flights)
        assert flights.is_busy() == any(each.phase is not Phase.LEFT for each in flights)


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["poll", "ask", "remove"]), st.floats(0, 100))))
def test_polls_come_in_the_order_in_which_they_are_due(steps):
    """Whatever was put off, asked for or removed meanwhile: the next poll is the earliest that still counts."""
    flights, all_flights, gone = Flights(), {number: flight(number) for number in range(1, 6)}, set()
    for each in all_flights.values():
        flights.add(each)
        flights.poll_at(each, 0.0)
    due = dict.fromkeys(all_flights, 0.0)
    for number, kind, at in steps:
        if number in gone:
            continue
        if kind == "poll":
            flights.poll_at(all_flights[number], at)
            due[number] = at
        elif kind == "ask":
            flights.move(all_flights[number], Phase.ASKING)
            due.pop(number, None)
        else:
            flights.remove(all_flights[number])
            due.pop(number, None)
            gone.add(number)
        assert flights.next_due() == min(due.values(), default=None)
    order = []
    while (next_due := flights.next_due()) is not None:
        popped = flights.pop_due()
        assert popped.due == next_due
        flights.move(popped, Phase.ASKING)
        order.append(next_due)
    assert order == sorted(due.values())
