"""Every shipped model: its schema is sound, explains itself, and takes and refuses what its page says.

`REELRUN_ALL=1 python -m pytest tests/test_models.py` makes a clip of each in the sandbox, not of some.
"""

import json
import time

import pytest
import requests
from jsonschema import Draft202012Validator

from runner.cli.model_table import markdown
from runner.diagnostics.text import Text
from runner.manifest.json_values import mapping
from runner.manifest.schema.catalogue import shipped_summaries
from runner.manifest.schema.model_schemas import read_model, shipped_schema
from runner.manifest.schema.validation import validator
from runner.manifest.schema.wording import diagnose
from runner.media import first_picture, parameters_of
from runner.sandbox.server import Sandbox, SandboxSettings
from runner.shipped import shipped, shipped_models
from tests.command import ROOT, call
from tests.kit import sampled, write_manifest
from tests.tools.example_header import EXAMPLES

MODELS = list(shipped_models())
PAYLOADS = EXAMPLES / "payloads"
# The suite films some models; all of them take a minute.
FILMED = sampled(MODELS, 9)
PORTABLE = {"seconds", "aspect_ratio", "resolution", "sound", "seed"}


def invalid(model):
    return json.loads((PAYLOADS / f"{model}.json").read_text(encoding="utf-8"))["invalid"]


def test_the_whole_catalogue_is_there():
    assert len(MODELS) >= 68
    assert {path.stem for path in PAYLOADS.iterdir()} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_a_schema_is_sound_and_explains_itself(model):
    document = shipped_schema(model).document
    Draft202012Validator.check_schema(document)
    # The same checks as for a schema of one's own.
    read_model(model, Text(model, json.dumps(document)))
    assert (document["title"], document["$id"]) == (model, f"urn:reelrun:model:{model}")
    assert document["additionalProperties"] is False
    assert set(document.get("required", ())) <= document["properties"].keys()
    assert set(document.get("x-uncertain", ())) <= document["properties"].keys()
    for name, rules in document["properties"].items():
        assert rules["title"], name
        assert rules["description"], name
        check = Draft202012Validator(rules)
        values = [*rules["examples"], *([rules["default"]] if "default" in rules else [])]
        assert all(check.is_valid(value) for value in values), name


@pytest.mark.parametrize("model", MODELS)
def test_it_takes_its_examples_and_refuses_what_its_page_refuses(model):
    document = shipped_schema(model).document
    is_valid = validator(document).is_valid
    assert document["examples"]
    assert all(map(is_valid, document["examples"]))
    cases = invalid(model)
    assert len(cases) >= 2
    for case in cases:
        assert not is_valid(case["payload"])
        found = [(list(each.route), each.code) for each in diagnose(document, case["payload"])]
        assert (case["route"], case["code"]) in found, case


@pytest.mark.parametrize("model", MODELS)
def test_what_it_says_of_itself_can_be_used(model):
    schema = shipped_schema(model)
    for each in parameters_of(schema):
        assert each.encodings
        assert each.role in ("first", "last", "reference", "source")
    for name, rules in schema.properties.items():
        told = mapping(rules).get("x-portable")
        of = told if isinstance(told, str) else mapping(told).get("of", [])
        assert {of} <= PORTABLE if isinstance(of, str) else set(of) <= PORTABLE, name
        for word, value in mapping(mapping(told).get("words")).items():
            assert Draft202012Validator(rules).is_valid(value), (name, word)
            assert len(word.split(" ")) == (1 if isinstance(of, str) else len(of))
    for switch, names in mapping(schema.document.get("x-rewrites")).items():
        assert {switch, *names} <= schema.properties.keys()


def test_a_model_makes_a_clip_in_the_sandbox(tmp_path):
    settings = SandboxSettings(
        tmp_path, shipped("schemas") / "models", seconds=0, queue_seconds=0, clip_height=64, slots=2
    )
    with Sandbox(settings) as sandbox:
        ids = {model: submitted(sandbox, model) for model in FILMED}
        ended = {model: final(sandbox, request_id) for model, request_id in ids.items()}
    assert {model: each["status"] for model, each in ended.items()} == dict.fromkeys(FILMED, "success")


