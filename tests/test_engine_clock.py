"""Time as the engine is given it, and the wait that an event ends."""

import threading
import time
from queue import SimpleQueue

from runner.engine.clock import SystemClock


def test_it_starts_at_the_time_of_this_machine_and_runs_on():
    clock = SystemClock()
    first = clock.now()
    assert abs(first - time.time()) < 5
    assert clock.now() >= first


def test_setting_the_clock_of_this_machine_changes_no_wait(monkeypatch):
    clock = SystemClock()
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert clock.now() >= before


def test_a_wait_gives_all_that_is_there_in_its_order():
    inbox: SimpleQueue[int] = SimpleQueue()
    for number in range(5):
        inbox.put(number)
    assert SystemClock().wait(inbox, 60.0) == [0, 1, 2, 3, 4]


def test_a_wait_ends_with_the_first_event():
    inbox: SimpleQueue[str] = SimpleQueue()
    threading.Timer(0.01, inbox.put, ["woken"]).start()
    assert SystemClock().wait(inbox, 60.0) == ["woken"]


def test_a_wait_that_is_over_gives_nothing():
    for timeout in (0.0, -1.0, 0.001):
        assert SystemClock().wait(SimpleQueue(), timeout) == []
