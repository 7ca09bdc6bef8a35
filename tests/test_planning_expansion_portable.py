"""Portable parameters: one value in the words and types of any model, and what a model does not offer."""

from __future__ import annotations

import pytest

from runner.manifest.schema.catalogue import shipped_summaries
from runner.manifest.schema.model_schemas import shipped_schema
from runner.model import ModelSchema
from runner.planning.expansion.evaluation import Parameter, PlacedTemplateError
from runner.planning.expansion.portable import left_out, ported
from runner.planning.plan_diagnostics import Place

PAIRS = {"16:9 720p": "1280*720", "9:16 720p": "720*1280", "16:9 1080p": "1920*1080"}
BOTH = {"of": ["aspect_ratio", "resolution"], "words": PAIRS}


def carried(properties, **values):
    """What a model gets of these portable values."""
    schema = properties if isinstance(properties, ModelSchema) else ModelSchema("m", {"properties": properties})
    portable = {
        name: Parameter(name, lambda context, value=value: value, Place(("video", name)), ())
        for name, value in values.items()
    }
    return {each.name: each.evaluate({}) for each in ported(portable, schema)}


def refusal(properties, **values):
    with pytest.raises(PlacedTemplateError) as caught:
        carried(properties, **values)
    assert caught.value.diagnostic.code == "E323"
    return caught.value.diagnostic


@pytest.mark.parametrize(
    ("rules", "value", "found"),
    [
        ({"type": "string", "enum": ["5", "10"]}, 5, "5"),
        ({"type": "string", "enum": ["5", "10"]}, 10.0, "10"),
        ({"type": "string", "enum": ["5", "10"]}, "5", "5"),
        ({"type": "integer", "minimum": 2, "maximum": 15}, 5, 5),
        ({"type": "integer", "minimum": 2, "maximum": 15}, 5.0, 5),
        ({"type": "integer"}, "5", 5),
        ({"type": "number"}, "2.5", 2.5),
        ({"type": ["integer", "string"]}, 5, 5),
        ({"type": ["integer", "null"]}, 7, 7),
        ({"type": "boolean"}, False, False),
        ({"type": "string"}, 2147483647, "2147483647"),
        ({"enum": [6, 8]}, 6, 6),
        ({}, "16:9", "16:9"),
        # What is wrong in another way than its value is left to the schema.
        ({"type": "integer"}, "soon", "soon"),
        ({"type": "integer"}, "inf", "inf"),
        ({"type": "string"}, True, True),
        ({"type": "string"}, None, None),
    ],
)
def test_a_value_gets_the_type_of_the_parameter(rules, value, found):
    made = carried({"length": {**rules, "x-portable": "seconds"}}, seconds=value)
    assert (made, type(made["length"])) == ({"length": found}, type(found))


@pytest.mark.parametrize(
    ("portable", "values", "found"),
    [
        ({"of": "seconds", "words": {"5": "5s", "10": "10s"}}, {"seconds": 5}, "5s"),
        ({"of": "seconds", "words": {"5": "5s"}}, {"seconds": 5.0}, "5s"),
        ({"of": "sound", "words": {"true": "on", "false": "off"}}, {"sound": True}, "on"),
        ({"of": "resolution", "words": {"720p": "720P"}}, {"resolution": " 720P"}, "720P"),
        (BOTH, {"aspect_ratio": "9:16", "resolution": "720p"}, "720*1280"),
        # The other one of a pair is as in the default.
        (BOTH, {"aspect_ratio": "9:16"}, "720*1280"),
        (BOTH, {"resolution": "1080p"}, "1920*1080"),
        (BOTH, {"resolution": "1080p", "aspect_ratio": None}, "1920*1080"),
        (BOTH, {"resolution": None}, None),
    ],
)
def test_a_value_in_the_words_of_the_model(portable, values, found):
    assert carried({"x": {"default": "1280*720", "x-portable": portable}}, **values) == {"x": found}


def test_half_of_a_pair_without_a_default():
    assert carried({"size": {"x-portable": BOTH}}, resolution="1080p") == {"size": "1920*1080"}
    found = refusal({"size": {"x-portable": BOTH}}, resolution="720p")
    assert found.hint == "give aspect_ratio, too: it offers 16:9 720p and 9:16 720p"


@pytest.mark.parametrize(
    ("rules", "values", "message", "hint"),
    [
        (
            {"enum": ["5", "10"], "type": "string", "x-portable": "seconds"},
            {"seconds": 7},
            "m does not offer seconds 7",
            'the nearest is "5"; it offers "5" and "10"',
        ),
        (
            {"type": "integer", "minimum": 2, "maximum": 15, "x-portable": "seconds"},
            {"seconds": 20},
            "m does not offer seconds 20",
            "the nearest is 15; it offers numbers between 2 and 15",
        ),
        (
            {"type": "integer", "minimum": 2, "maximum": 15, "x-portable": "seconds"},
            {"seconds": 1},
            "m does not offer seconds 1",
            "the nearest is 2; it offers numbers between 2 and 15",
        ),
        (
            {"x-portable": {"of": "resolution", "words": {"480p": "a", "1080p": "b", "2160p": "c"}}},
            {"resolution": "800p"},
            'm does not offer resolution "800p"',
            "the nearest is 1080p; it offers 480p, 1080p and 2160p",
        ),
        (
            {"x-portable": BOTH},
            {"aspect_ratio": "9:16", "resolution": "1080p"},
            'm does not offer aspect_ratio "9:16" resolution "1080p"',
            "the nearest is 9:16 720p; it offers 16:9 720p, 9:16 720p and 16:9 1080p",
        ),
        (
            {"x-portable": {"of": "sound", "words": {"true": "on"}}},
            {"sound": False},
            "m does not offer sound false",
            "the nearest is true; it offers true",
        ),
    ],
)
def test_what_a_model_does_not_offer_names_the_nearest(rules, values, message, hint):
    found = refusal({"x": rules}, **values)
    assert (found.message, found.hint) == (message, hint)


def test_what_a_model_has_no_parameter_for():
    schema = ModelSchema("m", {"properties": {"n": {"x-portable": "seconds"}, "size": {"x-portable": BOTH}}})
    assert left_out(["seconds", "sound", "resolution", "seed"], schema) == ["sound", "seed"]
    assert carried(schema, sound=True, seed=7) == {}


VIDEO = {"seconds": 10, "aspect_ratio": "16:9", "resolution": "1080p", "sound": False, "seed": 7}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("Kling-Image2Video-V1.6-Standard", {"duration": "10"}),
        ("kling-v3-image-to-video", {"duration": "10", "sound": "off"}),
        ("ltx-2-fast-image-to-video", {"duration": 10, "resolution": "1920x1080", "generate_audio": False}),
        ("vidu-q2-pro-r2v", {"duration": 10, "seed": 7}),
        ("vidu-q3-pro-t2v", {"duration": 10, "audio": False, "seed": 7}),
        ("wan2.7-i2v", {"duration": 10, "resolution": "1080P", "seed": 7}),
    ],
)
def test_one_video_for_the_shipped_models(model, expected):
    assert carried(shipped_schema(model), **VIDEO) == expected


def test_every_shipped_model_with_a_length_takes_the_portable_one():
    lengths = [each.id for each in shipped_summaries() if each.seconds]
    assert len(lengths) > 50
    assert [model for model in lengths if left_out(["seconds"], shipped_schema(model))] == []
