from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from runner.model import Json, Matrix, canonical_json
from runner.planning.expansion import matrix
from runner.planning.lints.idle_entries import idle_entries
from runner.planning.plan_diagnostics import PlanWarning
from tests.test_planning_expansion_matrix import agrees, matches, matrices

AXES: dict[str, tuple[Json, ...]] = {"surface": ("wet rock", "warm sand"), "cfg": (0.3, 0.7), "lens": ("wide",)}


def warnings(made: Matrix, code: str) -> list[PlanWarning]:
    return [each for each in idle_entries(made) if each.code == code]


def numbers(made: Matrix, code: str) -> set[int]:
    """The places of the entries that are told."""
    found = {each.place.route[2] for each in warnings(made, code)}
    assert all(isinstance(each, int) for each in found)
    return {int(each) for each in found}


@given(matrices())
def test_an_exclude_is_told_exactly_where_it_or_a_value_of_it_matches_no_combination(made: Matrix) -> None:
    combinations = [each.variables for each in matrix.variants(Matrix(made.axes, zip=made.zip))]
    idle_ones = set()
    for number, entry in enumerate(made.exclude):
        inner = {name: value for name, value in entry.items() if name not in matrix.OUTSIDE}
        alone = ({name: each} for name in inner for each in matrix.alternatives(made, name, inner[name]))
        is_idle = bool(inner) and not any(matches(inner, each, made) for each in combinations)
        if is_idle or not all(any(agrees(one, each) for each in combinations) for one in alone):
            idle_ones.add(number)
    assert numbers(made, "W511") == idle_ones


@given(matrices())
def test_without_the_includes_that_are_told_the_variants_are_the_same(made: Matrix) -> None:
    idle_ones = numbers(made, "W512")
    rest = tuple(entry for number, entry in enumerate(made.include) if number not in idle_ones)
    less = replace(made, include=rest)
    assert by_value(less) == by_value(made)
    for number in range(len(rest)):
        fewer = replace(made, include=(*rest[:number], *rest[number + 1 :]))
        assert by_value(fewer) != by_value(made), "each of the others does something"


def by_value(made: Matrix) -> list[tuple[str, bool]]:
    """The variants, whatever the order of their names and the form of their numbers."""
    return [(canonical_json(each.variables), each.created) for each in matrix.variants(made)]


@pytest.mark.parametrize(
    ("entry", "route", "message", "hint"),
    [
        (
            {"surface": ["warm sand", "wet rok"], "cfg": [0.3, 0.7]},
            ("surface", 1),
            "exclude names \"wet rok\", which is not on the axis 'surface'; it matches nothing",
            'did you mean "wet rock"? on the axis: "wet rock" and "warm sand"',
        ),
        (
            {"surface": "wet rok"},
            ("surface",),
            "exclude names \"wet rok\", which is not on the axis 'surface'; it matches nothing",
            'did you mean "wet rock"? on the axis: "wet rock" and "warm sand"',
        ),
        (
            {"cfg": "0.7"},
            ("cfg",),
            "exclude names \"0.7\", which is not on the axis 'cfg'; it matches nothing",
            'here stands the text "0.7", and on the axis the number 0.7',
        ),
        (
            {"cfg": 0.6, "image": "shoe"},
            ("cfg",),
            "exclude names 0.6, which is not on the axis 'cfg'; it matches nothing",
            "on the axis: 0.3 and 0.7",
        ),
        (
            {"surface": "snow"},
            ("surface",),
            "exclude names \"snow\", which is not on the axis 'surface'; it matches nothing",
            "exclude comes first, so it never reaches what an include adds; delete the entry",
        ),
        (
            {"surface": "wet rock", "cfg": 0.7},
            (),
            "the zipped axes 'surface' and 'cfg' never have these values together",
            'surface "wet rock" comes with cfg 0.3',
        ),
    ],
)
def test_an_exclude_that_matches_nothing(entry, route, message, hint):
    made = Matrix(AXES, include=({"surface": "snow"},), exclude=({"lens": "wide"}, entry), zip=(("surface", "cfg"),))
    (found,) = warnings(made, "W511")
    assert (found.place.route, found.message) == (("matrix", "exclude", 1, *route), message)
    assert found.hint == hint


def test_each_wrong_value_of_an_exclude_is_told():
    made = Matrix(AXES, exclude=({"surface": "x", "cfg": 1, "lens": "wide"},))
    assert [each.place.route[-1] for each in warnings(made, "W511")] == ["surface", "cfg"]


@pytest.mark.parametrize(
    ("include", "number", "message"),
    [
        (({"surface": "wet rock"},), 0, "it names axes alone, and the combination is there already"),
        (({"surface": "wet rock", "cfg": 0.3, "lens": "wide"},), 0, "it names axes alone"),
        (({"x": 1}, {"x": 2}), 0, "later ones set 'x' wherever it does"),
        (({"surface": "wet rock", "x": 1, "y": 1}, {"x": 2}, {"y": 2}), 0, "later ones set 'x' and 'y' wherever it"),
        (({"x": 1}, {"cfg": 0.3, "x": 2}, {"cfg": 0.7, "x": 3}), 0, "later ones set 'x' wherever it does"),
        (({"x": 1}, {"surface": "wet rock", "x": 1}), 1, "what it adds is added by others already"),
        (({"x": 1}, {"x": 1}), 0, "later ones set 'x' wherever it does"),
    ],
)
def test_an_include_that_does_nothing(include, number, message):
    (found,) = warnings(Matrix(AXES, include=include), "W512")
    assert found.place.route == ("matrix", "include", number)
    assert found.message.startswith(f"this include does nothing: {message}")


@pytest.mark.parametrize(
    "made",
    [
        Matrix(AXES, include=({"surface": "snow"},)),
        Matrix(AXES, include=({"surface": "wet rock"},), exclude=({"surface": "wet rock"},)),
        Matrix(AXES, include=({"surface": "wet rock", "x": 1}, {"cfg": 0.3, "x": 2})),
        Matrix(AXES, include=({"x": 1}, {"surface": "wet rock", "x": "1"}, {"cfg": 0.3, "x": True})),
        Matrix({}, include=({"x": 1}, {"x": 1})),
    ],
)
def test_includes_that_do_something(made):
    assert list(idle_entries(made)) == []


def test_a_large_product_is_not_expanded():
    many: tuple[Json, ...] = tuple(range(1000))
    axes = dict.fromkeys("abcdef", many)
    made = Matrix(axes, include=({"a": 1}, {"a": 1000}), exclude=({"a": 1, "b": 1}, {"f": 1000}))
    assert numbers(made, "W512") == set(), "includes are tried on all combinations, and there are too many"
    assert numbers(made, "W511") == {1}
