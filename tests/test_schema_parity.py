"""jsonschema-rs and the jsonschema package give one verdict on what we have; and reading agrees with the schema."""

import json
import math
from functools import partial

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import runner
from runner.errors import ManifestError
from runner.manifest.files import read_text
from runner.manifest.reader import read
from runner.manifest.schema.model_schemas import shipped_schema
from runner.manifest.schema.validation import validator
from runner.manifest.schema.wording import diagnose
from runner.manifest.structure import schema
from runner.manifest.yaml.document import parse
from runner.shipped import shipped_models
from tests.tools.example_header import EXAMPLES, FILES, INVALID, VALID, name_of

BOTH = (*VALID, *INVALID)
MODELS = {name: shipped_schema(name).document for name in shipped_models()}
SOME_MODELS = list(MODELS.values())[::24]
# What reading refuses, and a schema cannot say; each with the examples that show it.
BEYOND = {
    "ids come from the names of files and addresses, and stand once": {
        "id-missing-url", "id-twice-glob", "id-twice-images", "id-twice-prompts", "id-twice-table",
        "table-cell-after-a-line-break", "table-of-a-spreadsheet", "table-one-picture-twice",
    },
    "a model needs a schema, and that file has to be sound": {
        "model-schema-doubling", "model-schema-wrong", "model-settings-of-a-model-unknown", "model-unknown",
        "model-unknown-one",
    },
    "defaults are merged before the schema is asked": {"defaults-with-errors"},
    "letters of names are those of Python, beyond what a pattern can list": {"form-variable-sign"},
    "the parts of a duration are added up": {"range-wait"},
    "addresses in buckets are read part by part": {"mirror-addresses"},
    "stores sign addresses for seven days": {"uploads-to-a-bucket-for-too-long"},
    "money is counted in billionths": {"range-price-too-fine"},
    "parameters that are written out are those of the model's schema": {
        "many-in-one-line", "model-settings-parameter-unknown", "payload-duration-float", "payload-duration-integer",
        "payload-duration-other", "payload-duration-with-a-zero", "payload-negative-prompt-list",
        "payload-negative-prompt-no", "payload-parameter-of-another-model", "payload-parameter-unknown",
        "payload-scale-exponent", "payload-scale-in-quotes", "payload-scale-on", "payload-scale-too-large",
    },
}  # fmt: skip
OF_SCHEMA = ("E201", "E202", "E203", "E204", "E205", "E206", "E207", "E208", "E210")


@pytest.fixture(autouse=True)
def _at_examples(monkeypatch):
    monkeypatch.chdir(EXAMPLES)


def verdicts(document, value):
    """What is said of a value: by ours, by the reference implementation, and in words."""
    return {
        "ours": validator(document).is_valid(value),
        "jsonschema": Draft202012Validator(document).is_valid(value),
        "words": not diagnose(document, value),
    }


def agreed(document, value):
    """The one verdict."""
    found = verdicts(document, value)
    assert len(set(found.values())) == 1, (found, value)
    return found["ours"]


def document_of(path):
    """An example as far as YAML goes; None where its text is not YAML, or has values that JSON has not."""
    try:
        return parse(read_text(path, path.name, 1 << 20))
    except ManifestError:
        return None


PARSED = {path: document_of(path) for path in BOTH}
YAML = [path for path, document in PARSED.items() if document is not None]


