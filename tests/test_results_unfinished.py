"""What is left of a plan: counted whatever its size, and told of up to a bound."""

from __future__ import annotations

import pytest

from runner.model import Status
from runner.planning.selection import EVERYTHING, Selection
from runner.results.unfinished import MOST, unfinished
from runner.state.store import Store
from tests.kit import make_job, register


@pytest.fixture
def store(tmp_path):
    """60 jobs in two plans: the first ten orphaned, the others of the last plan; each fate comes again and again."""
    fates = [None, Status.SUCCEEDED, Status.FAILED, Status.WAITING, Status.UNKNOWN]
    jobs = [make_job(number) for number in range(60)]
    with Store.open(tmp_path / "state.sqlite") as opened:
        with opened.transaction():
            register(opened, jobs, "first")
            for number, job in enumerate(jobs):
                fate = fates[number % len(fates)]
                if fate is None:
                    continue
                attempt = opened.intend(job, 1000.0, None, "USD")
                if fate is Status.WAITING:
                    opened.accept(attempt, f"r{number}", 1001.0, "queued")
                elif fate.is_final:
                    opened.conclude(attempt, fate, 1002.0)
            register(opened, jobs[10:], "second")
        yield opened


def test_what_is_left_is_the_same_for_all_and_for_a_selection_of_all(store):
    everything, selected = unfinished(store, EVERYTHING), unfinished(store, Selection(only=("*",)))
    assert everything.totals == selected.totals
    assert everything.first == selected.first
    # Of the orphaned ones only what is open is left: two of each fate.
    assert everything.totals == {Status.PENDING: 10, Status.FAILED: 10, Status.WAITING: 12, Status.UNKNOWN: 12}
    assert (len(everything), len(everything.first), everything.others) == (44, MOST, 44 - MOST)


def test_the_first_are_those_of_the_plan_in_its_order(store):
    every = list(store.unfinished())
    assert list(unfinished(store, EVERYTHING).first) == every[:MOST]
    assert [each.orphaned for each in every] == [False] * 40 + [True] * 4
    numbers = [each.variables["n"] for each in every]
    assert numbers == [n for n in range(10, 60) if n % 5 != 1] + [3, 4, 8, 9]


def test_a_selection_counts_its_own(store):
    left = unfinished(store, Selection(only=("*n=12/*", "*n=11/*", "*n=3/*", "*n=2/*")))
    assert left.totals == {Status.FAILED: 1, Status.WAITING: 1}
    assert [each.variables["n"] for each in left.first] == [12, 3]
    assert left.others == 0
