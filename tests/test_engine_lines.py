"""The service's queue as far as it is ours, from what the service says of single requests."""

from hypothesis import given
from hypothesis import strategies as st

from runner.engine.flights import Flight, Phase
from runner.engine.lines import Line
from tests.kit import make_attempt


def flight(number, at=0.0, sent=0.0):
    return Flight(
        make_attempt(number, request_id=f"r-{number}", intended_at=sent, accepted_at=at), Phase.WAITING, at, seen=at
    )


def joined(count, at=0.0):
    """A line of so many that were sent at once."""
    line, flights = Line(), [flight(number, at) for number in range(count)]
    for each in flights:
        line.join(each, at)
    return line, flights


def working(line, flights):
    return [each.attempt.number for each in flights if line.is_working(each)]


def test_all_are_presumed_to_be_worked_on_until_one_is_called_queued():
    line, flights = joined(6, at=5.0)
    assert [each.started for each in flights] == [5.0] * 6
    line.told(flights[0], "processing", 6.0)
    assert line.told(flights[3], "queued", 7.0) == [flights[3]]
    assert working(line, flights) == [0, 1, 2]
    assert [each.started for each in flights] == [5.0, 5.0, 5.0, 7.0, None, None]
    assert [each.seen for each in flights[3:]] == [7.0] * 3, "those behind it are unfinished, too"


def test_each_end_makes_room_for_the_next_one():
    line, flights = joined(6)
    line.told(flights[0], "processing", 1.0)
    line.told(flights[2], "queued", 1.0)
    assert line.ended(flights[1], 8.0) == [flights[2], flights[3]]
    assert (flights[2].started, flights[3].started, flights[4].started) == (8.0, 8.0, None)
    assert working(line, flights) == [0, 2]
    assert line.moved_at == 8.0
    late = flight(9, at=8.5)
    line.join(late, 8.5)
    assert late.started is None, "it joins at the end"


def test_the_last_one_in_the_line_may_be_called_queued_first():
    line, flights = joined(40)
    line.told(flights[0], "processing", 1.0)
    for number in (39, 35, 33, 32):
        line.told(flights[number], "queued", 2.0)
    assert working(line, flights) == list(range(32))
    assert [each.started for each in flights[32:]] == [2.0] + [None] * 7


def test_the_next_one_has_begun_before_the_end_was_seen():
    line, flights = joined(5)
    line.told(flights[0], "processing", 1.0)
    line.told(flights[2], "queued", 1.0)
    line.told(flights[2], "processing", 9.0)
    assert working(line, flights) == [0, 1, 2]
    assert (flights[3].started, flights[4].started) == (9.0, None)
    line.ended(flights[0], 9.5)
    assert working(line, flights) == [1, 2], "two slots are still two"


def test_a_line_that_others_move_is_given_up():
    line, flights = joined(5)
    line.told(flights[0], "queued", 30.0)
    assert working(line, flights) == []
    assert line.told(flights[0], "processing", 60.0) == flights
    assert working(line, flights) == [0, 1, 2, 3, 4]
    assert [each.started for each in flights] == [30.0] * 5, "since when any of them may have been begun"


def test_a_service_that_calls_all_that_is_unfinished_queued_has_no_line():
    line, flights = joined(4)
    line.told(flights[0], "queued", 1.0)
    line.ended(flights[0], 9.0)
    assert working(line, flights) == [1, 2, 3]
    assert line.told(flights[2], "queued", 10.0) == []
    assert working(line, flights) == [1, 2, 3]
    line.told(flights[1], "processing", 11.0)
    line.told(flights[2], "queued", 12.0)
    assert working(line, flights) == [1], "it has another word after all"


def test_one_that_is_passed_keeps_nobody_waiting():
    """The service never begins with the first, and does with the others."""
    line, flights = joined(4)
    line.told(flights[0], "queued", 1.0)
    assert [each.started for each in flights[1:]] == [None] * 3
    line.told(flights[2], "processing", 60.0)
    assert working(line, flights) == [1, 2, 3]
    line.ended(flights[2], 70.0)
    later = flight(7, at=80.0, sent=79.0)
    line.join(later, 80.0)
    line.told(later, "processing", 81.0)
    for now in (82.0, 90.0):
        assert line.told(flights[0], "queued", now) == [flights[0]]
        assert flights[0].started == now
    assert working(line, [*flights, later]) == [1, 3, 7]


def test_one_that_was_accepted_before_another_was_sent_and_is_passed_by_it():
    line, one, other = Line(), flight(1, at=1.0), flight(2, at=9.0, sent=8.0)
    line.join(one, 1.0)
    line.join(other, 9.0)
    line.told(other, "processing", 10.0)
    line.told(one, "queued", 11.0)
    assert (other.started, one.started) == (9.0, 11.0), "what is said of one tells nothing of the other"


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["join", "queued", "created", "processing", "on-mars", "ended", "leave"]), st.integers(0, 9)
    ),
    max_size=60,
)


@given(EVENTS, st.booleans())
def test_over_any_sequence_of_words(events, together):
    """Nobody is lost, the order is kept, only the first that waits is next, and every change is told."""
    line, flights, gone, now = Line(), {}, set(), 0.0
    for word, number in events:
        now += 1.0
        before = {each: flights[each].started for each in flights}
        if word == "join":
            if number in flights or number in gone:
                continue
            flights[number] = flight(number, now, sent=0.0 if together else now - 0.5)
            told = line.join(flights[number], now)
            before[number] = None
        elif number not in flights:
            continue
        elif word in ("ended", "leave"):
            told = getattr(line, word)(flights[number], now)
            gone.add(number)
        else:
            told = line.told(flights[number], word, now)
        changed = {each for each in flights if flights[each].started != before[each]}
        told_of = {each.attempt.number for each in told}
        assert {each for each in changed if flights[each].started is not None} - gone <= told_of
        for each in gone:
            flights.pop(each, None)
        waiting = list(line._waiting)
        assert set(waiting).isdisjoint(line._working)
        assert set(waiting) | set(line._working) <= set(flights)
        assert [flights[each].started is None for each in waiting] == [place > 0 for place in range(len(waiting))]
        assert all(flights[each].started is not None for each in flights if each not in waiting)
        assert all(each.started is None or each.started <= now for each in flights.values())


@given(st.integers(1, 8), st.integers(1, 25), st.randoms(use_true_random=False))
def test_what_a_service_with_slots_says_leads_to_its_slots(slots, count, randomness):
    """Once those in the middle have been asked for, as many are presumed to be worked on as are."""
    line, flights = joined(count)
    busy, now = min(slots, count), 1.0
    line.told(flights[0], "processing", now)
    for number in randomness.sample(range(count), count):
        now += 1.0
        line.told(flights[number], "processing" if number < busy else "queued", now)
    assert working(line, flights) == list(range(busy))
    while flights:
        now += 1.0
        ended = flights.pop(randomness.randrange(min(slots, len(flights))))
        line.ended(ended, now)
        assert len(working(line, flights)) == min(slots, len(flights))
        assert working(line, flights) == [each.attempt.number for each in flights[:slots]]
