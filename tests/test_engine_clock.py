"""Time as the engine is given it, and the wait that an event ends."""

import threading
import time
from pathlib import Path
from queue import SimpleQueue

from runner.engine import clock
from runner.engine.clock import SystemClock


def test_it_runs_on_from_the_boot_of_the_machine():
    system = SystemClock()
    first = system.now()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(first - uptime) < 5
    assert system.now() >= first
    assert abs(system.wall() - time.time()) < 5


def test_the_boot_is_that_of_the_machine_for_all_processes():
    assert SystemClock().boot == SystemClock().boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_without_a_known_boot_the_times_of_another_process_are_of_another_boot(monkeypatch):
    monkeypatch.setattr(clock, "_BOOT_ID", Path("/nowhere"))
    assert SystemClock().boot != SystemClock().boot


def test_setting_the_clock_of_this_machine_changes_no_wait(monkeypatch):
    clock = SystemClock()
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert before <= clock.now() < before + 60


def test_a_wait_gives_all_that_is_there_in_its_order():
    inbox: SimpleQueue[int] = SimpleQueue()
    for number in range(5):
        inbox.put(number)
    assert SystemClock().wait(inbox, 60.0) == [0, 1, 2, 3, 4]


def test_a_wait_ends_with_the_first_event():
    inbox: SimpleQueue[str] = SimpleQueue()
    threading.Timer(0.01, inbox.put, ["woken"]).start()
    assert SystemClock().wait(inbox, 60.0) == ["woken"]


def test_what_comes_while_a_turn_is_filled_up_comes_with_it(monkeypatch):
    inbox: SimpleQueue[str] = SimpleQueue()
    pauses: list[float] = []

    def sleep(seconds):
        pauses.append(seconds)
        inbox.put("late")

    monkeypatch.setattr(time, "sleep", sleep)
    clock = SystemClock()
    for _ in range(2):
        inbox.put("first")
        assert clock.wait(inbox, 60.0) == ["first", "late"]
    assert pauses[0] == 0.0, "what comes alone waits for nothing"
    assert 0.0 <= pauses[1] <= 0.02


def test_a_wait_that_is_over_gives_nothing():
    for timeout in (0.0, -1.0, 0.001):
        assert SystemClock().wait(SimpleQueue(), timeout) == []
