from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined, Undefined, UndefinedError
from markupsafe import Markup
from runner.planning.template_faults import ExcessError, NotJsonError
from runner.planning.template_values import MAX_BITS, MAX_SIZE, joined, kind_of, plain, size_of, text_of

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
jsons = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(jsons)
def test_json_comes_through_as_it_is(value: object) -> None:
    assert plain(value) == value
    assert json.dumps(plain(value)) == json.dumps(value)
    assert text_of(value) == str(value)
    assert size_of(value) <= len(json.dumps(value)) + 1


@pytest.mark.parametrize(
    ("value", "size"),
    [("abc", 3), ("", 0), (None, 1), (1.5, 1), (True, 1), (2**80, 11), ([], 1), (["ab", ["c"]], 7), ({"k": 1}, 5)],
)
def test_sizes(value: object, size: int) -> None:
    assert size_of(value) == size


def test_shared_parts_count_as_often_as_they_appear() -> None:
    tree: list[object] = []
    for _ in range(10):
        tree = [tree, tree]
    assert size_of(tree) == 2**11 - 1
    for _ in range(50):
        tree = [tree, tree]
    with pytest.raises(ExcessError):
        size_of(tree)


@pytest.mark.parametrize(
    "value",
    ["x" * MAX_SIZE + "x", range(10**9), [0] * MAX_SIZE, 1 << MAX_BITS, {"a": "x" * MAX_SIZE}],
    ids=["text", "range", "list", "number", "mapping"],
)
def test_too_large_a_value(value: object) -> None:
    with pytest.raises(ExcessError):
        size_of(value)


@pytest.mark.parametrize("value", [b"", object(), len, {1}, (x for x in [1]), [[print]], {"a": {}.items()}])
def test_what_is_no_value(value: object) -> None:
    for use in (size_of, text_of, plain):
        with pytest.raises(NotJsonError):
            use(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, range(3)])
def test_what_json_does_not_have(value: object) -> None:
    assert size_of(value) >= 1
    for use in (text_of, plain):
        with pytest.raises(NotJsonError):
            use(value)


def test_keys_are_text_in_json() -> None:
    assert text_of({1: 2}) == "{1: 2}"
    with pytest.raises(NotJsonError):
        plain({1: 2})


def test_kinds_of_text_become_text() -> None:
    for use in (text_of, plain):
        assert type(use(Markup("<b>"))) is str
    assert plain({Markup("k"): (1, 2)}) == {"k": [1, 2]}


def test_unknown_names_are_told_when_they_are_used() -> None:
    for use in (size_of, text_of, plain):
        with pytest.raises(UndefinedError):
            use(StrictUndefined(name="x"))
        with pytest.raises(UndefinedError):
            use([StrictUndefined(name="x")])


def test_a_condition_without_else_is_empty_text_and_no_value() -> None:
    assert text_of(Undefined()) == ""
    with pytest.raises(NotJsonError):
        plain(Undefined())


def test_joining_ends_where_there_is_too_much() -> None:
    assert joined(iter(["a", "", "b"])) == "ab"
    taken = 0

    def pieces():  # type: ignore[no-untyped-def]
        nonlocal taken
        while True:
            taken += 1
            yield "x" * 1000

    with pytest.raises(ExcessError):
        joined(pieces())
    assert taken == MAX_SIZE // 1000 + 1


@pytest.mark.parametrize(
    ("value", "words"),
    [("", "text"), (True, "a truth value"), (1, "a number"), (math.nan, "nan"), ((), "a list"), ({}, "a mapping"),
     (None, "none"), (len, "a function"), (b"", "a bytes")],
)  # fmt: skip
def test_kinds(value: object, words: str) -> None:
    assert kind_of(value) == words
