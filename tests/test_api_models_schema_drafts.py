from __future__ import annotations

import json

from runner.api.models.model_records import record_of
from runner.api.models.schema_drafts import draft
from runner.diagnostics.text import Text
from runner.manifest.schema.model_schemas import read_model
from runner.manifest.schema.validation import validator
from runner.media import first_picture, parameters_of
from runner.shipped import shipped_models

PARAMETERS = [
    {"name": "prompt", "type": "string", "required": True, "description": "What happens."},
    {"name": "first_image", "type": "image", "required": True},
    {"name": "end_image", "type": "image"},
    {"name": "ref_images", "type": "json array"},
    {"name": "voice", "type": "audio"},
    {"name": "duration", "type": "enum", "options": ["5", "10"], "default_value": "5"},
    {"name": "seed", "type": "integer", "min_value": 0, "max_value": 4294967295},
    {"name": "strength", "type": "float", "min_value": 0.0, "max_value": 0.5},
    {"name": "generate_audio", "type": "boolean"},
    {"name": "camera.24", "type": "string"},
]


def drafted(**members):
    return draft(
        record_of({"parameters": PARAMETERS, **members}, "new-model"), "https://service/models/new-model", "2026-11-28"
    )


def test_a_draft_is_a_schema_of_a_model_as_it_stands():
    document = drafted()
    schema = read_model("new-model", Text("draft", json.dumps(document)))
    assert first_picture(schema).name == "first_image"
    assert [(each.name, each.kind, each.role) for each in parameters_of(schema)] == [
        ("first_image", "image", "first"), ("end_image", "image", "last"), ("voice", "audio", "source"),
    ]  # fmt: skip
    check = validator(document)
    whole = {"prompt": "p", "first_image": "https://example.com/a.jpg"}
    for each in ({}, {"duration": "10"}, {"seed": 0}, {"strength": 0.5}, {"ref_images": []}, {"camera.24": "x"}):
        assert check.is_valid({**whole, **each}), each
    for each in ({"duration": 5}, {"seed": -1}, {"strength": 0.6}, {"generate_audio": "on"}, {"other": 1}):
        assert not check.is_valid({**whole, **each}), each
    assert not check.is_valid({"prompt": "p"})


def test_a_draft_says_where_it_is_from_and_what_it_cannot_know():
    document = drafted(brief_description="A new model.")
    assert document["x-source"] == "https://service/models/new-model"
    assert document["x-seen"] == "2026-11-28"
    assert document["x-uncertain"] == ["first_image", "end_image", "ref_images", "voice"]
    assert document["description"] == "A new model."


def test_a_default_is_told_and_not_sent():
    rules = drafted()["properties"]["duration"]
    assert "default" not in rules
    assert rules["description"] == "The service tells the default '5'."
    assert (rules["x-portable"], rules["x-seconds"]) == ("seconds", True)


def test_portable_names():
    properties = drafted()["properties"]
    found = {name: rules["x-portable"] for name, rules in properties.items() if "x-portable" in rules}
    assert found == {"duration": "seconds", "seed": "seed", "generate_audio": "sound"}


def test_an_empty_record_makes_an_empty_schema():
    document = draft(record_of({}, "m"), "s", "d")
    assert (document["required"], document["properties"]) == ([], {})
    assert "m" not in shipped_models()
