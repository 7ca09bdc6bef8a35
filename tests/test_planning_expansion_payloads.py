"""Prepared requests say what the general way says: of payloads, their validity and their fingerprints."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.manifest.pictures.media_files import MediaFiles
from runner.manifest.reader import load
from runner.manifest.schema.model_schemas import shipped_schema
from runner.model import Image, ModelSchema, Origin, Prompt, fingerprint
from runner.planning.expansion.arms import Compiler
from runner.planning.expansion.payloads import Payloads
from runner.planning.plan_diagnostics import PlanDiagnostics
from runner.planning.templates.template import Templates
from runner.shipped import shipped_models
from tests.kit import write_manifest

SCHEMA = shipped_schema(next(iter(shipped_models())))
IMAGE = Image("p", Origin.URL, "https://example.com/a.jpg", "https://example.com/a.jpg", {}, ())
WORDS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "negative_prompt": st.sampled_from(["", "blurry 100%", "{{ a }}", "{{ none }}", None, 5]),
        "duration": st.sampled_from(["5", "10", "7", "{{ b }}", None, 5]),
        "cfg_scale": st.sampled_from([0, 0.5, 1.0, 7, "{{ c }}", "{{ none }}", "x"]),
        "mode": st.sampled_from(["fast", "{{ a }}"]),
    },
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return load(write_manifest(tmp_path_factory.mktemp("requests")))


def requests_of(manifest, schema, text, params):
    prompt = Prompt("a", text, params, ("prompts", 0))
    (arm,) = Compiler(Templates(), PlanDiagnostics(manifest)).arms(replace(manifest, prompts=(prompt,))).values()
    return Payloads(arm, schema, MediaFiles(manifest.path.parent))


def unexpected(parameter, found):
    raise AssertionError(found)


@given(
    params=PARAMS,
    text=st.sampled_from(["still", "{{ a }} pans", "100 % {{ a }} %s"]),
    a=WORDS,
    b=st.sampled_from(["5", "10", "", 5]),
    c=st.one_of(st.floats(-1, 2), st.integers(-1, 2), WORDS),
    more=st.sampled_from([{}, {"additionalProperties": True}, {"dependentRequired": {"cfg_scale": ["mode"]}}]),
)
def test_prepared_and_general_agree(manifest, params, text, a, b, c, more):
    schema = ModelSchema("m%", {**SCHEMA.document, **more})
    requests, general = requests_of(manifest, schema, text, params), Draft202012Validator(schema.document)
    for variables in ({"a": a, "b": b, "c": c}, {"a": c, "b": a, "c": 1}):
        payload = requests.payload(variables, IMAGE, unexpected)
        assert payload["image"] == IMAGE.reference
        assert requests.is_valid(payload) is general.is_valid(payload)
        assert requests.fingerprint(payload) == fingerprint("m%", payload)
        assert not [name for name, value in payload.items() if value is None]


def test_every_fault_of_a_cell_is_told(manifest):
    requests = requests_of(manifest, SCHEMA, "{{ x }}", {"negative_prompt": "{{ y }}", "cfg_scale": "{{ a }}"})
    found = []
    payload = requests.payload({"a": 1}, IMAGE, lambda parameter, fault: found.append((parameter.name, fault.place)))
    assert set(payload) == {"image", "duration", "cfg_scale"}
    assert [(name, place.route) for name, place in found] == [
        ("prompt", ("prompts", 0, "text")), ("negative_prompt", ("prompts", 0, "params", "negative_prompt")),
    ]  # fmt: skip


def test_the_asked_length(manifest):
    for value, seconds in (("10", 10.0), ("{{ b }}", 5.0), ("{{ none }}", 5.0), ("soon", None)):
        requests = requests_of(manifest, SCHEMA, "x", {"duration": value})
        payload = requests.payload({"b": "5"}, IMAGE, unexpected)
        assert requests.seconds(payload) == seconds


def test_null_is_sent_where_it_is_written_and_the_model_has_it(manifest):
    rules = {"prompt": {}, "tail": {"type": ["string", "null"]}, "seed": {"type": "integer"}, "n": {"default": None}}
    schema = ModelSchema("m", {"properties": rules})
    written = {"tail": None, "seed": None}
    assert requests_of(manifest, schema, "x", written).payload({}, IMAGE, unexpected) == {"prompt": "x", "tail": None}
    templates = {"tail": "{{ none }}", "seed": "{{ none }}"}
    assert requests_of(manifest, schema, "x", templates).payload({}, IMAGE, unexpected) == {"prompt": "x"}
    requests = requests_of(manifest, schema, "x", written)
    payload = requests.payload({}, IMAGE, unexpected)
    assert requests.fingerprint(payload) == fingerprint("m", payload)


def test_media_of_parameters_become_references(manifest):
    picture = manifest.images[0]
    listed = {"type": "array", "items": {"properties": {"url": {"x-media": {"kind": "image", "role": "first"}}}}}
    schema = ModelSchema("m", {"properties": {"prompt": {}, "list": listed}})
    params = {"list": [{"url": "{{ name }}.jpg"}, {"url": IMAGE.location}]}
    requests = requests_of(manifest, schema, "x", params)
    payload = requests.payload({"name": "p0"}, IMAGE, unexpected)
    assert payload == {
        "prompt": "x",
        "list": [{"url": IMAGE.reference}, {"url": picture.reference}, {"url": IMAGE.location}],
    }
    assert requests.fingerprint(payload) == fingerprint("m", payload)
    found = []
    requests.payload({"name": "none"}, IMAGE, lambda parameter, fault: found.append((parameter.name, fault)))
    ((name, fault),) = found
    assert (name, fault.diagnostic.code) == ("list", "E401")
    assert fault.place.route == ("prompts", 0, "params", "list", 0, "url")
