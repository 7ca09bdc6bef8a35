"""From a lockfile and the pictures alone, the same requests, byte for byte."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from runner.api.body import PictureChangedError
from runner.api.frozen_requests import bodies
from runner.errors import DiskError
from runner.planning import lockfile
from tests.faults.harness import run
from tests.faults.service import Call, FaultyService
from tests.kit import few_frames, picture_bytes, write_manifest
from tests.store_proxies import filled
from tests.test_planning_lockfile import lock, whole

INLINE = {"base64": base64.b64encode(picture_bytes(77)).decode(), "id": "inline"}
SWEEP = {
    "images": [{"glob": "looks/*.png"}, INLINE, {"url": "https://example.com/bag.jpg"}],
    "params": {"cfg_scale": 1.0, "negative_prompt": "Grüße, \u2028 blurry"},
}


def alone(folder: Path, target: Path) -> lockfile.Lockfile:
    """The lockfile and the pictures in a folder of their own, half a year later."""
    target.mkdir()
    shutil.copy(folder / "campaign.lock.json", target)
    shutil.copytree(folder / "looks", target / "looks")
    return lockfile.read(target / "campaign.lock.json")


def test_what_a_run_submits_is_made_again_byte_for_byte(tmp_path):
    path = whole(tmp_path / "git", **SWEEP)
    lock(path)
    sent: list[bytes] = []

    def keep(call: Call) -> None:
        call.read()
        sent.append(call.body)
        accepted = call.accept()
        call.answer(200, {"request_id": accepted.id, "model": accepted.model, "status": "queued"})

    with FaultyService(few_frames()) as service:
        service.always["submit"] = keep
        run(path, service)
    again = [b"".join(body) for _, body in bodies(alone(tmp_path / "git", tmp_path / "later"))]
    assert len(again) == 24
    assert sorted(again) == sorted(sent)


def test_a_picture_that_is_not_the_frozen_one_is_refused(tmp_path):
    path = whole(tmp_path / "git", **SWEEP)
    lock(path)
    frozen = alone(tmp_path / "git", tmp_path / "later")
    picture = tmp_path / "later" / "looks" / "l0.png"
    picture.write_bytes(picture.read_bytes()[:-1] + b"?")
    with pytest.raises(PictureChangedError):
        [b"".join(body) for _, body in bodies(frozen)]
    picture.unlink()
    with pytest.raises(DiskError, match=r"looks/l0\.png cannot be read"):
        list(bodies(frozen))


def test_media_of_parameters_are_frozen_too(tmp_path):
    path = whole(
        tmp_path / "git",
        images=[{"file": "looks/l0.png", "id": "looks/l1.png"}],
        model="kling-v3-image-to-video",
        prompts=[{"id": "plain", "text": "A slow pan"}],
        params={"image_tail": "looks/l1.png"},
        matrix={},
    )
    lock(path)
    frozen = alone(tmp_path / "git", tmp_path / "later")
    assert list(frozen.section("pictures")) == ["./looks/l1.png", "looks/l1.png"]
    with FaultyService(few_frames()) as service:
        run(path, service)
        (accepted,) = service.accepted
    ((_, body),) = bodies(frozen)
    assert json.loads(b"".join(body))["payload"] == accepted.payload
    assert service.content_of(accepted.payload["image"]) != service.content_of(accepted.payload["image_tail"])


def test_a_picture_of_a_bucket_is_found_there(tmp_path, monkeypatch):
    with filled("moto", f"frozen-{uuid4().hex}", tmp_path / "cache", monkeypatch) as store:
        path = write_manifest(tmp_path / "git", images=[{"file": store.put("shoe.jpg", picture_bytes(7))}])
        lock(path)
        ((_, body),) = bodies(lockfile.read(tmp_path / "git" / "campaign.lock.json"))
        assert base64.b64encode(picture_bytes(7)) in b"".join(body)
        store.bucket.remove("shoe.jpg")
        with pytest.raises(DiskError, match="does not exist"):
            list(bodies(lockfile.read(tmp_path / "git" / "campaign.lock.json")))
