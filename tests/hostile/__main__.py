"""`python -m tests.hostile`: what each manifest from a stranger takes, in seconds and MiB; fails beyond the limits."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from pathlib import Path

from tests.hostile.cases import CASES
from tests.hostile.ends import WAYS, End, end_of

MOST_SECONDS, MOST_MEMORY = 10.0, 1536.0


def main() -> int:
    is_bad = False
    for case in CASES:
        for way in WAYS:
            with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(1) as pool:
                manifest = case.write(_below(Path(folder)))
                # In a process of its own, whose children are this one alone.
                end: End = pool.apply(end_of, (way, manifest))
            misses = end.seconds > MOST_SECONDS or end.memory > MOST_MEMORY
            is_bad |= misses
            codes = ",".join(each["code"] for each in end.diagnostics if each["code"].startswith("E"))
            print(f"{case.name:32} {way:8} {end.seconds:5.1f} s {end.memory:6.0f} MiB  {codes}{'  MISSED' * misses}")
    return int(is_bad)


def _below(folder: Path) -> Path:
    own = folder / "own"
    own.mkdir()
    return own


if __name__ == "__main__":
    sys.exit(main())
