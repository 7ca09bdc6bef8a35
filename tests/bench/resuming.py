"""A large state with little left to do: how soon it can be asked, and gone on with."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.bench.manifests import axes_of, bare_sweep, sweep
from tests.bench.measure import Bench, Row, Runs
from tests.bench.processes import BrokenError, cost_of, reelrun, script, service


def resuming(bench: Bench) -> list[Row]:
    """`status` of a state of a million jobs of which a thousand are left, `plan`, and `run` up to its first call."""
    sizes, left = ((20, 10, 10, 10), 100) if bench.quick else ((50, 40, 25, 20), 1000)
    axes, runs = axes_of(*sizes), Runs()
    manifest = sweep(bench.fresh("resuming"), axes)
    with service(slots=1) as served:
        flags = ("--base-url", served.base, "--yes", "--no-progress")
        cost_of(reelrun("run", manifest, "--dry-run", *flags), bench.cores)
    state = manifest.parent / "out" / "state.sqlite"
    finish(state, left)
    jobs = sizes[0] * sizes[1] * sizes[2] * sizes[3]
    for _ in range(bench.runs):
        status = cost_of(reelrun("status", manifest, "--json"), bench.cores)
        if json.loads(status.out)["totals"]["succeeded"] != jobs - left:
            raise BrokenError(f"status tells something else: {status.out[:500]}")
        bare = cost_of(script("baselines.expansion", bare_sweep(axes)), bench.cores)
        plan = cost_of(reelrun("plan", manifest), bench.cores)
        with service(slots=1) as served:
            command = reelrun("run", manifest, "--base-url", served.base, "--yes", "--no-progress")
            run = cost_of(command, bench.cores, until=served.is_called)
            called = served.ledger().first_call
        if called is None:
            raise BrokenError("the run made no call")
        withdraw(state)
        extra = called - run.started - plan.wall
        runs.add(status=status.wall, plan=plan.wall, ratio=plan.cpu / bare.cpu, memory=plan.memory, extra=extra)
    beside = f"plan: {runs.median('plan'):.2f} s"
    return [
        Row(f"status, {left:,} of {jobs:,} jobs left", runs.of("status"), 1.5, "s"),
        Row(
            f"plan, {left:,} of {jobs:,} jobs left: CPU",
            runs.of("ratio"),
            2.0,
            "x",
            f"memory: {runs.median('memory'):.0f} MiB",
        ),
        Row(f"run of {left:,} of {jobs:,} up to its first call, beyond plan", runs.of("extra"), 2.0, "s", beside),
    ]


def finish(state: Path, left: int) -> None:
    """Let all jobs of a state but the last ones have succeeded, each with a video and a thumbnail."""
    done = "(SELECT id, position FROM jobs WHERE position < (SELECT count(*) FROM jobs) - ?)"
    with sqlite3.connect(state) as connection:
        run = connection.execute
        run("UPDATE jobs SET status = 'succeeded' WHERE position < (SELECT count(*) FROM jobs) - ?", (left,))
        run(
            "INSERT INTO attempts (job_id, request_id, currency, intended_at, caller, accepted_at, remote_status,"
            " outcome, finished_at)"
            " SELECT id, 'request-' || id, 'USD', 1.7e9 + position, '', 1.7e9 + position, 'success', 'succeeded',"
            f" 1.7e9 + position + 60 FROM {done} ORDER BY position",
            (left,),
        )
        run(f"INSERT INTO paths (folded, path, job_id) SELECT 'done/' || id, 'done/' || id, id FROM {done}", (left,))
        for kind in ("video", "thumbnail"):
            run(
                "INSERT INTO artifacts (job_id, kind, path, sha256, bytes, seconds, width, height, fps, codec)"
                " SELECT id, ?, ? || 's/done/' || id, substr(id || id || id || id, 1, 64), 200000,"
                f" 5.0, 320, 180, 8.0, 'h264' FROM {done}",
                (kind, kind, left),
            )
    connection.close()


def withdraw(state: Path) -> None:
    """Forget what the killed run was about to submit."""
    with sqlite3.connect(state) as connection:
        connection.execute("UPDATE jobs SET status = 'pending' WHERE status NOT IN ('pending', 'succeeded')")
        connection.execute("DELETE FROM attempts WHERE outcome IS NULL")
    connection.close()
