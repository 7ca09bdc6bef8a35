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
from pathlib import Path

from runner.results import measuring
from runner.results.measuring import Tell
from runner.results.workers.cluster import cluster
from runner.results.workers.local_pool import local_pool
from runner.results.workers.workforce import Hire
from runner.video.looking.previews import names_in
from tests.dask_cluster import DaskCluster
from tests.test_results_measuring import Campaign

WORKERS = 3
COLUMNS = ("clips", "measured", "once each", "previews", "failed", "seconds")


class Trial:
    """One campaign, measured here and there."""

    def __init__(self, folder: Path, clips: int, there: DaskCluster) -> None:
        self._campaigns = {each: Campaign(folder / each, clips) for each in ("here", "there")}
        self._clips, self._cluster = clips, there

    def row(self, name: str, where: str, hire: Hire, tell: Tell) -> int:
        """Measure all clips, and print how it went. How many were measured exactly once."""
        start = time.monotonic()
        with _kept() as kept:
            result = self._campaigns[where].measure(hire=hire, tell=tell)
        once = sum(count == 1 for count in kept.values())
        figures = self._clips, result.measured, once, result.previewed, len(result.failed)
        print(
            f"{name:30}" + "".join(f"{each:>11,}" for each in figures) + f"{time.monotonic() - start:>11.1f}",
            flush=True,
        )
        return once

    def lose_a_worker(self, done: int, _total: int) -> None:
        """Kill one of three when half of the clips are measured, while it has one of them."""
        if done == self._clips // 2:
            self._cluster.kill(self._cluster.holder(self._campaigns["there"].manifest.output.dir))

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
        print(f"{'':30}" + "".join(f"{each:>11}" for each in COLUMNS))
        once = [
            trial.row("two workers, a third killed", "there", cluster(there.address, print), trial.lose_a_worker),
            trial.row("one machine, two processes", "here", local_pool(2), lambda done, total: None),
        ]
        print("equal to one machine's:", trial.are_equal())
        return 0 if trial.are_equal() and once == [clips, clips] else 1


if __name__ == "__main__":
    sys.exit(main())
