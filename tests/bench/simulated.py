"""The batch with a service time of minutes, on a simulated clock."""

from __future__ import annotations

from tests.bench.measure import Bench, Row, Runs
from tests.bench.processes import BrokenError
from tests.bench.simulation import Scenario, log_normal, simulate


def simulated(bench: Bench) -> list[Row]:
    """Polls a job and mean lag where a job takes 2 min on the mean, and the state knows nothing of the service yet."""
    size = {"jobs": 64, "slots": 16} if bench.quick else {}
    scenario, runs = Scenario(log_normal(120.0), **size), Runs()
    for seed in range(1, bench.runs + 1):
        try:
            told = simulate(scenario, seed, bench.fresh("simulated"))
        except AssertionError as error:
            raise BrokenError(str(error)) from error
        runs.add(polls=told.polls, lag=told.lag, makespan=told.makespan)
    about = f"{scenario.jobs} jobs of 2 min, simulated"
    beside = f"makespan to ideal: {runs.median('makespan'):.3f}"
    return [
        Row(f"{about}: polls a job", runs.of("polls"), 8, "polls", beside),
        Row(f"{about}: mean lag", runs.of("lag"), 7.5, "s"),
    ]
