from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from runner.planning.template_environment import ENVIRONMENT
from runner.planning.template_faults import ExcessError
from runner.planning.template_operations import MAX_RANGE, compare, concat, formatted, numbers, operate, sliced
from runner.planning.template_scope import Scope

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "lteq": operator.le, "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda left, right: left in right, "notin": lambda left, right: left not in right,
}  # fmt: skip
FAILURES = (TypeError, ValueError, ArithmeticError)

values = st.one_of(
    st.integers(-20, 20), st.floats(-20, 20), st.booleans(), st.none(), st.sampled_from(["", "ab", "%s-%d"]),
    st.lists(st.integers(0, 3), max_size=3),
)  # fmt: skip


def scope() -> Scope:
    return ENVIRONMENT.scope({})


def outcome(work: Callable[[], object]) -> object:
    try:
        return repr(work())
    except FAILURES:
        return "fails"


@given(st.sampled_from(sorted(SIGNS)), values, values)
def test_operators_are_those_of_python(sign: str, left: object, right: object) -> None:
    expected = outcome(lambda: SIGNS[sign](left, right))
    if isinstance(expected, str) and "j" in expected:
        expected = "fails"
    assert outcome(lambda: operate(scope(), sign, left, right)) == expected


@given(st.sampled_from(sorted(COMPARISONS)), values, values)
def test_comparisons_are_those_of_python(name: str, left: object, right: object) -> None:
    assert outcome(lambda: compare(scope(), left, name, right)) == outcome(lambda: COMPARISONS[name](left, right))


def test_a_chain_ends_at_the_first_that_does_not_hold() -> None:
    assert compare(scope(), 1, "lt", 2, "lt", 3) is True
    assert compare(scope(), 3, "lt", 2, "lt", "x") is False


@pytest.mark.parametrize(
    ("sign", "left", "right"),
    [
        ("*", "a", 10**9), ("*", 10**9, "a"), ("*", [1], 10**6), ("*", 10**2500, 10**2500), ("**", 10, 10**10),
        ("**", 10**10, -(10**9)), ("**", -2, 10**100), ("+", "a" * 60_000, "b" * 60_000),
        ("+", [0] * 60_000, [0] * 60_000),
    ],
)  # fmt: skip
def test_what_gets_too_large(sign: str, left: object, right: object) -> None:
    with pytest.raises(ExcessError):
        operate(scope(), sign, left, right)


conversions = st.sampled_from(
    ["%s", "%d", "%5.2f", "%-4s|", "%%", "%x", "%(a)s", "%(a)03d", "% d", "%", "% ", "a", "%c", "%ld", "%(a", "%q"]
)


@given(st.lists(conversions, max_size=4).map("".join), st.lists(values, max_size=4).map(tuple) | st.just({"a": 7}))
@example("%%", ())
def test_formatting_is_that_of_python(template: str, given_values: object) -> None:
    """Except that what is unusual in it (a length modifier, a % that converts nothing) is refused."""
    found = outcome(lambda: formatted(scope(), template, given_values))
    if found != "fails":
        assert found == outcome(lambda: template % given_values)
    elif "%l" not in template:
        assert outcome(lambda: template % given_values) == "fails"


@pytest.mark.parametrize("template", ["%1001d", "%.1001f", "%(a)99999d", "%00001001d", "%-1001d"])
def test_a_wide_conversion_is_refused(template: str) -> None:
    with pytest.raises(ExcessError):
        formatted(scope(), template, {"a": 1} if "(" in template else (1,))


@pytest.mark.parametrize("template", ["%*d", "%.*f", "%(a(b))1d", "%(a(b)c)1d", "%lld"])
def test_an_unusual_conversion_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="starts no conversion"):
        formatted(scope(), template, (1, 1))


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=3))
def test_ranges_are_those_of_python(limits: list[int]) -> None:
    assert outcome(lambda: numbers(scope(), *limits)) == outcome(lambda: range(*limits))


def test_the_longest_range() -> None:
    assert len(numbers(scope(), MAX_RANGE)) == MAX_RANGE
    for limits in ((MAX_RANGE + 1,), (0, 10**30), (0, -(10**30), -1)):
        with pytest.raises(ExcessError):
            numbers(scope(), *limits)
    with pytest.raises(TypeError):
        numbers(scope(), "3")


parts = st.none() | st.integers(-5, 5)


@given(st.text(max_size=5) | st.lists(st.integers(), max_size=5), parts, parts, parts)
def test_slices_are_those_of_python(value: Any, start: int | None, stop: int | None, step: int | None) -> None:
    expected = outcome(lambda: value[start:stop:step])
    assert outcome(lambda: sliced(scope(), value, start, stop, step)) == expected


def test_what_has_no_parts() -> None:
    for value in (1, {"a": 1}, None):
        with pytest.raises(TypeError):
            sliced(scope(), value, None, 1, None)
    with pytest.raises(TypeError):
        sliced(scope(), "abc", "a", None, None)


def test_texts_are_joined_as_they_are_written() -> None:
    assert concat(scope(), "a", 1, 2.5, None, [1]) == "a12.5None[1]"
    half = "x" * 90_000
    with pytest.raises(ExcessError):
        concat(scope(), *[half] * 6)