def submitted(sandbox, model):
    body = {"model": model, "payload": shipped_schema(model).document["examples"][0]}
    answer = requests.post(f"{sandbox.base_url}/requests", json=body, timeout=60)
    assert answer.status_code == 200, (model, answer.text)
    return answer.json()["request_id"]


def final(sandbox, request_id):
    while True:
        record = requests.get(f"{sandbox.base_url}/requests/{request_id}", timeout=60).json()
        if record["status"] in ("success", "failed"):
            return record
        time.sleep(0.02)


def test_what_is_shared_stands_once():
    parts = json.loads((shipped("schemas") / "model-parts.schema.json").read_text(encoding="utf-8"))["$defs"]
    used = "".join(path.read_text(encoding="utf-8") for path in shipped_models().values())
    assert all(f'#/$defs/{name}"' in used for name in parts)
    Draft202012Validator.check_schema({"$defs": parts})


def test_the_readme_has_the_table_of_the_files():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("<!-- models -->\n")[2].partition("\n<!-- end of models -->")[0]
    assert table.split("\n") == markdown(shipped_summaries())


# What each model gets of `video: {seconds: 5, aspect_ratio: "16:9", resolution: 720p}`.
PORTED = {
    "kling-v3-image-to-video": {"duration": "5"},
    "wan2.7-i2v": {"duration": 5, "resolution": "720P"},
    "wan2.7-t2v": {"duration": 5, "ratio": "16:9", "resolution": "720P"},
    "wan2.6-t2v": {"duration": 5, "size": "1280*720"},
    "Luma-Ray2": {"duration": "5s", "aspect_ratio": "16:9", "resolution": "720p"},
    "pixverse-v6-i2v": {"duration": 5, "quality": "720p"},
    "seedance-2-0-260128": {"duration": 5, "ratio": "16:9", "resolution": "720p"},
    "happyhorse-1.1-t2v": {"duration": 5, "resolution": "720P"},
    "vidu-q3-pro-t2v": {"duration": 5},
    "kling-v2-5-turbo": {"duration": "5"},
}
VIDEO = {"seconds": 5, "aspect_ratio": "16:9", "resolution": "720p"}


def planned(folder, models, video):
    texts = {model: {"images": "none"} for model in models if first_picture(shipped_schema(model)) is None}
    path = write_manifest(
        folder, models=texts, pictures=2, side=400, model=models, video=video, uploads={"to": "service"},
        prompts=[{"id": "plain", "text": "Mist drifts past, slow push-in"}], lint={"ignore": ["W523", "W804"]},
    )  # fmt: skip
    return call("plan", path, "--json")


def test_ten_models_get_the_same_of_one_manifest_each_in_its_own_words(tmp_path):
    ended = planned(tmp_path, list(PORTED), VIDEO)
    assert ended.code == 0, ended.err
    payloads = {}
    for job in ended.document["jobs"]:
        payloads.setdefault(job["model"], job["payload"])
    found = {model: {name: payloads[model].get(name) for name in told} for model, told in PORTED.items()}
    assert found == PORTED
    assert [each["payload"]["prompt"] for each in ended.document["jobs"]] == ["Mist drifts past, slow push-in"] * len(
        ended.document["jobs"]
    )
    left = {each["message"] for each in ended.document["diagnostics"] if each["code"] == "W522"}
    assert left == {
        "kling-v3-image-to-video, wan2.7-i2v, pixverse-v6-i2v, happyhorse-1.1-t2v, … have no aspect_ratio:"
        " it is left out there",
        "kling-v3-image-to-video, vidu-q3-pro-t2v and kling-v2-5-turbo have no resolution: it is left out there",
    }


def test_what_a_model_does_not_offer_names_the_nearest(tmp_path):
    ended = planned(tmp_path, list(PORTED), {**VIDEO, "seconds": 13})
    assert ended.code == 2
    (found,) = [each for each in ended.document["diagnostics"] if "Luma-Ray2" in each["message"]]
    assert "the nearest is 9" in f"{found['message']} {found['hint']}"
