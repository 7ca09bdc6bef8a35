"""Jinja's language, whole, but for what differs from run to run; its sandbox; and what one operation may take."""

from __future__ import annotations

import operator
import tracemalloc
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.defaults import DEFAULT_FILTERS, DEFAULT_NAMESPACE
from jinja2.tests import TESTS

from runner.model import Json
from runner.planning.templates.environment import Environment
from runner.planning.templates.template_errors import InvalidTemplateError
from tests.templating import VARIABLES, compiled, fault, render, value


def test_all_filters_tests_and_functions_of_jinja_are_there_but_those_of_chance() -> None:
    environment = Environment()
    assert DEFAULT_FILTERS.keys() - environment.filters.keys() == {"random"}
    assert DEFAULT_NAMESPACE.keys() - environment.globals.keys() == {"lipsum"}
    assert TESTS.keys() <= environment.tests.keys()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'Wet rock, wet ROCK' | slug", "wet-rock-wet-rock"),
        ("0.3 | slug", "0.3"),
        ("{'b': 2, 'A': 3} | tojson", '{"b": 2, "A": 3}'),
        ("'é<' | tojson", '"é<"'),
        ("'abc' | reverse", "cba"),
        ("[1, 2] | reverse | first", 2),
        ("['b', 'A', 'B'] | unique", ["b", "A"]),
        ("[1, 1.0, '1', true] | unique | map('tojson')", ["1", '"1"', "true"]),
        ("[[1], [1]] | unique", [[1]]),
        ("[{'a': 5}, {'a': 5}] | unique(attribute='a') | length", 1),
        ("[1, 2, 3] | select('odd') | length", 2),
        ("[1, 2, 3] | reject('gt', 1)", [1]),
        ("[1, 2, 3] | batch(2) | last", [3]),
        ("[1, 2, 3] | slice(2) | first", [1, 2]),
        ("{'a': 1} | items", [["a", 1]]),
        ("['a-b'] | map('replace', '-', '+')", ["a+b"]),
        ("[{'a': {'b': 1}}] | map(attribute='a.b') | sum", 1),
        ("[{'a': 1}, {}] | selectattr('a', 'defined') | length", 1),
        ("[{'a': 1}, {}] | rejectattr('a', 'defined')", [{}]),
    ],
)
def test_filters_that_give_lists_and_those_of_our_own(expression: str, expected: Json) -> None:
    assert value(f"{{{{ {expression} }}}}") == expected


def test_keys_of_a_mapping_come_before_its_methods() -> None:
    for scene in ({"items": "keys"}, MappingProxyType({"items": "keys"})):
        assert value("{{ scene.items }}", scene=scene) == "keys"
    assert value("{{ scene.items() | list }}", scene={"a": 1}) == [["a", 1]]


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ [].__class__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% for x in tags %}{{ loop.__init__.__globals__ }}{% endfor %}",
        "{{ tags | map(attribute='__class__') | list }}",
        "{{ tags | sort(attribute='__class__') }}",
        "{{ tags | map('attr', '__class__') | join }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ '{a.__class__}'.format_map({'a': 1}) }}",
        "{{ tags | map('(sized)') }}",
        "{{ tags.append(1) }}",
        "{{ image.update({'id': 1}) }}",
        "{% set image.id = 1 %}",
        "{{ (-8) ** 0.5 }}",
        "{{ {[]: 1} }}",
    ],
)
def test_ways_out_of_the_sandbox_end_as_faults(text: str) -> None:
    assert fault(text).code in {"E301", "E311", "E313", "E316"}
    assert VARIABLES["tags"] == ["b", "a"]
    assert VARIABLES["image"]["id"] == "shoe"


SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip
values = st.one_of(
    st.integers(-20, 20), st.floats(-20, 20), st.sampled_from(["", "ab", "%s-%d"]),
    st.lists(st.integers(0, 3), max_size=3),
)  # fmt: skip


@given(st.sampled_from(sorted(SIGNS)), values, values)
def test_operators_are_those_of_python(sign: str, left: Any, right: Any) -> None:
    try:
        expected = SIGNS[sign](left, right)
    except (TypeError, ValueError, ArithmeticError):
        expected = None
    template = compiled(f"{{{{ left {sign} right }}}}")
    try:
        found = template.value({"left": left, "right": right})
    except InvalidTemplateError:
        assert expected is None or isinstance(expected, complex) or expected in (float("inf"), -float("inf"))
    else:
        assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "'a' * 10**9", "10**9 * 'a'", "[1] * 10**6 * 10", "(1, 2) * 10**6", "10 ** (10**10)",
        "(10**10) ** -(10**9)", "(-2) ** (10**100)", "10**20000 * 10**20000", "10**25000 // 10**20000",
        "10**25000 % 10**20000",
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_interrupted_is_refused_before_it_begins(expression: str) -> None:
    assert fault(f"{{% set x = {expression} %}}").code == "E314"


def test_what_is_made_within_the_bounds() -> None:
    assert render("{{ ('a' * 1000000) | length }} {{ 2 ** 100 }} {{ ([0] * 100000) | length }}") == (
        f"1000000 {2**100} 100000"
    )


def test_nothing_is_evaluated_while_a_template_is_compiled() -> None:
    tracemalloc.start()
    try:
        for expression in ("'x' | center(50000000)", "'%50000000d' | format(1)", "1 / 0"):
            assert render(f"{{% if nothing %}}{{{{ {expression} }}}}{{% endif %}}x") == "x"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
