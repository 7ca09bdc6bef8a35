from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.sandbox.answers import Answers, Echo, model_detail
from runner.sandbox.catalog import Model
from runner.sandbox.pictures import Album, sha256
from runner.sandbox.store import Request, Status
from tests.test_sandbox_kit import MODEL, SCHEMA, in_base64, picture_bytes

DIGEST = sha256(picture_bytes())
REQUEST = Request(
    number=1,
    request_id="5d0f7cf4-1c5f-4a63-9b2e-6a1de8a6a111",
    model=MODEL,
    payload='{"image": "", "prompt": "p"}',
    pictures=f'{{"image": "{DIGEST}"}}',
    filled="{}",
    digest="d",
    ordinal=1,
    status=Status.QUEUED,
    worker="",
    error="",
    created_at=1700000000.9,
    updated_at=1700000003.2,
    dispatched_at=0,
    video_sha256="v",
    thumbnail_sha256="t",
)


def answers(folder: Path, echo: Echo = "full") -> Answers:
    album = Album(folder)
    album.add(picture_bytes(), DIGEST)
    return Answers(album, echo)


def test_what_a_submission_is_answered(tmp_path: Path) -> None:
    assert answers(tmp_path).submitted(REQUEST) == {
        "request_id": REQUEST.request_id,
        "model": MODEL,
        "status": "queued",
        "created_at": 1700000000,
        "updated_at": 1700000003,
        "queued_at": 1700000000,
    }


def test_what_a_poll_is_answered(tmp_path: Path) -> None:
    assert answers(tmp_path).detail(REQUEST, "http://host:1") == {
        "request_id": REQUEST.request_id,
        "org_id": "sandbox",
        "model": MODEL,
        "status": "queued",
        "is_public": False,
        "payload": {"image": in_base64(picture_bytes()), "prompt": "p"},
        "outcome": {},
        "created_at": 1700000000,
        "updated_at": 1700000003,
        "queued_at": 1700000000,
        "qworker_id": "",
    }


@pytest.mark.parametrize("status", [Status.DISPATCHED, Status.PROCESSING])
def test_on_the_way_there_is_no_outcome(tmp_path: Path, status: Status) -> None:
    detail = answers(tmp_path).detail(replace(REQUEST, status=status, worker="w"), "http://host:1")
    assert (detail["status"], detail["outcome"], detail["qworker_id"]) == (status, {}, "w")


def test_both_shapes_of_a_success(tmp_path: Path) -> None:
    link = f"http://host:1/media/{REQUEST.request_id}"
    odd, even = (
        answers(tmp_path).detail(replace(REQUEST, status=Status.SUCCESS, number=number), "http://host:1")["outcome"]
        for number in (1, 2)
    )
    assert odd == {"video_url": f"{link}.mp4", "thumbnail_image_url": f"{link}.jpg"}
    assert even == {"media_urls": [{"id": "0", "url": f"{link}.mp4"}], "thumbnail_image_url": f"{link}.jpg"}


def test_a_failure_has_an_empty_outcome_and_a_message(tmp_path: Path) -> None:
    detail = answers(tmp_path).detail(replace(REQUEST, status=Status.FAILED, error="why"), "http://host:1")
    assert (detail["outcome"], detail["error"]) == ({}, "why")


@pytest.mark.parametrize(
    ("echo", "payload"),
    [
        ("full", {"image": in_base64(picture_bytes()), "prompt": "p"}),
        ("short", {"image": in_base64(picture_bytes())[:64], "prompt": "p"}),
        ("none", {"prompt": "p"}),
    ],
)
def test_pictures_are_echoed_as_asked(tmp_path: Path, echo: Echo, payload: dict[str, object]) -> None:
    assert answers(tmp_path, echo).detail(REQUEST, "http://host:1")["payload"] == payload


@pytest.mark.parametrize("echo", ["full", "short", "none"])
def test_a_url_is_echoed_always(tmp_path: Path, echo: Echo) -> None:
    url = "https://example.com/" + "x" * 100
    request = replace(REQUEST, payload=f'{{"image": "{url}"}}', pictures=f'{{"image": "{url}"}}')
    assert answers(tmp_path, echo).detail(request, "http://host:1")["payload"] == {"image": url}


def test_a_model_is_described_by_its_schema() -> None:
    detail = model_detail(Model.of(MODEL, SCHEMA), workers=3)
    assert (detail["model"], detail["org_id"], detail["qworkers"]) == (MODEL, "sandbox", 3)
    assert detail["brief_description"] == "Kling image to video"
    assert detail["detailed_description"] == "A picture and a prompt make a video."
    assert detail["price_info"] == {"price": 0, "pricing_type": "free", "unit": "request"}
    assert detail["parameters"] == [
        {"name": "image", "type": "string", "required": True},
        {"name": "prompt", "type": "string", "required": False, "default": "", "maxLength": 2500},
        {"name": "negative_prompt", "type": "string", "required": False, "default": "", "maxLength": 2500},
        {"name": "duration", "type": "string", "required": False, "default": "5", "enum": ["5", "10"]},
        {"name": "cfg_scale", "type": "number", "required": False, "default": 0.5, "minimum": 0, "maximum": 1},
    ]
