"""Images and models that do not fit together, and pictures that must have the size of another parameter."""

from __future__ import annotations

import json

import pytest

from runner.errors import ManifestError
from runner.manifest.reader import load
from runner.planning.plan import make_plan
from tests.kit import MODEL, picture_bytes, write_manifest

TEXT, LAST = "vidu-q3-pro-t2v", "kling-v3-image-to-video"
NONE: dict[str, object] = {"images": "none"}


def made(folder, **keys):
    return [each.job.key for each in make_plan(load(write_manifest(folder, **keys))).jobs]


def wrong(folder, **keys):
    with pytest.raises(ManifestError) as caught:
        made(folder, **keys)
    return [(each.code, each.message) for each in caught.value.diagnostics]


def test_a_model_without_pictures_among_others(tmp_path):
    keys = {"pictures": 2, "model": [MODEL, TEXT], "takes": 2}
    assert wrong(tmp_path, **keys) == [("E511", f"{TEXT} takes no picture, and the manifest has images")]
    assert made(tmp_path, **keys, models={TEXT: NONE}) == [
        *(f"p{number}/plain/{MODEL}/take-{take}" for number in (0, 1) for take in (1, 2)),
        *(f"plain/{TEXT}/take-{take}" for take in (1, 2)),
    ]


def test_arms_for_some_pictures_are_not_for_a_model_without(tmp_path):
    prompts = [{"id": "some", "text": "A slow pan", "images": ["p0"]}, {"id": "all", "text": "A slow tilt"}]
    keys = {"pictures": 2, "prompts": prompts, "model": [MODEL, TEXT], "models": {TEXT: NONE}}
    expected = [f"p0/some/{MODEL}/take-1", *(f"p{n}/all/{MODEL}/take-1" for n in (0, 1)), f"all/{TEXT}/take-1"]
    assert made(tmp_path, **keys) == expected


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"model": MODEL, "images": []}, []),
        ({"model": MODEL, "models": {MODEL: NONE}}, [("E512", f"{MODEL} needs a picture, and gets none")]),
        (
            {"model": [MODEL, LAST], "models": {LAST: NONE}},
            [("E512", f"{LAST} needs a picture, and gets none")],
        ),
        (
            {"model": LAST, "params": {"image": "p0.jpg"}},
            [("E513", f"image of {LAST} is filled by images already")],
        ),
        (
            {"model": LAST, "prompts": [{"id": "a", "text": "A slow pan", "params": {"image": "p0.jpg"}}]},
            [("E513", f"image of {LAST} is filled by images already")],
        ),
    ],
)
def test_what_does_not_fit_is_told_alone(tmp_path, keys, found):
    assert [each for each in wrong(tmp_path, **keys) if each[0].startswith("E5")] == found


def test_a_picture_may_come_from_params_alone(tmp_path):
    assert made(tmp_path, model=LAST, params={"image": "p0.jpg"}, models={LAST: NONE}) == ["plain/take-1"]
    assert made(tmp_path, model="vidu-q2-pro-r2v", params={"images": ["p0.jpg"]}) == ["p0/plain/take-1"]


def test_a_picture_must_be_as_large_as_another_parameter_says(tmp_path):
    told = {"kind": "image", "role": "first", "sizeOf": "size"}
    size = {"enum": ["1280x720", "320*320"], "default": "1280x720"}
    document = {"properties": {"input_reference": {"x-media": told}, "prompt": {}, "size": size}}
    (tmp_path / "own.json").write_text(json.dumps(document))
    keys = {"model": "own", "models": {"own": "own.json"}, "matrix": {"size": ["1280x720", "320*320"]}}
    found = wrong(tmp_path, **keys, params={"size": "{{ size }}"})
    (told,) = [message for code, message in found if code == "E404"]
    assert told.startswith("p0 has 320 x 320 px; size is 1280x720, and they must agree (in 1 of 2 cells: p0/plain/")
    (tmp_path / "wide.jpg").write_bytes(picture_bytes(7, 1280, 720))
    images = [{"file": "wide.jpg"}, {"url": "https://example.com/a.jpg"}]
    assert made(tmp_path, model="own", models={"own": "own.json"}, images=images) == [
        "wide/plain/take-1",
        "a/plain/take-1",
    ]
