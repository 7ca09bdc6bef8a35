"""Portable parameters that a model does not have are told."""

from __future__ import annotations

from runner.manifest.reader import load
from runner.planning.lints.left_out import left_out_parameters
from tests.kit import MODEL, write_manifest


def test_what_is_left_out_is_told_once_for_all_models(tmp_path):
    path = write_manifest(
        tmp_path,
        side=400,
        model=[MODEL, "kling-v3-image-to-video", "wan2.7-i2v"],
        video={"seconds": 5, "sound": True, "aspect_ratio": "16:9"},
    )
    found = [(each.code, each.message) for each in left_out_parameters(load(path))]
    assert found == [
        ("W522", f"{MODEL} and wan2.7-i2v have no sound: it is left out there"),
        ("W522", f"{MODEL}, kling-v3-image-to-video and wan2.7-i2v have no aspect_ratio: it is left out there"),
    ]
