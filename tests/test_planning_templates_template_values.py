"""The values that templates handle: their text, their form in JSON, how large they may get."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined, Undefined, UndefinedError
from markupsafe import Markup

from runner.planning.templates.template_errors import ExcessError, NotJsonError, NotTextError
from runner.planning.templates.template_values import MAX_PARTS, MAX_TEXT, kind_of, lasting, plain, sized, text_of

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
jsons = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=10,
)


@given(jsons)
def test_json_comes_through_as_it_is(value: object) -> None:
    assert json.dumps(plain(value)) == json.dumps(value)
    assert sized(value) is value


@given(texts | numbers)
def test_texts_and_numbers_have_a_text(value: object) -> None:
    assert text_of(value) == str(value)


@pytest.mark.parametrize("value", [None, True, [], (), {}, range(3), len, math.nan, math.inf, b"", object()])
def test_nothing_else_has_one(value: object) -> None:
    with pytest.raises(NotTextError, match=kind_of(value)):
        text_of(value)


@pytest.mark.parametrize("value", [b"", object(), len, {1}, [[print]], {"a": {}.items}, math.nan, -math.inf, {1: 2}])
def test_what_json_does_not_have(value: object) -> None:
    with pytest.raises(NotJsonError):
        plain(value)


def test_kinds_of_text_become_text_and_what_has_items_a_list() -> None:
    assert type(text_of(Markup("<b>"))) is str
    assert type(plain(Markup("<b>"))) is str
    assert plain({Markup("k"): (1, iter([2]), range(2))}) == {"k": [1, [2], [0, 1]]}


def test_unknown_names_are_told_when_they_are_used() -> None:
    for use in (text_of, plain):
        with pytest.raises(UndefinedError):
            use(StrictUndefined(name="x"))
    with pytest.raises(UndefinedError):
        plain([StrictUndefined(name="x")])


def test_a_condition_without_else_is_empty_text_and_no_value() -> None:
    assert text_of(Undefined()) == ""
    with pytest.raises(NotJsonError, match="no else part"):
        plain(Undefined())


def test_shared_parts_count_as_often_as_they_appear() -> None:
    tree: object = ["leaf"]
    for _ in range(14):
        tree = (tree, {"a": tree})
    assert sized(tree) is tree
    for _ in range(60):
        tree = [tree, tree]
    with pytest.raises(ExcessError):
        sized(tree)


@pytest.mark.parametrize(
    "value",
    ["x" * MAX_TEXT, [0] * MAX_PARTS, ["x" * (MAX_TEXT // 2)] * 2, 10**5000],
    ids=["text", "list", "texts", "number"],
)
def test_the_largest_values(value: object) -> None:
    assert sized(value) is value


@pytest.mark.parametrize(
    "value",
    ["x" * MAX_TEXT + "x", [0] * MAX_PARTS + [0], {"a": ["x" * MAX_TEXT, "y"]}, ["x" * 1000] * 2000],
    ids=["text", "list", "mapping", "texts"],
)
def test_too_large_a_value(value: object) -> None:
    with pytest.raises(ExcessError):
        sized(value)
    with pytest.raises(ExcessError):
        plain(value)


@pytest.mark.parametrize("text", ["<built-in method upper of str object at 0x7f2e>", "a <LOOP AT 0XFF> b"])
def test_text_with_an_address_differs_from_run_to_run(text: str) -> None:
    with pytest.raises(NotTextError):
        lasting(text)


@pytest.mark.parametrize("text", ["", "at 0x7f", "<b> at 0x7f", "a < b, c at 0x7f > d <e>", "é😀"])
def test_other_text_lasts(text: str) -> None:
    assert lasting(text) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [("", "text"), (True, "a truth value"), (1, "a number"), (math.nan, "nan"), ((), "a list"), ({}, "a mapping"),
     (None, "none"), (range(3), "a range"), (len, "a function"), (b"", "a bytes")],
)  # fmt: skip
def test_kinds(value: object, words: str) -> None:
    assert kind_of(value) == words
