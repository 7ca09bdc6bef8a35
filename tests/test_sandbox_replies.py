from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from runner.sandbox.album import Album
from runner.sandbox.catalog import Model
from runner.sandbox.records import Request, RequestStatus
from runner.sandbox.replies import detail, model_detail, submitted
from tests.test_sandbox_kit import MODEL, SCHEMA, in_base64, picture_bytes

DIGEST = hashlib.sha256(picture_bytes()).hexdigest()
REQUEST = Request(
    number=1,
    request_id="5d0f7cf4-1c5f-4a63-9b2e-6a1de8a6a111",
    model=MODEL,
    payload=f'{{"image": "sha256:{DIGEST}", "prompt": "p"}}',
    pictures='["image"]',
    filled="{}",
    digest="d",
    ordinal=1,
    status=RequestStatus.QUEUED,
    worker="",
    error="",
    created_at=1700000000.9,
    updated_at=1700000003.2,
    dispatched_at=0,
    video_sha256="v",
    thumbnail_sha256="t",
)


def polled(folder: Path, request: Request) -> dict[str, object]:
    album = Album(folder)
    album.add(picture_bytes(), DIGEST)
    return detail(request, Model(MODEL, SCHEMA), album, "http://host:1")


def test_what_a_submission_is_answered() -> None:
    assert submitted(REQUEST) == {
        "request_id": REQUEST.request_id,
        "model": MODEL,
        "status": "queued",
        "created_at": 1700000000,
        "updated_at": 1700000003,
        "queued_at": 1700000000,
    }


def test_what_a_poll_is_answered(tmp_path: Path) -> None:
    assert polled(tmp_path, REQUEST) == {
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


@pytest.mark.parametrize("status", [RequestStatus.DISPATCHED, RequestStatus.PROCESSING])
def test_on_the_way_there_is_no_outcome(tmp_path: Path, status: RequestStatus) -> None:
    answer = polled(tmp_path, replace(REQUEST, status=status, worker="w"))
    assert (answer["status"], answer["outcome"], answer["qworker_id"]) == (status, {}, "w")


def test_both_shapes_of_a_success(tmp_path: Path) -> None:
    link = f"http://host:1/media/{REQUEST.request_id}"
    odd, even = (
        polled(tmp_path, replace(REQUEST, status=RequestStatus.SUCCESS, number=number))["outcome"] for number in (1, 2)
    )
    assert odd == {"video_url": f"{link}.mp4", "thumbnail_image_url": f"{link}.jpg"}
    assert even == {"media_urls": [{"id": "0", "url": f"{link}.mp4"}], "thumbnail_image_url": f"{link}.jpg"}


def test_a_failure_has_an_empty_outcome_and_a_message(tmp_path: Path) -> None:
    answer = polled(tmp_path, replace(REQUEST, status=RequestStatus.FAILED, error="why"))
    assert (answer["outcome"], answer["error"]) == ({}, "why")


def test_a_url_is_echoed_as_it_is(tmp_path: Path) -> None:
    url = "https://example.com/" + "x" * 100
    request = replace(REQUEST, payload=f'{{"image": "{url}"}}')
    assert polled(tmp_path, request)["payload"] == {"image": url}


def test_files_anywhere_are_echoed_as_they_were_sent(tmp_path: Path) -> None:
    media = {"type": "string", "x-media": {"kind": "image", "encodings": ["data", "base64"]}}
    item = {"type": "object", "properties": {"image_url": media}}
    schema = {"properties": {"list": {"type": "array", "items": item}, "one": media, "prompt": {"type": "string"}}}
    text, reference = in_base64(picture_bytes()), f"sha256:{DIGEST}"

    def payload(file: str) -> dict[str, object]:
        listed = [{"image_url": f"data:image/png;base64,{file}", "type": "end"}, {"image_url": file}]
        return {"list": listed, "one": file, "prompt": reference}

    album = Album(tmp_path)
    album.add(picture_bytes(), DIGEST)
    request = replace(REQUEST, payload=json.dumps(payload(reference)))
    assert detail(request, Model("m", schema), album, "http://host:1")["payload"] == payload(text)


def test_the_types_and_tags_of_a_model_without_pictures() -> None:
    told = model_detail(Model("m", {"properties": {"seed": {"type": ["integer", "null"]}, "any": {}}}), workers=1)
    assert told["tags"] == ["text-to-video", "sandbox"]
    assert [(each["name"], each["type"]) for each in told["parameters"]] == [("seed", "integer"), ("any", "string")]


def test_a_model_is_described_by_its_schema() -> None:
    told = model_detail(Model(MODEL, SCHEMA), workers=3)
    assert (told["model"], told["org_id"], told["qworkers"]) == (MODEL, "sandbox", 3)
    assert told["brief_description"] == "Kling image to video"
    assert told["detailed_description"] == "A picture and a prompt make a video."
    assert told["price_info"] == {"price": 0, "pricing_type": "standard", "unit": "request"}
    names = ("name", "type", "required", "default_value", "options", "min_value", "max_value")
    assert [tuple(each[name] for name in names) for each in told["parameters"]] == [
        ("image", "image", True, None, None, None, None),
        ("prompt", "string", False, "", None, None, None),
        ("negative_prompt", "string", False, "", None, None, None),
        ("duration", "enum", False, "5", ["5", "10"], None, None),
        ("cfg_scale", "float", False, 0.5, None, 0, 1),
    ]
    priced = {**SCHEMA, "x-price": {"amount": 152000, "unit": "second"}}
    info = model_detail(Model(MODEL, priced), workers=3)["price_info"]
    assert info == {"price": 152000, "pricing_type": "standard", "unit": "second"}
