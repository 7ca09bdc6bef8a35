"""Canonical JSON, identities and typed equality."""

import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from runner.model import Budget, ModelSchema, Status, canonical_json, fingerprint, folded, job_id, same_value

# RFC 8785 is about I-JSON: integers beyond 2^53 are outside of it.
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
documents = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(documents)
def test_canonical_json_is_rfc_8785(document):
    assert canonical_json(document).encode() == rfc8785.dumps(document)


@given(st.integers(-(2**52), 2**52))
def test_a_number_has_one_form(number):
    assert canonical_json(number) == canonical_json(float(number))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_refused(value):
    with pytest.raises(ValueError, match="no such number"):
        canonical_json([value])


def test_names_are_sorted_by_utf_16_units():
    # U+1F600 is a surrogate pair in UTF-16, and so it sorts before U+FB33 although its code point is larger.
    assert canonical_json({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'


def test_identity_depends_on_the_request_alone():
    one = fingerprint("m", {"prompt": "a", "cfg_scale": 1})
    assert one == fingerprint("m", {"cfg_scale": 1.0, "prompt": "a"})
    assert one != fingerprint("n", {"prompt": "a", "cfg_scale": 1})
    assert len(job_id(one, 1)) == 16
    assert job_id(one, 1) != job_id(one, 2)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, "1", False),
        (1, True, False),
        (0, False, False),
        (None, None, True),
        (None, 0, False),
        ("a", "a", True),
        ([1, 2.0], [1.0, 2], True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": "1"}, False),
    ],
)
def test_equality_is_typed(left, right, equal):
    assert same_value(left, right) is equal
    assert same_value(right, left) is equal


def test_a_disk_that_ignores_case_sees_one_name():
    assert folded("Stra\u00dfe/\u00c9") == folded("STRASSE/e\u0301")


def test_price():
    from decimal import Decimal

    assert Budget().price(5) is None
    assert Budget(price_per_job=Decimal("0.25")).price(10) == Decimal("0.25")
    assert Budget(price_per_second=Decimal("0.05")).price(10) == Decimal("0.50")


def test_a_schema_knows_its_defaults():
    schema = ModelSchema("m", {"properties": {"a": {"default": 1}, "b": {"type": "string"}, "c": True}})
    assert schema.defaults == {"a": 1}
    assert ModelSchema("m", {}).defaults == {}


def test_final_statuses():
    assert [status for status in Status if status.is_final] == ["succeeded", "failed", "rejected", "cancelled"]
