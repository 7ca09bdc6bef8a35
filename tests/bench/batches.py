"""Batches against the queue server: how long they take, how often they ask, and what they cost."""

from __future__ import annotations

from pathlib import Path

from tests.bench import manifests
from tests.bench.measure import Bench, Row, Runs, check_arrived
from tests.bench.processes import Cost, Served, cost_of, reelrun, script, service
from tests.bench.slots import Ledger

_POLLED = {"slots": 32, "mean": 2.0, "sigma": 0.5}
_INSTANT = {"slots": 1000, "mean": 0.0, "video_bytes": 200_000}


def _reelrun(bench: Bench, served: Served, jobs: int, file: str | None = None, **run: object) -> tuple[Cost, Ledger]:
    folder = bench.another("batch")
    manifest = manifests.batch(folder, jobs, file, **run)
    command = reelrun("run", manifest, "--base-url", served.base, "--yes", "--no-progress", "--json")
    return _checked(bench, served, command, jobs, folder / "out" / "videos")


def _script(bench: Bench, served: Served, jobs: int, name: str, *flags: object) -> tuple[Cost, Ledger]:
    folder = bench.another("batch")
    batch = manifests.bare_batch(folder, jobs)
    command = script(f"baselines.{name}", served.base, batch, folder / "out", *flags)
    return _checked(bench, served, command, jobs, folder / "out")


def _checked(bench: Bench, served: Served, command: list[str], jobs: int, videos: Path) -> tuple[Cost, Ledger]:
    cost = cost_of(command, bench.cores)
    told = served.ledger()
    check_arrived(told, jobs, videos)
    return cost, told


def batch(bench: Bench) -> list[Row]:
    """Makespan to the ideal one, and polls a job times the mean lag from a completion to the start of its download."""
    jobs, runs = (64 if bench.quick else 400), Runs()
    options = {**_POLLED, "slots": 16, "mean": 0.5} if bench.quick else _POLLED
    for seed in range(1, bench.runs + 1):
        with service(**options, seed=seed) as served:
            _, ours = _reelrun(bench, served, jobs, concurrency=64)
        with service(**options, seed=seed) as served:
            _, tasks = _script(bench, served, jobs, "tasks", "--in-flight", 64, "--poll", 1.0)
        with service(**options, seed=seed) as served:
            _, threads = _script(bench, served, jobs, "threads", "--threads", 64, "--poll", 1.0)
        for name, told in {"ours": ours, "tasks": tasks, "threads": threads}.items():
            runs.add(
                **{
                    f"{name}_makespan": told.makespan / told.ideal,
                    f"{name}_polls": told.polls,
                    f"{name}_lag": told.lag,
                    f"{name}_product": told.polls * told.lag,
                }
            )
    about = f"{jobs} jobs, {options['slots']} slots"
    beside = ", ".join(f"{name} {runs.median(f'{name}_makespan'):.3f}" for name in ("tasks", "threads"))
    return [
        Row(f"{about}: makespan to ideal", runs.of("ours_makespan"), 1.02, "x", beside),
        Row(f"{about}: polls x lag", runs.of("ours_product"), 1.2, "s", _polls(runs)),
    ]


def _polls(runs: Runs) -> str:
    """Polls a job and lag of each client."""
    return ", ".join(
        f"{name} {runs.median(f'{name}_polls'):.2f} x {runs.median(f'{name}_lag'):.2f} s"
        for name in ("ours", "tasks", "threads")
    )


