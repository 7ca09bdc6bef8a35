"""Rows: the columns of a job are what any reader of JSON takes for its payload and variables."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model import Standing, Status
from runner.state.rows import billionths, row_of, standing_of
from tests.kit import make_job

TEXT = st.text(st.characters(blacklist_categories=("Cs",)))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=5)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_objects_are_written_as_the_standard_library_writes_them(members):
    job = replace(make_job(), payload=members, variables=members, aliases=("a", 'b"ü'))
    _, _, _, _, payload, _, _, aliases, _, _, variables, generation, position = row_of(job, 3, 7)
    assert payload == variables == json.dumps(members, ensure_ascii=False, separators=(",", ":"))
    assert aliases == '["a","b\\"ü"]'
    assert (generation, position) == (3, 7)


def test_equal_scalars_of_two_types_are_told_apart():
    members = {"a": 1, "b": 1.0, "c": True, "d": 0, "e": False, "f": 0.0, "g": -0.0}
    written = row_of(replace(make_job(), payload=members), 1, 1)[4]
    assert written == '{"a":1,"b":1.0,"c":true,"d":0,"e":false,"f":0.0,"g":-0.0}'


@pytest.mark.parametrize(
    ("money", "stored"), [(None, None), (Decimal("0.25"), 250_000_000), (Decimal("0.0000000004"), 1)]
)
def test_money_is_whole_billionths(money, stored):
    assert billionths(money) == stored


def test_what_was_spent_is_money_again():
    assert standing_of("waiting", "queued", 0, 250_000_000.0) == Standing(Status.WAITING, "queued", Decimal("0.25"))
    assert standing_of("pending", None, 0, None) == Standing(Status.PENDING)
