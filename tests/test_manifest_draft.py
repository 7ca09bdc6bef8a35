"""A content that can be changed, without a change of what it was made from."""

import copy

import pytest

from runner.manifest.draft import Draft


@pytest.fixture
def content():
    return {"a": {"b": [1, 2, {"c": 3}]}, "d": "text", "e": {"x": 1, "y": 2, "z": 3}}


def test_what_it_was_made_from_stays(content):
    before = copy.deepcopy(content)
    draft = Draft(content)
    draft.set(("a", "b", 2, "c"), 4)
    draft.drop(("e", "x"))
    draft.drop(("a", "b", 0))
    draft.rename(("e", "y"), "why")
    draft.set(("d",), 5)
    assert content == before
    assert draft.content == {"a": {"b": [None, 2, {"c": 4}]}, "d": 5, "e": {"why": 2, "z": 3}}


def test_what_is_not_changed_is_shared(content):
    draft = Draft(content)
    draft.set(("e", "x"), 2)
    assert draft.content["a"] is content["a"]


def test_values_that_stand_in_two_places_are_changed_in_one():
    shared = {"x": [1]}
    draft = Draft({"a": shared, "b": shared})
    draft.set(("a", "x", 0), 2)
    assert draft.content == {"a": {"x": [2]}, "b": {"x": [1]}}


@pytest.mark.parametrize(
    ("route", "value"),
    [
        ((), {"a": {"b": [1]}}),
        (("a", "b"), [1]),
        (("a", "b", 0), 1),
        (("a", "b", 1), None),
        (("a", 0), None),
        (("a", "b", "c"), None),
        (("n",), None),
    ],
)
def test_values(route, value):
    assert Draft({"a": {"b": [1]}}).get(route) == value


def test_what_has_no_place_is_not_put_anywhere(content):
    draft = Draft(content)
    draft.set(("d", "x"), 1)
    draft.set(("n", "x"), 1)
    draft.drop(("n", "x"))
    draft.drop(("n",))
    draft.rename(("d", "x"), "y")
    draft.close(("n",))
    assert draft.content == content
    draft.set(("n",), 1)
    assert draft.content == {**content, "n": 1}


def test_a_renamed_key_keeps_its_place_and_is_found_in_the_text(content):
    draft = Draft(content)
    draft.rename(("e", "y"), "why")
    assert list(draft.content["e"]) == ["x", "why", "z"]
    assert draft.moved == {("e", "why"): "y"}


def test_gaps_are_closed_and_the_rest_is_found_in_the_text():
    draft = Draft({"a": ["p", "q", "r", "s"]})
    draft.drop(("a", 2))
    draft.drop(("a", 0))
    draft.close(("a",))
    assert draft.content == {"a": ["q", "s"]}
    assert draft.moved == {("a", 0): 1, ("a", 1): 3}