def downloads(bench: Bench) -> list[Row]:
    """The CPU of a job whose request is done at once and whose video has 200 kB, to that of requests with threads: each
    file in a folder of its own, as jobs have it by default, and all in one, as the script has it."""
    jobs, runs = (100 if bench.quick else 500), Runs()
    for _ in range(bench.runs):
        with service(**_INSTANT) as served:
            threads, _ = _script(bench, served, jobs, "threads", "--threads", 16, "--poll", 0.05)
        with service(**_INSTANT) as served:
            tasks, _ = _script(bench, served, jobs, "tasks", "--in-flight", 64, "--poll", 0.05)
        with service(**_INSTANT) as served:
            ours, _ = _reelrun(bench, served, jobs, concurrency=64)
        with service(**_INSTANT) as served:
            flat, _ = _reelrun(bench, served, jobs, file="{{ number }}", concurrency=64)
        runs.add(
            ratio=ours.cpu / threads.cpu,
            flat_ratio=flat.cpu / threads.cpu,
            **{
                name: 1000 * cost.cpu / jobs
                for name, cost in {"ours": ours, "flat": flat, "threads": threads, "tasks": tasks}.items()
            },
        )
    told = ", ".join(f"{name} {runs.median(name):.2f} ms" for name in ("ours", "threads", "tasks"))
    about = f"{jobs} instant jobs of 200 kB"
    return [
        Row(f"{about}: CPU a job", runs.of("ratio"), 2.5, "x", told),
        Row(
            f"{about}, all in one folder: CPU a job",
            runs.of("flat_ratio"),
            2.5,
            "x",
            f"ours {runs.median('flat'):.2f} ms",
        ),
    ]


def uploads(bench: Bench) -> list[Row]:
    """The peak of memory while pictures of 10 MB are uploaded at once. One goes first, alone."""
    pictures, size = (9, 2_000_000) if bench.quick else (33, 10_000_000)
    folder, runs = bench.fresh("uploads"), Runs()
    manifest = manifests.uploads(folder, pictures, size)
    for _ in range(bench.runs):
        bench.fresh("uploads/out")
        with service(slots=1000, upload_rate=8e6) as served:
            command = reelrun("run", manifest, "--base-url", served.base, "--yes", "--no-progress", "--json")
            cost, told = _checked(bench, served, command, pictures, folder / "out" / "videos")
        runs.add(memory=cost.memory, at_once=told.most_uploads)
    at_once = f"{runs.median('at_once'):.0f} at once"
    return [
        Row(f"{pictures - 1} uploads of {size // 1_000_000} MB at once: memory", runs.of("memory"), 120, "MiB", at_once)
    ]


def stored(bench: Bench) -> list[Row]:
    """The bytes that are sent, and the peak of memory, where all jobs have one picture that is uploaded once."""
    jobs, size, runs = (100 if bench.quick else 1000), (2_000_000 if bench.quick else 10_000_000), Runs()
    folder = bench.fresh("stored")
    manifest = manifests.stored(folder, jobs, size)
    for _ in range(bench.runs):
        bench.fresh("stored/out")
        with service(slots=1000, upload_rate=50e6) as served:
            command = reelrun("run", manifest, "--base-url", served.base, "--yes", "--no-progress", "--json")
            cost, told = _checked(bench, served, command, jobs, folder / "out" / "videos")
        runs.add(sent=told.received / size, memory=cost.memory)
    about = f"{jobs:,} jobs with one picture of {size // 1_000_000} MB, uploaded once"
    return [
        Row(f"{about}: bytes sent to its size", runs.of("sent"), 1.1, "x", ""),
        Row(f"{about}: memory", runs.of("memory"), 120, "MiB", ""),
    ]


def flights(bench: Bench) -> list[Row]:
    """Threads and memory with many jobs in flight."""
    jobs, runs = (200 if bench.quick else 2000), Runs()
    for seed in range(1, bench.runs + 1):
        with service(slots=jobs, mean=4.0 if bench.quick else 30.0, sigma=0.05, seed=seed) as served:
            cost, told = _reelrun(bench, served, jobs, concurrency=jobs)
        runs.add(
            threads=cost.threads, memory=cost.memory, in_flight=told.most_unfinished, polls=told.polls, lag=told.lag
        )
    beside = f"{runs.median('in_flight'):,.0f} unfinished at once"
    return [
        Row(f"{jobs:,} in flight: threads", runs.of("threads"), 80, "", beside),
        Row(f"{jobs:,} in flight: memory", runs.of("memory"), 250, "MiB", _told(runs)),
    ]


def _told(runs: Runs) -> str:
    return f"{runs.median('polls'):.1f} polls a job, lag {runs.median('lag'):.2f} s"
