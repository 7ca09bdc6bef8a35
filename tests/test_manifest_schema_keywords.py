"""The search for all errors of a value, and its bounds."""

from math import inf

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from referencing.exceptions import Unresolvable

from runner.manifest.schema.keywords import TooManyChecksError, errors
from tests.test_manifest_schema_validation import SCHEMAS, VALUES


def told(found):
    return [(each.validator, list(each.absolute_path), list(each.absolute_schema_path)) for each in found]


@given(SCHEMAS, VALUES)
def test_it_finds_what_jsonschema_finds(rules, value):
    document = {"$defs": {"shared": {"minimum": 1}}, "allOf": [rules]}
    assert sorted(told(errors(document, value, inf)), key=str) == sorted(
        told(Draft202012Validator(document).iter_errors(value)), key=str
    )


def test_it_ends_after_so_many_keywords():
    document = {"items": {"minimum": 5}}
    assert len(list(errors(document, [1] * 99, 100))) == 99
    with pytest.raises(TooManyChecksError):
        list(errors(document, [1] * 100, 100))
    # Each search begins anew.
    assert len(list(errors(document, [1] * 99, 100))) == 99


def test_nothing_is_fetched():
    with pytest.raises(Unresolvable):
        list(errors({"$ref": "https://example.com/a.json"}, 1, inf))
