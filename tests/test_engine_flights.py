"""Open attempts in memory, and when each is due."""

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
    one, two = flight(1, Phase.UNKNOWN), flight(2, Phase.READY)
    flights.add(one)
    flights.add(two)
    assert flights.in_phase(Phase.UNKNOWN) == [one]
    assert flights.in_phase(Phase.READY) == [two]
    assert flights.count(Phase.UNKNOWN, Phase.READY) == 2
    flights.remove(one)
    assert len(flights) == 1
    assert flights.in_phase(Phase.UNKNOWN) == []


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
        assert flights.next_due() == min(due.values(), default=float("inf"))
    order = []
    while (next_due := flights.next_due()) < float("inf"):
        popped = flights.pop_due()
        assert popped.due == next_due
        flights.move(popped, Phase.ASKING)
        order.append(next_due)
    assert order == sorted(due.values())
