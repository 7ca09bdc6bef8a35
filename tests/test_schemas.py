"""The schema of a manifest: sound and complete for an editor; and the first models, as strict as their pages.

`test_models` holds the schema of every model to its page.
"""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from runner.diagnostics.text import Text
from runner.manifest.pictures.inspection import Rules
from runner.manifest.schema.model_schemas import read_model, shipped_schema
from runner.manifest.schema.validation import validator
from runner.manifest.structure import schema
from runner.media import first_picture
from runner.shipped import shipped, shipped_models

SCHEMAS = shipped("schemas")
MANIFEST = SCHEMAS / "manifest.schema.json"
MODELS = ["Kling-Image2Video-V1.6-Pro", "Kling-Image2Video-V1.6-Standard", "Kling-Image2Video-V2-Master"]
PICTURE = "sha256:" + "0a" * 32


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def keys(node, trail=()):
    """Every schema of a key: members of `properties`, and of what further keys may hold."""
    if isinstance(node, dict):
        for name, rules in node.get("properties", {}).items():
            yield (*trail, name), rules
            yield from keys(rules, (*trail, name))
        for word in ("additionalProperties", "items"):
            if isinstance(node.get(word), dict):
                yield (*trail, word), node[word]
                yield from keys(node[word], (*trail, word))
        for name, rules in node.get("$defs", {}).items():
            yield from keys(rules, (*trail, name))


def whole(rules, document):
    """The rules with those that they refer to."""
    reference = rules.get("$ref")
    return {**document["$defs"][reference.removeprefix("#/$defs/")], **rules} if reference else rules


def test_is_draft_2020_12_and_names_no_web_address_of_its_own():
    document = load(MANIFEST)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"].startswith("urn:reelrun:")
    Draft202012Validator.check_schema(document)


def test_explains_every_key():
    document = load(MANIFEST)
    found = [(trail, whole(rules, document)) for trail, rules in keys(document)]
    assert len(found) >= 4
    for trail, rules in found:
        for word in ("title", "description", "examples"):
            # An example of a constant would say nothing more.
            assert rules.get(word) or (word == "examples" and "const" in rules), f"{trail} has no {word}"


def test_defaults_and_examples_are_valid():
    document = load(MANIFEST)
    for trail, rules in [((), document), *keys(document)]:
        check = Draft202012Validator({**rules, "$defs": document.get("$defs", {})})
        for value in [*rules.get("examples", []), *([rules["default"]] if "default" in rules else [])]:
            assert check.is_valid(value), f"{trail}: {value}"


def test_every_key_of_a_manifest_with_a_default_says_so():
    document = load(MANIFEST)
    defaults = {trail[-1]: rules.get("default") for trail, rules in keys(document) if "default" in rules}
    assert defaults["takes"] == 1
    assert defaults["max_jobs"] == 1000
    assert defaults["concurrency"] == 16
    assert defaults["attempts"] == 3
    assert defaults["wait"] == "30m"
    assert defaults["settle"] == "60s"
    assert defaults["verify"] == "decode"
    assert defaults["currency"] == "USD"


def test_the_manifest_schema_is_closed():
    document = load(MANIFEST)
    closed = [document, *(document["$defs"][name] for name in ("image", "prompt", "budget", "run", "output"))]
    assert all(each["additionalProperties"] is False for each in closed)
    assert schema() == document


@pytest.mark.parametrize("model", MODELS)
def test_a_model_says_what_the_api_says(model):
    read = read_model(model, Text(model, shipped_models()[model].read_text("utf-8")))
    assert read.document["title"] == model
    assert read.document["$id"] == f"urn:reelrun:model:{model}"
    assert read.defaults == {"prompt": "", "negative_prompt": "", "duration": "5", "cfg_scale": 0.5}
    assert Rules.of(first_picture(read)) == Rules(10 * 1024 * 1024, 300, (0.4, 2.5), ("JPEG", "PNG"))
    assert [name for name, rules in read.properties.items() if rules.get("x-seconds") is True] == ["duration"]


