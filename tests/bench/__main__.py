"""`python -m tests.bench`: measures, prints the table, and fails where a command crashed or a job did not arrive."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import batches, loading, looking, planning, resuming, simulated, table
from tests.bench.measure import Bench, Row
from tests.bench.processes import ROOT, BrokenError, Cores, cost_of, reelrun

MEASURES: dict[str, Callable[[Bench], list[Row]]] = {
    "planning": planning.planning,
    "command": planning.command,
    "batch": batches.batch,
    "simulated": simulated.simulated,
    "downloads": batches.downloads,
    "uploads": batches.uploads,
    "stored": batches.stored,
    "flights": batches.flights,
    "resuming": resuming.resuming,
    "loading": loading.loading,
    "looking": looking.looking,
}


def main() -> int:
    options = _options()
    rows: list[Row] = []
    broken = False
    with tempfile.TemporaryDirectory(prefix="reelrun-bench-") as folder:
        bench = Bench(options.quick, 1 if options.quick else options.runs, Path(folder), Cores())
        if not bench.cores.are_apart:
            print("there is one core: the service shares it with the client", file=sys.stderr)
        # The first start compiles the modules.
        cost_of(reelrun("--help"), bench.cores)
        for name in options.only or MEASURES:
            print(f"{name} ...", file=sys.stderr)
            try:
                rows += MEASURES[name](bench)
            except BrokenError as error:
                print(f"{name} is broken: {error}", file=sys.stderr)
                broken = True
    print(table.markdown(rows), end="")
    if options.write and not broken:
        table.write_into(ROOT / "README.md", rows)
    return int(broken)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="measures reelrun against baselines")
    parser.add_argument("--quick", action="store_true", help="one small run of each: does it work at all?")
    parser.add_argument("--runs", type=int, default=3, help="runs of each measure, of which the median counts")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="measure this alone (repeatable)")
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("--write is for a whole run")
    return options


if __name__ == "__main__":
    sys.exit(main())
