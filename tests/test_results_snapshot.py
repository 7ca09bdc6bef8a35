"""The jobs of an index as they stood at one moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from runner.errors import DiskError
from runner.model import JobRecord, Status
from runner.results.snapshot import Header, snapshot

HEADER = Header("trail-shoes", "trail-shoes.yaml", "0" * 64, "sandbox", "USD", 0.0)
JOB = JobRecord(
    id="0" * 16,
    key="shoe/plain/take-1",
    aliases=(),
    orphaned=False,
    image="shoe",
    prompt_id="plain",
    model="m",
    variables={"surface": "wet\u2028rock\n"},
    take=1,
    payload={"prompt": "\ud800 A shoe", "image": "https://example.com/a.jpg"},
    status=Status.PENDING,
    reason="",
)


def test_sums_up_what_it_holds(tmp_path: Path) -> None:
    jobs = [
        JOB,
        replace(JOB, status=Status.SUCCEEDED, cost=Decimal("0.10"), variables={"cfg": 1}),
        replace(JOB, status=Status.SUCCEEDED, cost=Decimal("0.20"), payload={"duration": "5"}),
    ]
    with snapshot(tmp_path, HEADER, lambda: jobs) as taken:
        assert taken.totals == {str(status): 0 for status in Status} | {"pending": 1, "succeeded": 2}
        assert taken.count == 3
        assert taken.cost == Decimal("0.30")
        assert taken.variables == {"surface", "cfg"}
        assert taken.parameters == {"prompt", "image", "duration"}


def test_no_known_cost_is_not_zero(tmp_path: Path) -> None:
    with snapshot(tmp_path, HEADER, lambda: [JOB]) as taken:
        assert taken.cost is None


def test_reads_the_state_once_and_can_be_read_again_and_again(tmp_path: Path) -> None:
    readings = 0

    def records() -> Iterator[JobRecord]:
        nonlocal readings
        readings += 1
        yield replace(JOB, take=readings)

    with snapshot(tmp_path, HEADER, records) as taken:
        assert list(taken.jobs()) == list(taken.jobs())
        (line,) = taken.lines()
    assert readings == 1
    assert "\n" not in line


def test_text_comes_back_whole(tmp_path: Path) -> None:
    with snapshot(tmp_path, HEADER, lambda: [JOB]) as taken:
        (job,) = taken.jobs()
    assert job["variables"] == JOB.variables
    assert job["payload"] == JOB.payload


def test_leaves_nothing_behind(tmp_path: Path) -> None:
    with snapshot(tmp_path, HEADER, lambda: [JOB]):
        assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="cannot write"), snapshot(tmp_path / "gone", HEADER, lambda: [JOB]):
        pass
