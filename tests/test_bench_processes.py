"""What a command costs, as the kernel tells it, and that one which fails is no figure."""

import os
import sys

import pytest

from tests.bench.measure import check_arrived
from tests.bench.processes import BrokenError, Cores, cost_of
from tests.bench.slots import Ledger


@pytest.fixture(scope="module")
def cores():
    before = os.sched_getaffinity(0)
    yield Cores()
    os.sched_setaffinity(0, before)


def python(code):
    return [sys.executable, "-c", code]


def test_memory_and_threads_of_the_whole_tree_are_counted(cores):
    code = (
        "import subprocess, sys, threading, time\n"
        "held = b'x' * (40 << 20)\n"
        "over = threading.Event()\n"
        "[threading.Thread(target=over.wait).start() for _ in range(5)]\n"
        "subprocess.run([sys.executable, '-c', \"held = b'x' * (60 << 20); import time; time.sleep(0.3)\"])\n"
        "over.set()\n"
        "print('done')\n"
    )
    cost = cost_of(python(code), cores)
    assert cost.out == "done\n"
    assert 100 < cost.memory < 160
    assert cost.threads >= 7


def test_cpu_is_what_was_worked_and_not_what_was_waited(cores):
    busy = cost_of(python("import time\nwhile time.process_time() < 0.5: pass"), cores)
    idle = cost_of(python("import time\ntime.sleep(0.5)"), cores)
    assert busy.cpu >= 0.5
    assert idle.cpu < idle.wall


def test_a_client_has_a_core_of_its_own_where_there_are_two(cores):
    told = cost_of(python("import os; print(*os.sched_getaffinity(0))"), cores)
    assert len(told.out.split()) == 1


def test_a_crash_is_told_with_its_last_words(cores):
    with pytest.raises(BrokenError, match="RuntimeError: no"):
        cost_of(python("raise RuntimeError('no')"), cores)


def test_what_has_done_enough_is_ended(cores):
    looks = iter([False, False, True])
    cost = cost_of(python("import time\ntime.sleep(60)"), cores, until=lambda: next(looks, True))
    assert cost.wall < 30


@pytest.mark.parametrize(
    ("submitted", "repeated", "delivered"), [(1, 0, 2), (3, 0, 3), (2, 1, 2), (2, 0, 1), (2, 0, 2)]
)
def test_a_job_that_did_not_arrive_is_no_figure(tmp_path, submitted, repeated, delivered):
    """In the last case all was delivered, and nothing is on the disk."""
    told = Ledger(submitted, repeated, delivered, 1.0, 1.0, 1.0, 1.0, 2, 0, 0, 0.0)
    with pytest.raises(BrokenError, match="2"):
        check_arrived(told, 2, tmp_path)
