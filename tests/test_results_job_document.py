"""A job as it stands in the index."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from runner.model import Artifact, JobRecord, Status
from runner.results.job_document import job_document, timestamp

PENDING = JobRecord(
    id="0123456789abcdef",
    key="shoe/plain/surface=wet-rock/take-1",
    aliases=("shoe/mood/surface=wet-rock/take-1",),
    orphaned=False,
    image="shoe",
    prompt_id="plain",
    model="Kling-Image2Video-V1.6-Standard",
    variables={"surface": "wet rock"},
    take=1,
    payload={"image": "sha256:" + "0" * 64, "prompt": "A shoe"},
    status=Status.PENDING,
    reason="new",
)
MEMBERS = [
    "id",
    "key",
    "aliases",
    "orphaned",
    "image",
    "prompt_id",
    "model",
    "variables",
    "take",
    "payload",
    "status",
    "reason",
    "request_id",
    "attempts",
    "submitted_at",
    "finished_at",
    "cost",
    "video",
    "thumbnail",
    "previews",
    "image_vars",
    "measures",
    "defects",
    "warnings",
    "marks",
    "pick",
    "credentials",
    "error",
]


def test_members_stand_in_the_order_of_the_format() -> None:
    assert list(job_document(PENDING)) == MEMBERS


def test_what_is_not_known_is_null() -> None:
    document = job_document(PENDING)
    unknown = [name for name, value in document.items() if value is None]
    assert unknown == [
        "request_id",
        "submitted_at",
        "finished_at",
        "cost",
        "video",
        "thumbnail",
        "previews",
        "measures",
        "credentials",
        "error",
    ]


def test_artifacts_have_exactly_their_members() -> None:
    artifact = Artifact("videos/a.mp4", "0" * 64, 12, 5.04, 640, 360, 24.0, "h264")
    document = job_document(replace(PENDING, video=artifact, thumbnail=replace(artifact, path="thumbnails/a.jpg")))
    assert document["video"] == {
        "path": "videos/a.mp4",
        "sha256": "0" * 64,
        "bytes": 12,
        "seconds": 5.04,
        "width": 640,
        "height": 360,
        "fps": 24.0,
        "codec": "h264",
    }
    assert document["thumbnail"] == {"path": "thumbnails/a.jpg"}


@pytest.mark.parametrize("cost", ["0.25", "13.5", "0.1", "1234567.891", "0"])
def test_a_cost_keeps_its_digits(cost: str) -> None:
    value = job_document(replace(PENDING, cost=Decimal(cost)))["cost"]
    assert isinstance(value, float)
    assert Decimal(str(value)) == Decimal(cost)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, None),
        (0.0, "1970-01-01T00:00:00Z"),
        (1_763_906_700.0, "2025-11-23T14:05:00Z"),
        (1_763_906_700.999, "2025-11-23T14:05:00Z"),
    ],
)
def test_times_are_utc_to_the_second(seconds: float | None, text: str | None) -> None:
    assert timestamp(seconds) == text
