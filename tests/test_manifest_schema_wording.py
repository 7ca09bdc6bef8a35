"""Problems of payloads and manifests, in words."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.manifest.schema.model_schemas import shipped_schema
from runner.manifest.schema.wording import MANIFEST, diagnose
from runner.manifest.structure import schema

PAYLOAD = shipped_schema("Kling-Image2Video-V1.6-Standard").document
SOUND = {
    "version": 1,
    "model": "m",
    "images": [{"file": "a.jpg"}],
    "prompts": [{"id": "plain", "text": "x"}],
}


def of_payload(**payload):
    return [(each.route, each.code, each.message, each.hint) for each in diagnose(PAYLOAD, {"image": "x", **payload})]


def of_manifest(written=None, **keys):
    found = diagnose(schema(), {**SOUND, **keys}, MANIFEST, written)
    return [(each.route, each.code, each.message, each.hint) for each in found]


@pytest.mark.parametrize(
    ("payload", "code", "message", "hint"),
    [
        (
            {"duration": 5},
            "E204",
            'duration is the integer 5; the API takes "5" or "10"',
            'it is a string in the API: write "5"',
        ),
        (
            {"duration": 10.0},
            "E204",
            'duration is the number 10.0; the API takes "5" or "10"',
            'it is a string in the API: write "10"',
        ),
        ({"duration": "7"}, "E203", 'duration is "7"; the API takes "5" or "10"', 'for example duration: "5"'),
        (
            {"cfg_scale": 7},
            "E205",
            "cfg_scale is 7; the API takes a number between 0 and 1",
            "for example cfg_scale: 0.5",
        ),
        (
            {"cfg_scale": "0.5"},
            "E204",
            'cfg_scale is the text "0.5"; the API takes a number between 0 and 1',
            "it is a number in the API: write 0.5, without quotes (in a template: | float)",
        ),
        (
            {"prompt": "x" * 2612},
            "E206",
            "prompt has 2612 characters; the API takes at most 2500",
            "shorten it by 112 characters",
        ),
        (
            {"negative_prompt": False},
            "E204",
            "negative_prompt is false; the API takes a text",
            "YAML reads yes, no, on and off as true or false: put the word in quotes",
        ),
        (
            {"negative_prompt": ["blurry", "distorted"]},
            "E204",
            "negative_prompt is a list; the API takes a text",
            'it is a string in the API: write "blurry, distorted"',
        ),
        ({"promt": "x"}, "E201", "unknown parameter 'promt'", "did you mean 'prompt'?"),
        (
            {"seed": 1},
            "E201",
            "unknown parameter 'seed'",
            "known here: image, prompt, negative_prompt, duration and cfg_scale",
        ),
    ],
)
def test_payloads(payload, code, message, hint):
    (name,) = payload
    assert of_payload(**payload) == [((name,), code, message, hint)]


def test_a_missing_parameter():
    (found,) = diagnose(PAYLOAD, {})
    assert (found.route, found.code, found.message) == (("image",), "E202", "missing parameter 'image'")


@pytest.mark.parametrize(
    ("keys", "route", "code", "message", "hint"),
    [
        (
            {"images": "a.jpg"},
            ("images",),
            "E204",
            'images is the text "a.jpg"; it must be a list',
            "write [{file: a.jpg}]",
        ),
        (
            {"images": {"file": "a"}},
            ("images",),
            "E204",
            "images is a mapping; it must be a list",
            "write [{file: a}]",
        ),
        (
            {"prompts": ["A shoe"]},
            ("prompts", 0),
            "E204",
            'prompts[0] is the text "A shoe"; it must be a mapping',
            "write {id: plain, text: A shoe}",
        ),
        (
            {"matrix": {"exclude": {"b": 1}}},
            ("matrix", "exclude"),
            "E204",
            "exclude is a mapping; it must be a list",
            "write [{b: 1}]",
        ),
        (
            {"matrix": {"a": 5}},
            ("matrix", "a"),
            "E204",
            "a is the integer 5; it must be a list or a mapping",
            "write [5]",
        ),
        (
            {"takes": 2.5},
            ("takes",),
            "E204",
            "takes is the number 2.5; it must be an integer of at least 1",
            "for example takes: 2",
        ),
        (
            {"takes": "{{ n }}"},
            ("takes",),
            "E204",
            'takes is the text "{{ n }}"; it must be an integer of at least 1',
            "a template is not expanded here: write the number",
        ),
        (
            {"budget": {"max_jobs": 6000000}},
            ("budget", "max_jobs"),
            "E205",
            "max_jobs is 6,000,000; it must be an integer of at most 5,000,000",
            "for example max_jobs: 500",
        ),
        (
            {"prompts": [{"text": "x"}]},
            ("prompts", 0, "id"),
            "E202",
            "missing key 'id': text needs it",
            "add id: plain",
        ),
        (
            {"images": [{"base64": "AAAA"}]},
            ("images", 0, "id"),
            "E202",
            "missing key 'id': base64 needs it",
            "add id: shoe",
        ),
        (
            {"images": [{"file": "a", "url": "b"}]},
            ("images", 0, "url"),
            "E208",
            "url and file exclude each other",
            "keep one of them",
        ),
        (
            {"images": [{"url": "a", "file": "b", "glob": "c"}]},
            ("images", 0, "glob"),
            "E208",
            "glob and file and url exclude each other",
            "keep one of them",
        ),
        ({"model": ["a", "b", "a"]}, ("model", 2), "E210", '"a" is given twice in model', "delete one of them"),
        (
            {"run": {"wait": None}},
            ("run", "wait"),
            "E204",
            "wait is empty; it must be a text or a number of at least 0",
            "write a value after it, or delete the key",
        ),
        (
            {"vars": {"9x": 1}},
            ("vars", "9x"),
            "E207",
            "'9x' cannot be a name here",
            "use letters, digits and _, no digit first, and no word of Jinja such as not or in",
        ),
    ],
)
def test_manifests(keys, route, code, message, hint):
    assert of_manifest(**keys) == [(route, code, message, hint)]


@pytest.mark.parametrize(
    ("value", "written", "hint"),
    [
        (False, "no", 'YAML reads no as false: write "no", with quotes'),
        (True, "true", 'for the word, write "true", with quotes'),
        (7, "007", 'it is a text: write "007"'),
        (15, None, 'it is a text: write "15"'),
    ],
)
def test_hints_know_what_is_written(value, written, hint):
    (found,) = of_manifest(lambda route: written, name=value)
    assert found[3] == hint
    assert of_manifest(lambda route: "1e2", takes="1e2")[0][3] == "YAML reads 1e2 as text: write 100"


def test_nothing_is_said_that_follows_from_something_else():
    assert [each[:2] for each in of_manifest(images=[{"fiel": "a"}])] == [(("images", 0, "fiel"), "E201")]
    without = {key: value for key, value in SOUND.items() if key != "images"}
    found = diagnose(schema(), {**without, "image": []}, MANIFEST)
    assert [(each.route, each.hint) for each in found] == [(("image",), "did you mean 'images'?")]
    # A key that is missing for another reason is told.
    without = {key: value for key, value in SOUND.items() if key != "prompts"}
    found = diagnose(schema(), {**without, "surprise": []}, MANIFEST)
    assert {each.code for each in found} == {"E201", "E202"}
    assert len(of_manifest(name="")) == 1


def test_a_misplaced_key_is_sent_home():
    assert of_manifest(concurrency=3)[0][3] == "concurrency belongs in run: run: {concurrency: …}"


@pytest.mark.parametrize(
    ("rules", "value", "code", "message"),
    [
        ({"multipleOf": 5}, 7, "E205", "p is 7; the API takes a number that is a multiple of 5"),
        ({"exclusiveMinimum": 0}, 0, "E205", "p is 0; the API takes a number above 0"),
        (
            {"type": "integer", "minimum": 3, "maximum": 15},
            2,
            "E205",
            "p is 2; the API takes an integer between 3 and 15",
        ),
        ({"const": "on"}, "off", "E203", 'p is "off"; the API takes "on"'),
        ({"enum": [5, 10]}, "5", "E204", 'p is the text "5"; the API takes 5 or 10'),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            5,
            "E204",
            "p is the integer 5; the API takes a text or empty",
        ),
        (
            {"oneOf": [{"type": "string", "maxLength": 1}, {"type": "number"}]},
            "ab",
            "E206",
            "p has 2 characters; the API takes at most 1",
        ),
        ({"anyOf": [{"type": "string"}, False]}, 5, "E204", "p is the integer 5; the API takes a text"),
        ({"oneOf": [False]}, 5, "E204", "p is the integer 5; the API takes no value"),
        ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, 3, "E203", "p fits several forms, and may fit only one of them"),
        ({"not": {"const": 5}}, 5, "E203", "p may not be 5"),
        ({"contains": {"const": 1}}, [2], "E203", 'p is [2]; the rule is contains: {"const": 1}'),
        (False, 1, "E203", "1 is not allowed here"),
        (
            {"patternProperties": {"^x-": True}, "additionalProperties": False},
            {"x-a": 1, "y": 2},
            "E201",
            "unknown parameter 'y'",
        ),
        ({"minItems": 2}, [1], "E206", "p has 1 value; the API takes at least 2"),
        ({"type": "boolean"}, "yes", "E204", 'p is the text "yes"; the API takes true or false'),
        ({"if": {"const": 1}, "then": {"type": "string"}}, 1, "E204", "p is the integer 1; the API takes a text"),
    ],
)
def test_schemas_of_others(rules, value, code, message):
    found = diagnose({"properties": {"p": rules}}, {"p": value})
    assert [(each.code, each.message) for each in found] == [(code, message)]


LONG = "a" * 2499 + "!"


@pytest.mark.parametrize(
    ("rules", "value", "message"),
    [
        ({"pattern": "^(a+)+$"}, LONG, "has the wrong form"),
        ({"pattern": "^(a|aa)+$"}, LONG, "has the wrong form"),
        ({"pattern": "(.*a){25}b"}, LONG, "has the wrong form"),
        ({"pattern": "^(?=(a|aa)+$)b"}, LONG, "has the wrong form"),
        ({"pattern": "^(?:(?=a)a|(?=a)aa)+$"}, LONG, "p takes too long to compare with its pattern"),
        ({"not": {"pattern": "^(?:(?=a)a|(?=a)aa)+$"}}, LONG, "does not fit its schema"),
        ({"patternProperties": {"^(a|aa)+$": {}}, "additionalProperties": False}, {LONG: 1}, "unknown parameter"),
        ({"patternProperties": {"^(a|aa)+!$": {"type": "string"}}}, {LONG: 1}, "the API takes a text"),
    ],
)
def test_patterns_that_take_ages_elsewhere(rules, value, message):
    (found,) = diagnose({"properties": {"p": rules}}, {"p": value})
    assert message in found.message


def test_patterns_of_a_schema_that_names_its_dialect_and_itself():
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    rules = {**dialect, "properties": {"p": {"$ref": "#"}, "q": {"pattern": "^(a|aa)+$"}}}
    (found,) = diagnose(rules, {"p": {"q": LONG}})
    assert (found.route, found.code) == (("p", "q"), "E207")


@pytest.mark.parametrize(
    ("rules", "value"),
    [
        # A list in a list, told in two ways at each step: 2 to the power of 60 ways.
        (
            {"anyOf": [{"items": {"$ref": "#"}, "type": "array", "maxItems": size} for size in (8, 9)]},
            reduce(lambda inner, _: [inner], range(60), "no list"),
        ),
        ({"items": {"anyOf": [{"const": number} for number in range(1000)]}}, ["x"] * 1000),
    ],
)
def test_a_search_that_takes_too_long(rules, value):
    (found,) = diagnose(rules, value)
    assert (found.route, found.code, found.message) == ((), "E203", "the payload does not fit its schema")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 2) | st.sampled_from(["", "5", "no", "a.jpg", "30m"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["file", "url", "id", "text", "vars", "count", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*schema()["properties"], "nmae"]), ANY))
def test_every_invalid_manifest_has_a_problem_with_words(keys):
    instance = {**SOUND, **keys}
    found = diagnose(schema(), instance, MANIFEST)
    assert bool(found) == (not Draft202012Validator(schema()).is_valid(instance))
    assert len({(each.route, each.key) for each in found}) == len(found)
    for each in found:
        assert each.message
        assert each.hint
