"""The quick verdict says what the jsonschema package says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.manifest.models import shipped_schema
from runner.manifest.structure import schema
from runner.manifest.verdicts import UnknownKeywordError, verdict
from runner.manifest.wording import validator

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from([0.0, 1.0, 1.5, "", "a", "ab", "5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
SMALL = st.integers(0, 3)
TYPE = st.sampled_from(["string", "object", "array", "boolean", "null", "number", "integer"])
NAMES = st.lists(st.sampled_from("abc"), unique=True, max_size=2)
SIMPLE = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPE | st.lists(TYPE, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        "pattern": st.sampled_from(["^a", "b$", "^$"]),
        "required": NAMES,
        "dependentRequired": st.dictionaries(st.sampled_from("abc"), NAMES, max_size=2),
        "uniqueItems": st.booleans(),
        "title": st.just("a title"),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), SMALL),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), SMALL),
    },
)


def compound(inner):
    several = st.lists(inner, min_size=1, max_size=3)
    return st.booleans() | st.fixed_dictionaries(
        {},
        optional={
            "type": TYPE,
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "items": inner,
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "not": inner,
            "$ref": st.just("#/$defs/shared"),
        },
    )


SCHEMAS = st.recursive(SIMPLE, compound, max_leaves=5)


@given(SCHEMAS, SIMPLE, VALUES)
def test_verdicts_agree(rules, shared, value):
    document = {"$defs": {"shared": {"title": "shared", **shared}}, "allOf": [rules]}
    assert verdict(document)(value) == Draft202012Validator(document).is_valid(value)


@given(st.dictionaries(st.sampled_from(["image", "prompt", "duration", "cfg_scale", "x"]), VALUES))
def test_payloads(payload):
    document = shipped_schema("Kling-Image2Video-V2-Master").document
    assert verdict(document)(payload) == Draft202012Validator(document).is_valid(payload)


def test_the_project_s_own_schemas_are_compiled():
    assert callable(verdict(schema()))
    assert callable(verdict(shipped_schema("Kling-Image2Video-V1.6-Pro").document))


def test_a_schema_that_refers_to_itself():
    tree = {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    assert verdict(tree)([[], [[]]])
    assert not verdict(tree)([[], [5]])


@pytest.mark.parametrize(
    "rules",
    [
        {"if": {"const": 1}, "then": False},
        {"patternProperties": {"a": False}},
        {"prefixItems": [{"const": 1}]},
        {"contains": {"const": 1}},
        {"multipleOf": 2},
        {"unevaluatedProperties": False},
        {"$ref": "#/properties/a"},
        {"$ref": "#/$defs/missing"},
        {"items": {"dependentSchemas": {"a": False}}},
    ],
)
def test_keywords_that_are_not_compiled_are_left_to_jsonschema(rules):
    with pytest.raises(UnknownKeywordError):
        verdict(rules)


def test_the_validator_uses_both():
    assert validator({"multipleOf": 2}).is_valid(4)
    assert not validator({"multipleOf": 2}).is_valid(5)
    assert validator({"minimum": 2}).is_valid(4)
    assert [each.validator for each in validator({"minimum": 2}).iter_errors(1)] == ["minimum"]
    assert list(validator({"minimum": 2}).iter_errors(3)) == []
