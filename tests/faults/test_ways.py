"""Strange services, over real sockets: whatever their lists, times and echoes are like, no job is accepted twice, and
every accepted one is fetched or counts as unknown.

Some of these ways hide so much that a lost submission stays unknown. None of them may make the runner buy it again. The
suite tries each way once; `REELRUN_ALL=1 python -m pytest tests/faults/test_ways.py` tries both fates of the POST.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.model import Status
from tests.faults import service as faults
from tests.faults.harness import run
from tests.faults.service import Accepted, Call, FaultyService
from tests.kit import by_turns, few_frames, sampled, write_manifest

JOBS = 4
Way = Callable[[FaultyService], None]


def changed(**values: Any) -> Way:
    """Every record has these members otherwise; a function makes one of the record."""

    def way(service: FaultyService) -> None:
        service.changes = values

    return way


def listed(change: Callable[[dict[str, Any]], Any]) -> Way:
    """The list is another document."""

    def way(service: FaultyService) -> None:
        def fault(call: Call) -> None:
            call.answer(200, change(service.listing("Kling-Image2Video-V1.6-Standard")))

        service.always["list"] = fault

    return way


def with_headers(**headers: str) -> Way:
    def way(service: FaultyService) -> None:
        service.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    return way


def setting(**values: Any) -> Way:
    def way(service: FaultyService) -> None:
        for name, value in values.items():
            setattr(service, name, value)

    return way


def payload(**changes: Any) -> Way:
    return changed(payload=lambda record: {**record["payload"], **changes})


def strangers(count: int, **changes: Any) -> Way:
    """Others of the organisation make the very request, while ours is on its way."""

    def way(service: FaultyService) -> None:
        def fault(call: Call) -> None:
            call.read()
            for number in range(count):
                mine = call.accept()
                service.accepted.remove(mine)
                service.strangers.append(
                    Accepted(f"stranger-{number}", mine.model, mine.payload, mine.created_at, **changes)
                )
            call.close()

        service.order("submit", faults.accept, fault)

    return way


WAYS: dict[str, Way] = {
    "as documented": setting(),
    "pages of 2": setting(page_size=2),
    "pages of 100": setting(page_size=100),
    "sync answers": setting(is_sync=True),
    "an echo without the picture": setting(echo="none"),
    "an echo with a cut picture": setting(echo="short"),
    "an empty echo": setting(echo="empty"),
    "a list that lags 30 s": setting(lag=30.0),
    "a list that lags 59 s": setting(lag=59.0),
    "another clock, an hour ahead": setting(skew=3600.0),
    "another clock, an hour behind": setting(skew=-3600.0),
    "another clock, a year ahead": setting(skew=365 * 86400.0),
    "a Date of year 1": with_headers(Date="Mon, 01 Jan 0001 00:00:00 GMT"),
    "a Date of year 9999": with_headers(Date="Fri, 31 Dec 9999 23:59:59 GMT"),
    "a Date that is no date": with_headers(Date="yesterday"),
    "an old Date, cached": with_headers(Date="Tue, 14 Nov 2023 22:13:20 GMT", Age="86400"),
    "times in milliseconds": changed(created_at=lambda record: record["created_at"] * 1000),
    "times that are 0": changed(created_at=0),
    "times that are null": changed(created_at=None),
    "times as text": changed(created_at=lambda record: str(record["created_at"])),
    "times with fractions": changed(created_at=lambda record: record["created_at"] + 0.5),
    "times that change with every look": changed(created_at=lambda record: record["updated_at"]),
    "local times in the list": listed(
        lambda told: {
            **told,
            "requests": [{**each, "created_at": each["created_at"] - 7 * 3600} for each in told["requests"]],
        }
    ),
    "another name of the model": changed(model="kling-v1-6"),
    "the model in capitals": changed(model=lambda record: record["model"].upper()),
    "no model in the record": changed(model=None),
    "a rewritten prompt": payload(prompt="A slow push-in, cinematic, 35 mm"),
    "numbers as texts": payload(cfg_scale="0.50", duration=5),
    "single precision": payload(cfg_scale=0.5000000298023224),
    "parameters of its own": payload(seed=42, watermark=False),
    "nulls in the echo": payload(negative_prompt=None),
    "a picture by its own address": payload(image="https://storage.example/1.jpg"),
    "a payload that is text": changed(payload="{}"),
    "no organisation": changed(org_id=None),
    "the newest first": listed(lambda told: {**told, "requests": told["requests"][::-1]}),
    "neither total nor has_more": listed(lambda told: {"requests": told["requests"]}),
    "has_more for ever": listed(lambda told: {"requests": told["requests"], "has_more": True}),
    # The lost request is on none of the pages that it gives.
    "the first page again and again": listed(lambda told: {"requests": told["requests"][:1], "has_more": True}),
    "a total of one more": listed(lambda told: {**told, "total": told["total"] + 1}),
    "a total of one less": listed(lambda told: {**told, "total": max(told["total"] - 1, 0)}),
    "every entry twice": listed(lambda told: {**told, "requests": told["requests"] * 2}),
    "an entry that is null": listed(lambda told: {**told, "requests": [*told["requests"], None]}),
    "an entry without an id": listed(lambda told: {**told, "requests": [*told["requests"], {"status": "queued"}]}),
    "the first entry missing": listed(lambda told: {**told, "requests": told["requests"][1:]}),
    "the last entry missing": listed(lambda told: {**told, "requests": told["requests"][:-1]}),
    "a list that is empty": listed(lambda told: {"requests": [], "total": 0}),
    "a list under another name": listed(lambda told: {"data": told["requests"]}),
    "a list that is a list": listed(lambda told: told["requests"]),
    "one equal request of a stranger": strangers(1),
    "two equal requests of strangers": strangers(2),
    "an equal request of a stranger that failed": strangers(1, status="failed", error="no capacity"),
}


# Those that show a request late need a settling wait that is longer.
WAITS = {way: {"settle": 60, "wait": 130} for way in WAYS if "lags" in way}


@pytest.fixture
def service() -> Any:
    with FaultyService(few_frames()) as started:
        yield started


@pytest.mark.parametrize(("way", "was_accepted"), sampled(by_turns(WAYS), 2))
def test_nothing_is_bought_twice_and_nothing_is_lost(
    service: FaultyService, tmp_path: Path, way: str, was_accepted: bool
) -> None:
    manifest = write_manifest(tmp_path, pictures=JOBS, run=WAITS.get(way, {"settle": 10, "wait": 25}))
    service.order("submit", faults.accept, faults.drop_after(accepted=was_accepted))
    WAYS[way](service)
    result = run(manifest, service)
    service.faults.clear()
    result = run(manifest, service)
    assert_promises(service, result)


def assert_promises(service: FaultyService, result: Any) -> None:
    billed = service.fingerprints()
    assert len(billed) == len(set(billed)), "a job was accepted twice"
    index = json.loads((result.output_dir / "index.json").read_text(encoding="utf-8"))
    kept = {job["request_id"] for job in index["jobs"] if job["status"] == "succeeded"}
    ours = {each.id for each in service.accepted if each.status != "failed"}
    unknown = result.totals[Status.UNKNOWN]
    assert len(ours - kept) <= unknown, "an accepted job is neither fetched nor counted as unknown"
    assert result.totals[Status.SUCCEEDED] + unknown + result.totals[Status.FAILED] == JOBS
    assert not {job["request_id"] for job in index["jobs"]} & {each.id for each in service.strangers} or unknown == 0
    assert service.key_seen_by_files == 0
