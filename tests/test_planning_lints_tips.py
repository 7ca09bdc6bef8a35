from __future__ import annotations

import pytest

from runner.manifest.schema.model_schemas import shipped_schema
from runner.model import ModelSchema
from runner.planning.lints.tips import ModelTips, seconds_of


def of(**properties: object) -> ModelTips:
    return ModelTips.of(ModelSchema("own", {"properties": {"image": {}, **properties}}))  # type: ignore[dict-item]


ADHERENCE = {"cfg_scale": {"creative": (0.3, 0.5), "strict adherence": (0.7, 1)}}
LENGTHS = {
    "Kling-Image2Video-V1.6-Standard": ("duration", "10"),
    "Luma-Ray2": ("duration", "9s"),
    "Veo3": ("durationSeconds", "8"),
    "kling-v3-image-to-video": ("duration", "15"),
    "ltx-2-fast-image-to-video": ("duration", 20),
    "sora-2-pro": ("seconds", "12"),
    "vidu-q2-pro-r2v": ("duration", 10),
    "vidu-q3-pro-t2v": ("duration", 16),
    "wan2.7-i2v": ("duration", 15),
}


@pytest.mark.parametrize("model", LENGTHS)
def test_the_tips_of_shipped_models(model):
    ranges = ADHERENCE if model.startswith("Kling-") else {}
    assert ModelTips.of(shipped_schema(model)) == ModelTips(ranges, *LENGTHS[model])


def test_a_model_without_tips():
    assert of(prompt={"type": "string"}) == ModelTips({}, "", None)


@pytest.mark.parametrize(
    ("rules", "longest"),
    [
        ({"enum": ["5", "10"]}, "10"),
        ({"enum": [10, 5, 3]}, 10),
        ({"enum": ["5"]}, None),
        ({"const": 5}, None),
        ({"enum": ["short", "long"]}, None),
        ({"type": "integer", "minimum": 3, "maximum": 15}, 15),
        ({"type": "integer", "minimum": 5, "maximum": 5}, None),
        ({"type": "integer", "maximum": 15}, None),
        ({"type": "integer"}, None),
    ],
)
def test_the_longest_length(rules, longest):
    assert of(seconds={**rules, "x-seconds": True}) == ModelTips({}, "seconds", longest)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), (7, 7.0), (2.5, 2.5), ("x", None), ("0", None), (-1, None), ("inf", None), (None, None), ([], None)],
)
def test_what_a_value_asks_for(value, seconds):
    assert seconds_of(value) == seconds
