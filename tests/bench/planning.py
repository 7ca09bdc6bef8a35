"""Planning a large sweep, and registering it, against the bare loop."""

from __future__ import annotations

from tests.bench.manifests import axes_of, bare_sweep, sweep
from tests.bench.measure import Bench, Row, Runs
from tests.bench.processes import BrokenError, Cost, cost_of, reelrun, script


def planning(bench: Bench) -> list[Row]:
    """The CPU of `plan` and `run --dry-run` of a million jobs to that of the loop, and their peaks of memory.

    The dry run makes the state that the plan is then compared with.
    """
    sizes = (20, 10, 10, 10) if bench.quick else (50, 40, 25, 20)
    axes, runs = axes_of(*sizes), Runs()
    jobs = sizes[0] * sizes[1] * sizes[2] * sizes[3]
    for _ in range(bench.runs):
        manifest = sweep(bench.fresh("planning"), axes)
        bare = cost_of(script("baselines.expansion", bare_sweep(axes)), bench.cores)
        _expect(bare, f"{jobs}\n")
        dry = cost_of(reelrun("run", manifest, "--dry-run", "--yes", "--no-progress"), bench.cores)
        planned = cost_of(reelrun("plan", manifest), bench.cores)
        _expect(planned, f"{jobs:,} jobs")
        runs.add(
            bare=bare.cpu,
            plan=planned.cpu / bare.cpu,
            plan_memory=planned.memory,
            dry=dry.cpu / bare.cpu,
            dry_memory=dry.memory,
        )
    beside = f"bare loop: {runs.median('bare'):.2f} s"
    return [
        Row(f"plan {jobs:,} jobs: CPU", runs.of("plan"), 2.0, "x", beside),
        Row(f"plan {jobs:,} jobs: memory", runs.of("plan_memory"), 300, "MiB"),
        Row(f"dry run of {jobs:,} jobs: CPU", runs.of("dry"), 3.0, "x", beside),
        Row(f"dry run of {jobs:,} jobs: memory", runs.of("dry_memory"), 300, "MiB"),
    ]


def command(bench: Bench) -> list[Row]:
    """The whole command on 10,000 jobs, in seconds."""
    manifest, runs = sweep(bench.fresh("command"), axes_of(10, 10, 10, 10)), Runs()
    for _ in range(bench.runs):
        planned = cost_of(reelrun("plan", manifest), bench.cores)
        _expect(planned, "10,000 jobs")
        runs.add(wall=planned.wall)
    return [Row("plan 10,000 jobs: whole command", runs.of("wall"), 1.5, "s")]


def _expect(cost: Cost, words: str) -> None:
    if words not in cost.out:
        raise BrokenError(f"{words!r} is not in what was printed: {cost.out[-500:]}")