def example_manifest(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@example_manifest(YAML)
def test_one_verdict_on_an_example(path):
    is_valid = agreed(schema(), PARSED[path].value)
    if path in VALID:
        assert is_valid


@example_manifest(YAML)
def test_reading_agrees_with_the_schema(path):
    is_valid = validator(schema()).is_valid(PARSED[path].value)
    reading = read(path.relative_to(EXAMPLES), allow_outside=[FILES])
    refused = any(each.code.startswith("E2") for each in reading.diagnostics)
    if not is_valid:
        assert reading.manifest is None
        assert any(each.code in OF_SCHEMA for each in reading.diagnostics)
    assert refused == (not is_valid or any(path.stem in stems for stems in BEYOND.values()))


def test_what_a_schema_cannot_say_is_shown():
    stems = {path.stem for path in YAML if validator(schema()).is_valid(PARSED[path].value)}
    assert {stem for shown in BEYOND.values() for stem in shown} <= stems


def test_both_verdicts_are_there():
    found = [validator(schema()).is_valid(PARSED[path].value) for path in YAML]
    assert found.count(True) >= 100
    assert found.count(False) >= 80


# Near an example: values of it replaced, left out or added to.
EDGES = st.sampled_from(
    [
        None, True, False, 0, 1, -1, 1.0, 0.5, 1.5, 2, 1000, 1001, 10_000, 10_001, 5_000_000, 5_000_001, 31_536_000,
        31_536_000.5, -0.0, 1e300, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, "", " ", "a", "a\n", "\n", "a\nb", "\x7f",
        "\x80", "\x9f", "\xa0", "\u2028", "é", "e\u0301", "\uffff", "𝒳", "👟" * 200, "x" * 200, "x" * 201, "x" * 300,
        "x" * 301, "USD", "usd", "USDX", "USD\n", "ÀÉÎ", "30m", "30m\n", "1h30m", "90", "90s", "1.5h", "1.h", "٣٠m",
        "３０m", "h", "10000h", "decode", "header", "in", "in\n", "not", "self", "٣", "a٣", "image", "prompt", [],
        [None], ["a", "a"], ["a", "a\n"], [1, 1.0], {}, {"a": 1}, {"": 1}, {"in": 1}, {"a\n": 1}, {"image": 1},
        {"count": 1},
    ]
)  # fmt: skip
WORDS = st.text(max_size=3) | st.sampled_from(["name", "id", "url", "file", "takes", "sample", "zip", "in", "in\n"])
CHANGES = st.sampled_from(
    [
        lambda old, edge, word: edge,
        lambda old, edge, word: {**old, word: edge} if isinstance(old, dict) else edge,
        lambda old, edge, word: [*old, edge] if isinstance(old, list) else [old],
        lambda old, edge, word: dict(list(old.items())[1:]) if isinstance(old, dict) else None,
        lambda old, edge, word: f"{old}\n",
    ]
)
SMALL = [PARSED[path].value for path in VALID if len(json.dumps(PARSED[path].value)) < 3000]


def routes(value, route=()):
    """The places of a value where something else may stand."""
    yield route
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in steps:
        yield from routes(each, (*route, step))


def changed(value, route, change):
    """A copy of a value, changed at a route."""
    if not route:
        return change(value)
    step, *rest = route
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[step] = changed(value[step], rest, change)
    return copy


@st.composite
def near_an_example(draw):
    value = draw(st.sampled_from(SMALL))
    for _ in range(draw(st.integers(1, 2))):
        route = draw(st.sampled_from(list(routes(value))))
        change, edge, word = draw(CHANGES), draw(EDGES), draw(WORDS)
        value = changed(value, route, partial(change, edge=edge, word=word))
    return value


@given(near_an_example())
def test_one_verdict_near_an_example(value):
    agreed(schema(), value)


@given(value=near_an_example())
def test_what_the_schema_refuses_is_never_read_as_sound(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "near.yaml"
    path.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), encoding="utf-8")
    document = document_of(path)
    if document is None or not validator(schema()).is_valid(document.value):
        reading = read(path)
        assert reading.manifest is None
        assert any(each.code.startswith(("E1", "E2")) for each in reading.diagnostics)


# Payloads.


@example_manifest(VALID)
def test_one_verdict_on_every_planned_payload(path):
    manifest = runner.load(name_of(path), allow_outside=[FILES])
    jobs = [planned.job for planned in runner.plan(manifest).jobs]
    assert jobs
    for job in jobs:
        payload = dict(job.payload)
        assert agreed(manifest.schemas[job.model].document, payload)
        for document in SOME_MODELS:
            agreed(document, payload)


NEAR_TEXT = st.builds(
    lambda sign, length, more: sign * length + more,
    st.sampled_from(["x", "é", "👟", "e\u0301", "\u200d", "\n"]),
    st.integers(0, 3) | st.integers(2498, 2502),
    st.sampled_from(["", "\n", "\r\n", "\x00", "\u2028"]),
)
NEAR_NUMBER = (
    st.sampled_from(
        [0, 1, -1, 2, 0.0, -0.0, 1.0, math.nextafter(0, -1), math.nextafter(1, 2), math.nextafter(1, 0), 1e-300]
    )
    | st.sampled_from([2**53 + 1, 2**63, 2**64, 10**30, -(2**64), 1e300, 5e-324])
    | st.floats(-0.1, 1.1)
)
NEAR_DURATION = st.sampled_from(["5", "10", "5\n", " 5", "05", "5.0", "", "７", "５", 5, 10, 5.0, "15"])
PREFIX = st.sampled_from(
    ["data:", "DATA:", "dAtA:", "data :", "\ndata:", " data:", "data", "ｄata:", "daţa:", "data\n:"]
)
NEAR_PICTURE = st.builds(
    lambda prefix, more: prefix + more, st.just("") | PREFIX, st.sampled_from(["", "image/png,", "x", "\n"])
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NEAR_NUMBER | NEAR_TEXT | NEAR_DURATION,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "image": NEAR_PICTURE | ANYTHING,
        "prompt": NEAR_TEXT | ANYTHING,
        "negative_prompt": NEAR_TEXT | ANYTHING,
        "duration": NEAR_DURATION | ANYTHING,
        "cfg_scale": NEAR_NUMBER | ANYTHING,
        "mode": ANYTHING,
        "image\n": ANYTHING,
    },
)


@given(st.sampled_from(sorted(MODELS)), PAYLOADS | ANYTHING)
@example("Kling-Image2Video-V1.6-Standard", {"image": "x", "prompt": "👟" * 2500, "cfg_scale": 1, "duration": "10"})
@example("Kling-Image2Video-V1.6-Standard", {"image": "x", "prompt": "👟" * 2501})
@example("Kling-Image2Video-V1.6-Standard", {"image": "x", "cfg_scale": True})
def test_one_verdict_on_payloads_near_the_limits(model, payload):
    agreed(MODELS[model], payload)


def test_a_difference_would_be_seen():
    """Python's `$` lets a newline through, ECMA-262's does not: the two are not one."""
    with pytest.raises(AssertionError):
        agreed({"pattern": "^[A-Z]{3}$"}, "USD\n")
    assert agreed({"pattern": "^[A-Z]{3}$(?!\\n)"}, "USD\n") is False
