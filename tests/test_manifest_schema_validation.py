"""A compiled schema says what the jsonschema package says, where that and the standard agree."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.manifest.schema.validation import validator
from runner.manifest.schema.wording import diagnose

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
            "if": inner,
            "then": inner,
            "contains": inner,
            "prefixItems": several,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=2),
            "unevaluatedProperties": inner,
        },
    )


SCHEMAS = st.recursive(SIMPLE, compound, max_leaves=5)


@given(SCHEMAS, SIMPLE, VALUES)
def test_one_verdict_and_words_for_it(rules, shared, value):
    document = {"$defs": {"shared": {"title": "shared", **shared}}, "allOf": [rules]}
    is_valid = Draft202012Validator(document).is_valid(value)
    assert validator(document).is_valid(value) == is_valid
    found = diagnose(document, value)
    assert bool(found) != is_valid
    assert all(each.message for each in found)


@pytest.mark.parametrize(
    ("rules", "value", "is_valid"),
    [
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, 10**400, True),
        ({"type": "integer"}, True, False),
        ({"maximum": 5}, 2**70, False),
        ({"const": 2**70}, 2**70 + 1, False),
        ({"const": 2**53 + 1}, float(2**53), False),
        ({"const": 1}, 1.0, True),
        ({"const": 1}, True, False),
        # In binary a tenth has no end; what counts is what was written.
        ({"multipleOf": 0.1}, 0.3, True),
        ({"maxLength": 1}, "👟", True),
        ({"type": "number"}, math.nan, False),
        ({"type": "string", "format": "email"}, "no address", True),
    ],
)
def test_values_at_the_edge(rules, value, is_valid):
    assert validator(rules).is_valid(value) is is_valid


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        ("^[A-Z]{3}$", "USD\n", False),
        (r"^\d+$", "٣", False),
        (r"^\w+$", "é", False),
        (r"^\p{L}+$", "é", True),
        ("^(?!data:)", "data:x", False),
        ("a", "bab", True),
        (r"^(.)\1$", "aa", True),
    ],
)
def test_patterns_are_those_of_ecma_262(pattern, text, is_match):
    assert validator({"pattern": pattern}).is_valid(text) is is_match
    assert validator({"patternProperties": {pattern: False}}).is_valid({text: 1}) is not is_match


def test_deep_values():
    tree = {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    value = []
    for _ in range(500):
        value = [value]
    assert validator(tree).is_valid(value)
    assert validator(tree).is_valid([[], [5]]) is False
    # Each of the forms leads to the others again: 2 to the power of 60 ways.
    forms = [{"items": {"$ref": "#/$defs/tree"}, "type": "array", "maxItems": size} for size in (8, 9)]
    for _ in range(60):
        value = value[0]
    assert validator({**tree, "$defs": {"tree": {"anyOf": [*forms, {"type": "string"}]}}}).is_valid(value)


def test_what_cannot_be_handed_over_is_refused():
    key = {"additionalProperties": {"type": "integer"}}
    assert not validator({"maxLength": 5}).is_valid("\ud800")
    assert not validator(key).is_valid({"\ud800": 1})
    (problem,) = diagnose(key, {"\ud800": 1})
    assert "does not fit its schema" in problem.message


@pytest.mark.parametrize(
    "reference", ["https://example.com/a.json", "file:///etc/passwd", "other.json", "#/$defs/none"]
)
def test_nothing_is_fetched(reference):
    with pytest.raises(ValueError, match=r"present in a registry|does not exist"):
        validator({"$ref": reference})


def test_a_schema_is_compiled_once():
    assert validator({"minimum": 1}) is validator({"minimum": 1})
    assert validator({"minimum": 1}) is not validator({"minimum": 2})
