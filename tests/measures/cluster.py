"""Measures many clips by a cluster that loses a worker half way, and holds them to what one machine measures.

python -m tests.measures.cluster [--clips N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from runner.results import measuring
from runner.results.measuring import MeasuringResult, Tell
from runner.results.workers.cluster import cluster
from runner.results.workers.local_pool import local_pool
from runner.results.workers.workforce import Hire
from runner.video.looking.previews import names_in
from tests.dask_cluster import DaskCluster
from tests.test_results_measuring import Campaign

WORKERS = 3


class Trial:
    """One campaign, measured here and there."""

    def __init__(self, folder: Path, clips: int, there: DaskCluster) -> None:
        self._campaigns = {each: Campaign(folder / each, clips) for each in ("here", "there")}
        self._clips, self._cluster = clips, there

    def measure(self, where: str, hire: Hire, tell: Tell) -> tuple[MeasuringResult, Counter[str], float]:
        """How it went, how often each clip was kept, and the seconds."""
        start = time.monotonic()
        with _kept() as kept:
            result = self._campaigns[where].measure(hire=hire, tell=tell)
        return result, kept, time.monotonic() - start

    def lose_a_worker(self, done: int, _total: int) -> None:
        """Kill one of three when half of the clips are measured."""
        if done == self._clips // 2:
            self._cluster.kill(self._cluster.workers[-1])

    def are_equal(self) -> bool:
        """Whether both measured the same, and made the same previews."""
        here, there = self._campaigns.values()
        folders = [each.manifest.output.dir for each in (here, there)]
        return here.measured() == there.measured() and names_in(folders[0]) == names_in(folders[1])


@contextmanager
def _kept() -> Iterator[Counter[str]]:
    keep, kept = measuring._keep, Counter[str]()

    def counted(store, record, order, measured) -> None:  # type: ignore[no-untyped-def]
        kept[order.sha256] += 1
        keep(store, record, order, measured)

    measuring._keep = counted
    try:
        yield kept
    finally:
        measuring._keep = keep


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clips", type=int, default=1000)
    clips = parser.parse_args().clips
    with tempfile.TemporaryDirectory() as folder, DaskCluster(Path(folder)) as there:
        there.hire(WORKERS)
        trial = Trial(Path(folder), clips, there)
        ways = {
            "two workers, a third killed": (
                "there",
                cluster(there.address, partial(print, flush=True)),
                trial.lose_a_worker,
            ),
            "one machine, two processes": ("here", local_pool(2), lambda done, total: None),
        }
        print(f"{'':30}{'clips':>8}{'measured':>10}{'once each':>11}{'previews':>10}{'failed':>8}{'seconds':>9}")
        for name, (where, hire, tell) in ways.items():
            result, kept, seconds = trial.measure(where, hire, tell)
            once = sum(count == 1 for count in kept.values())
            told = f"{clips:>8,}{result.measured:>10,}{once:>11,}{result.previewed:>10,}{len(result.failed):>8,}{seconds:>9.1f}"
            print(f"{name:30}{told}", flush=True)
        print("equal to one machine's:", trial.are_equal())
        return 0 if trial.are_equal() and set(kept.values()) == {1} else 1


if __name__ == "__main__":
    sys.exit(main())