ACCEPTED = [
    {},
    {"image": "https://example.com/a.jpg"},
    {"image": "iVBORw0KGgo="},
    {"prompt": "x" * 2500, "negative_prompt": "x" * 2500},
    {"duration": "5"},
    {"duration": "10"},
    {"cfg_scale": 0},
    {"cfg_scale": 1},
    {"cfg_scale": 0.25},
]
REFUSED = [
    {"image": "data:image/png;base64,iVBORw0KGgo="},
    {"image": ""},
    {"image": 5},
    {"prompt": "x" * 2501},
    {"negative_prompt": "x" * 2501},
    {"prompt": None},
    {"duration": 5},
    {"duration": "7"},
    {"duration": "5\n"},
    {"cfg_scale": -0.1},
    {"cfg_scale": 1.1},
    {"cfg_scale": "0.5"},
    {"cfg_scale": True},
    {"mode": "pro"},
]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_takes_what_the_api_takes(model):
    check = validator(shipped_schema(model).document)
    assert [payload for payload in ACCEPTED if not check.is_valid({"image": PICTURE, **payload})] == []
    assert [payload for payload in REFUSED if check.is_valid({"image": PICTURE, **payload})] == []
    assert not check.is_valid({"prompt": "no picture"})


# What the pages of these models show: a payload that is complete, and how it may and may not differ.
OTHERS = {
    "kling-v3-image-to-video": (
        {"image": PICTURE, "prompt": "p"},
        [
            {"image_tail": PICTURE},
            {"duration": "3"},
            {"duration": "15"},
            {"sound": "on"},
            {"negative_prompt": "blurry"},
        ],
        [{"image": None}, {"duration": 5}, {"duration": "16"}, {"sound": True}, {"image": "data:image/png;base64,AA"}],
    ),
    "ltx-2-fast-image-to-video": (
        {"image_uri": PICTURE, "prompt": "p", "duration": 6, "resolution": "3840x2160"},
        [
            {"duration": 20, "resolution": "1920x1080"},
            {"duration": 12, "resolution": "1920x1080", "fps": 25},
            {"fps": 50},
        ],
        [{"duration": 12}, {"duration": 12, "resolution": "1920x1080", "fps": 50}, {"duration": 7}, {"duration": "6"}],
    ),
    "vidu-q2-pro-r2v": (
        {"images": [PICTURE], "prompt": "p"},
        [{"images": [PICTURE] * 7}, {"videos": ["https://example.com/a.mp4"]}, {"seed": None}, {"duration": 10}],
        [
            {"images": [PICTURE] * 8},
            {"images": PICTURE},
            {"images": [PICTURE] * 5, "videos": ["https://example.com/a.mp4"]},
            {"duration": 11},
            {"videos": ["https://example.com/a.mp4"] * 3},
        ],
    ),
    "vidu-q3-pro-t2v": (
        {"prompt": "p"},
        [{"duration": 16}, {"audio": True}, {"seed": None}, {"seed": 7}],
        [{"image": PICTURE}, {"duration": 17}, {"audio": "on"}, {"prompt": "x" * 2001}],
    ),
    "wan2.7-i2v": (
        {},
        [
            {"first_frame": PICTURE, "last_frame": None},
            {"first_clip": "https://example.com/a.mp4", "driving_audio": None},
            {"resolution": "720P", "duration": 15, "seed": 2147483647},
        ],
        [{"resolution": "720p"}, {"duration": 1}, {"duration": "5"}, {"seed": -1}, {"prompt": "x" * 1501}],
    ),
}


@pytest.mark.parametrize("model", OTHERS)
def test_a_further_model_takes_what_its_page_shows(model):
    document = shipped_schema(model).document
    check = validator(document)
    whole, accepted, refused = OTHERS[model]
    assert [each for each in ({}, *accepted) if not check.is_valid({**whole, **each})] == []
    assert [each for each in refused if check.is_valid({**whole, **each})] == []
    assert document["title"] == model
    assert document["$id"] == f"urn:reelrun:model:{model}"
    assert document["x-source"].startswith("https://docs.gmicloud.ai/")


def test_references_need_a_picture_or_a_video():
    assert not validator(shipped_schema("vidu-q2-pro-r2v").document).is_valid({"prompt": "p"})


def test_schemas_are_found_beside_the_package_or_inside_it():
    assert Path(SCHEMAS, "manifest.schema.json").is_file()
