"""Reading a large manifest with its positions, against the C loader alone: `python -m tests.bench.loading FILE`."""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

import yaml

from runner.manifest.files import read_text
from runner.manifest.yaml.document import parse
from tests.bench.manifests import entries
from tests.bench.measure import Bench, Row
from tests.bench.processes import cost_of, script


def loading(bench: Bench) -> list[Row]:
    """CPU of reading 5 MB to values and places, to that of the C loader; both in one process, in turns."""
    count, turns = (2_000, 1) if bench.quick else (23_000, max(bench.runs, 3))
    path = entries(bench.fresh("loading"), count)
    told = json.loads(cost_of(script("loading", path, turns), bench.cores).out)
    ratios = tuple(ours / alone for ours, alone in told)
    beside = f"C loader: {sorted(alone for _, alone in told)[len(told) // 2]:.2f} s"
    return [Row(f"manifest of {path.stat().st_size / 1e6:.1f} MB: loaded with places", ratios, 1.3, "x", beside)]


def _timed(path: Path) -> tuple[float, float]:
    gc.collect()
    started = time.process_time()
    document = parse(read_text(path, str(path), 1 << 30))
    ours = time.process_time() - started
    del document
    gc.collect()
    started = time.process_time()
    yaml.load(path.read_bytes(), yaml.CSafeLoader)
    return ours, time.process_time() - started


if __name__ == "__main__":
    print(json.dumps([_timed(Path(sys.argv[1])) for _ in range(int(sys.argv[2]))]))
