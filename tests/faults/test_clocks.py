"""Clocks that are corrected, suspended or of another boot between a run that was cut and the next buy nothing twice.

The suite tries some of all trials; `REELRUN_ALL=1 python -m pytest tests/faults/test_clocks.py -s -n 0` tries each
and prints how many submissions stay unknown.
"""

from __future__ import annotations

import json
import time
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from runner.engine.clock import SystemClock
from tests.command import call, die_at
from tests.faults import service as faults
from tests.faults.harness import without_waits
from tests.faults.service import FaultyService
from tests.kit import few_frames, sampled, write_manifest

JOBS = 3
# What happens to a clock between the two runs, in seconds.
CHANGES = {
    "10 s on": 10.0,
    "10 s back": -10.0,
    "10 min on": 600.0,
    "an hour on": 3600.0,
    "an hour back": -3600.0,
    "a year on": 365 * 86400.0,
}
# Steps around the POST, at which the first run is killed; without a kill it ends as nothing can be listed.
STEPS = (
    "no kill",
    "before the intent",
    "intent written, not committed",
    "intent committed",
    "before the POST leaves",
    "POST answered",
    "request id written, not committed",
    "request id committed",
    "poll answered",
)
FATES = {"answered": None, "lost, accepted": True, "lost, not accepted": False}
CLOCKS = ("ours", "the service's", "a suspend", "a reboot")
TRIALS = [
    (step, change, fate, clock)
    for step, change, fate, clock in product(STEPS, CHANGES, FATES, CLOCKS)
    # A suspend lasts, and a reboot takes, some time: these two are tried with one change.
    if (clock in ("ours", "the service's") or change == "an hour on")
    # Without a kill an answered POST is no trial; where no answer is read, there is no step after it.
    and (step != "no kill" or (fate != "answered" and clock != "a reboot"))
    and (fate == "answered" or STEPS.index(step) <= STEPS.index("before the POST leaves"))
]
TRIED = sampled(TRIALS, 29, 7)


@pytest.fixture
def service() -> Any:
    with FaultyService(few_frames()) as started:
        yield started


@pytest.mark.parametrize(("step", "change", "fate", "clock"), TRIED)
def test_a_clock_that_changes_between_two_runs_buys_nothing_twice(
    service: FaultyService,
    tmp_path: Path,
    step: str,
    change: str,
    fate: str,
    clock: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    accepted, seconds = FATES[fate], CHANGES[change]
    lost = [] if accepted is None else [faults.drop_after(accepted=accepted)]
    # The first POST shows the time of the service; the killed step of a later one would not be reached.
    service.order("submit", *([faults.accept] if step == "no kill" else []), *lost)
    manifest = write_manifest(tmp_path, pictures=JOBS, run={"concurrency": 1, "wait": 180})
    words = ["run", str(manifest), "--base-url", service.base_url, "--yes", "--json", "--no-progress"]
    if step == "no kill":
        end_unknown(service, words, seconds if clock == "ours" else 0.0)
    else:
        clocks = {"ours": {"REELRUN_WALL": str(-seconds)}, "a reboot": {"REELRUN_BOOT": "the-one-before"}}
        die_at(step, words, tmp_path / "said", GMI_API_KEY="sk-test", **clocks.get(clock, {}))
    if clock == "the service's":
        service.skew = seconds
    elif clock == "a suspend":
        service.ahead += seconds
    with without_waits(service):
        document = call(*words).document
    assert_bought_once(service, document)
    print(f"\n{step} | {clock} | {change} | {fate}: {document['totals']['unknown']} of {JOBS} unknown")


def end_unknown(service: FaultyService, words: list[str], behind: float) -> None:
    service.always["list"] = faults.status(503)
    with without_waits(service), patch.object(SystemClock, "wall", lambda clock: time.time() - behind):
        assert call(*words).document["totals"]["unknown"] == 1
    del service.always["list"]


def assert_bought_once(service: FaultyService, document: dict[str, Any]) -> None:
    billed = service.fingerprints()
    assert len(billed) == len(set(billed)), "a job was accepted twice"
    totals = document["totals"]
    assert totals["succeeded"] + totals["unknown"] == JOBS
    jobs = json.loads(Path(document["index"]).read_text(encoding="utf-8"))["jobs"]
    kept = {job["request_id"] for job in jobs if job["status"] == "succeeded"}
    assert len({each.id for each in service.accepted} - kept) <= totals["unknown"], "an accepted job is lost"
