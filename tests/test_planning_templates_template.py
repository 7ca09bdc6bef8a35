"""What templates make of variables: texts, values of their own type, and nothing that Jinja would not make."""

from __future__ import annotations

import copy
import json
import math
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from runner.model import Json
from runner.planning.templates.template import Template
from runner.planning.templates.template_errors import InvalidTemplateError, TemplateDiagnostic
from runner.planning.templates.template_values import text_of
from tests.templating import VARIABLES, compiled, fault, render, value

RECURSIVE = "{% for x in [1, [2, [3]]] recursive %}{{ x if x is number else loop(x) }}{% endfor %}"
CALLED = "{% macro m() %}<{{ caller('x') }}>{% endmacro %}{% call(y) m() %}{{ y }}{{ y }}{% endcall %}"
COUNTED = "{% set n = namespace(x=0) %}{% for t in tags %}{% set n.x = n.x + 1 %}{% endfor %}{{ n.x }}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("The {{ product }} on {{ surface }}, {{ camera }}", "The trail shoe on wet rock, slow push-in"),
        ("{{ image.id }}: {{ image.width }}x{{ image['height'] }}", "shoe: 800x600"),
        ("{{ surface | slug }}-{{ cfg }}-{{ take }}", "wet-rock-0.3-1"),
        ("{{ mood | default('calm') }}{% if mood is defined %}, {{ mood }}{% endif %}", "calm"),
        ("{{ scene.mood | default('calm') }}", "calm"),
        ("a{{ ' bright' if cfg > 0.5 }} b", "a b"),
        ("{% for tag in tags if tag != 'b' %}{{ tag }}{% else %}none{% endfor %}", "a"),
        ("{% set mood %}very {{ surface }}{% endset %}{{ mood }}, {{ mood | upper }}", "very wet rock, VERY WET ROCK"),
        ("{% set mood | upper %}fog{% endset %}{{ mood }}", "FOG"),
        ("{% with x = cfg * 10 %}{{ x | round | int }}{% endwith %}", "3"),
        ("{% filter title %}the {{ surface }}{% endfilter %}", "The Wet Rock"),
        ("{{ {1: 'first', 2: 'second'}[take] }} take", "first take"),
        ("<b> & {{ '<i>' }}", "<b> & <i>"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ 'yes' if 0.1 < cfg <= 0.3 }}", "yes"),
        ("{{ surface[:3] ~ '-' ~ take }}", "wet-1"),
        ("{{ ('a' if false) }}{{ range(3) | join(' ') }}", "0 1 2"),
        ("{% macro m(a, b='-') %}{{ a }}{{ b }}{{ varargs | join }}{% endmacro %}{{ m(1) }}{{ m(*[1, 2]) }}", "1-12"),
        ("{% block a %}x{% endblock %}{{ self.a() }}", "xx"),
        (RECURSIVE, "123"),
        (CALLED, "<xx>"),
        (COUNTED, "2"),
        ("{% set j = joiner(', ') %}{% for t in tags %}{{ j() }}{{ t }}{% endfor %}", "b, a"),
        ("{{ 'x' | float(0) }} {{ '' | float(default=1.5) }} {{ '3.7' | int }} {{ 'ff' | int(0, 16) }}", "0 1.5 3 255"),
        ("a sign at 0x5F, {{ product }}", "a sign at 0x5F, trail shoe"),
        ("", ""),
    ],
)
def test_render(text: str, expected: str) -> None:
    assert render(text) == expected


def test_lines_of_block_tags_vanish_and_so_does_the_last_newline() -> None:
    text = "A shoe\n  {% if flag %}\non a rock\n  {% endif %}\nin the sun\n"
    assert render(text) == "A shoe\non a rock\nin the sun"
    assert render("constant\n\n") == render("{# note #}constant\n\n") == "constant\n"


def test_newlines_are_one_character() -> None:
    assert render("a\r\nb\rc\r\n") == "a\nb\nc"
    assert render("a\r\n{{ take }}\r\n") == "a\n1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ cfg }}", 0.3),
        ("{{ number }}", "007"),
        ("{{ '5' }}", "5"),
        ("{{ 5 }}", 5),
        ("{{ flag }}", True),
        ("{{ nothing }}", None),
        ("{{ tags }}", ["b", "a"]),
        ("{{ tags, 1 }}", [["b", "a"], 1]),
        ("{{ range(2) }}", [0, 1]),
        ("{{ scene.light }}", {"angle": 30}),
        ("{{ cfg }}\n", 0.3),
        ("{# strength #}{{ cfg }}", 0.3),
        ("{{ cfg if flag else none }}", 0.3),
        ("{{ tags | map('upper') }}", ["B", "A"]),
        (" {{ cfg }}", " 0.3"),
        ("{{ take }}{{ take }}", "11"),
        ("5", "5"),
        ("", ""),
        ("{% if flag %}{{ take }}{% endif %}", "1"),
    ],
)
def test_one_expression_keeps_its_type_and_everything_else_is_text(text: str, expected: Json) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_values_are_of_plain_types_and_copies() -> None:
    class Named(str):
        def __str__(self) -> str:
            return "something else"

    assert type(value("{{ x }}", x=Markup("<b>"))) is str
    assert type(value("{{ x }}", x=Named("mine"))) is str
    assert value("{{ x }}", x=Named("mine")) == "mine"
    assert value("{{ x }}", x=(1, (2,))) == [1, [2]]
    found = value("{{ tags }}")
    assert isinstance(found, list)
    found.append("c")
    assert VARIABLES["tags"] == ["b", "a"]


@pytest.mark.parametrize(
    ("wrong", "code", "expected"),
    [
        (b"bytes", "E315", "a bytes is not a value"),
        (math.nan, "E315", "nan is not a value"),
        (math.inf, "E315", "inf is not a value"),
        ({1: 2}, "E315", "JSON has no a number as a key"),
        ({"a": {1, 2}}, "E315", "a set is not a value"),
        (object(), "E315", "a object is not a value"),
        (len, "E315", "a function is not a value"),
        (10**400, "E314", "too large"),
        ("half a sign: \ud800", "E313", "surrogates"),
        ({"\ud800": 1}, "E313", "surrogates"),
    ],
)
def test_only_what_a_request_can_hold_is_a_value(wrong: object, code: str, expected: str) -> None:
    with pytest.raises(InvalidTemplateError) as caught:
        value("{{ x }}", x=wrong)
    assert caught.value.diagnostic.code == code
    assert expected in caught.value.diagnostic.message


def test_a_condition_without_else_has_no_value() -> None:
    with pytest.raises(InvalidTemplateError, match="no else part") as caught:
        value("{{ 1 if cfg > 0.5 }}")
    assert caught.value.diagnostic.code == "E315"


@pytest.mark.parametrize(
    "text",
    ["{{ x.upper }}", "a{{ x.upper }}", "{{ [x.upper] | join }}", "{{ x ~ x.upper }}", "{{ '%s' % x.upper }}",
     "{{ x.upper | upper }}", "{{ cycler(1) | string }}"],
)  # fmt: skip
def test_text_never_holds_an_address(text: str) -> None:
    assert fault(text, x="a").code == "E316"
    with pytest.raises(InvalidTemplateError):
        value(text, x="a")


@pytest.mark.parametrize(
    ("text", "names", "is_constant"),
    [
        ("text", set(), True),
        ("a { b } c", set(), True),
        ("{# {{ x }} #}text{% raw %}{{ y }}{% endraw %}", set(), True),
        ("{{ product }} {{ image.id }}", {"product", "image"}, False),
        ("{{ mood | default(camera) }}{% if flag is defined %}{% endif %}", {"mood", "camera", "flag"}, False),
        ("{% set x = cfg %}{{ x }}{% for t in tags %}{{ t }}{{ loop.index }}{% endfor %}", {"cfg", "tags"}, False),
        ("{% macro m(a) %}{{ a }}{{ b }}{% endmacro %}{{ m(take) }}", {"b", "take"}, False),
        ("{{ 1 }}", set(), False),
    ],
)
def test_names_that_are_looked_up(text: str, names: set[str], is_constant: bool) -> None:
    template = compiled(text)
    assert (template.text, template.is_constant) == (text, is_constant)
    assert template.names - {"range"} == names


@pytest.mark.parametrize(
    ("text", "fixed", "whole"),
    [
        ("A shoe\n", "A shoe", set()),
        ("A shoe {# of 2 #}on {% raw %}{{ rock }}{% endraw %}", "A shoe on {{ rock }}", set()),
        ("The {{ product }} on {{ surface }}, {{ camera }}", "The  on , ", {"product", "surface", "camera"}),
        ("{{ cfg }}", "", {"cfg"}),
        ("{{ product | upper }} by {{ image.id }}{{ 'x' }}", " by ", set()),
        ("a{% if flag %} b {{ product }}{% else %} c{% endif %} d", "a d", set()),
        ("a{% for tag in tags %} {{ tag }}{% endfor %}", "a", set()),
        ("{% set product = camera %}{{ product }}", "", set()),
        ("a{% macro m() %} b {{ cfg }}{% endmacro %} {{ m() }}", "a ", set()),
    ],
)
def test_what_stands_in_whatever_it_makes(text: str, fixed: str, whole: set[str]) -> None:
    template = compiled(text)
    assert (template.fixed, template.whole) == (fixed, whole)
    assert all(text_of(VARIABLES[name]) in template.render(VARIABLES) for name in whole)


def test_a_template_keeps_nothing_between_renders() -> None:
    template: Template = compiled("{% set x = take %}{{ x }}{% for t in tags %}{{ t }}{% endfor %}")
    assert [template.render({**VARIABLES, "take": take}) for take in (1, 2, 1)] == ["1ba", "2ba", "1ba"]
    with pytest.raises(InvalidTemplateError):
        template.render({"take": 1})
    assert template.render({**VARIABLES, "take": 3}) == "3ba"


# Any text at all

PARTS = [
    "{{ ", " }}", "{% ", " %}", "{%- ", " -%}", "{# ", " #}", "{%", "%}", "{{", "}}",
    "if ", "else", "elif ", "endif", "for ", " in ", "endfor", "set ", "endset", " = ", "with ", "endwith", "filter ",
    "endfilter", "raw", "endraw", "recursive", "macro f(x)", "endmacro", "f(", "call f(", "endcall", "caller()",
    "block b", "endblock", "self.b()", "super()", "namespace(", "include 'x'", "import 'x' as y", "extends 'x'",
    "loop", "loop.index", "loop.changed(", "range(", "dict(", "cycler(", "joiner(",
    "product", "cfg", "tags", "scene", "image.id", "nothing", "missing", "none", "true", "[", "]", "(", ")",
    "{", "}", ":", ",", ".", "|", "~", "+", "-", "*", "/", "//", "**", "%", "==", "!=", "<", ">=", " not ", " and ",
    " or ", " is ", "'", '"', "'a'", "'%s'", "'%d%%'", "0", "1", "99999", "1.5", "1e308", "\\", "\n", "\r\n", " ",
    "upper", "| upper", "| slug", "| join(', ')", "| map('upper')", "| map(attribute=", "| sort", "| list", "| first",
    "| sum", "| int", "| round(", "| default('x')", "| format(", "| replace('a', 'b')", "| indent(", "| center(",
    "| length", "| tojson", "| unique", "| select('odd')", "| groupby('id')", "| batch(2)", "| attr('id')", "| string",
    "is defined", "is odd", "is in", "is none", ".upper()", ".items()", ".split(", ".join(", ".zfill(", "é", "ﬁ",
    "\ud800", "text",
]  # fmt: skip
REFERENCE = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
# What Jinja gives generators for, which are not empty and equal no list, and what it does in another way.
OTHERWISE = ("batch", "groupby", "items", "map", "reject", "reverse", "select", "slice", "slug", "tojson", "unique")


@settings(max_examples=100)
@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=14).map("".join))
@example("{% for x in [1] %}{{ x.y }}{% else %}{{ loop }}{% endfor %}{{ x }}")
@example("{{ [][0][1:2, 3] }}")
@example("{% set (a, b) = 1 %}")
@example("{{ tags[:missing] }}")
@example("{% include 'x' %}{% block b %}{{ super() }}{% endblock %}")
def test_any_text_renders_as_jinja_has_it_or_is_a_fault_with_a_place(text: str) -> None:
    _renders_or_faults(text)


def _renders_or_faults(text: str) -> None:
    try:
        template = compiled(text)
    except InvalidTemplateError as error:
        _check_place(text, error.diagnostic, {"E301", "E314"})
        return
    for evaluate in (template.render, template.value):
        try:
            found = evaluate(VARIABLES)
        except InvalidTemplateError as error:
            _check_place(text, error.diagnostic, {"E101", "E311", "E313", "E314", "E315", "E316", "E320"})
        else:
            json.dumps(found, allow_nan=False).encode()
            if evaluate == template.render and not any(word in text for word in OTHERWISE):
                assert found == _jinjas(text)


def _check_place(text: str, problem: TemplateDiagnostic, codes: set[str]) -> None:
    assert problem.code in codes
    assert problem.message
    assert 0 <= problem.offset <= problem.offset + problem.length
    assert problem.offset <= len(text)
    assert "0x" not in problem.message


def _jinjas(text: str) -> str:
    # Python's SyntaxWarning is for a number with an index.
    with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
        return REFERENCE.from_string(text).render(copy.deepcopy(dict(VARIABLES)))


ATOMS = [
    "product", "cfg", "tags", "scene", "image", "nothing", "flag", "missing", "1", "-2.5", "'wet %s'", "''", "9**99",
]  # fmt: skip
FILTERS = [
    "abs", "capitalize", "center(9)", "count", "default(0)", "dictsort", "e", "filesizeformat", "first", "float",
    "format(1)", "indent(2)", "int", "items", "join('-')", "last", "length", "list", "lower", "map('upper')",
    "map(attribute='id')", "max", "min", "reject('none')", "rejectattr('id')", "replace('t', 'tt')", "reverse",
    "round(1)", "select", "selectattr('id')", "slug", "sort", "string", "striptags", "sum", "title", "tojson", "trim",
    "truncate(5)", "unique", "upper", "urlencode", "wordcount", "wordwrap(3)",
]  # fmt: skip
TESTS = [
    "boolean", "defined", "even", "in tags", "mapping", "none", "number", "odd", "string", "eq 1", "lt 'a'", "upper",
]  # fmt: skip


def _expressions() -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "not in", "and", "or"])

    def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, signs, inner).map(lambda parts: f"({' '.join(parts)})"),
            st.tuples(inner, st.sampled_from(FILTERS)).map(lambda parts: f"({' | '.join(parts)})"),
            st.tuples(inner, st.sampled_from(TESTS)).map(lambda parts: f"({' is '.join(parts)})"),
            st.tuples(inner, inner).map(lambda parts: f"[{', '.join(parts)}]"),
            st.tuples(inner, inner).map(lambda parts: f"{{'a': {parts[0]}, 'id': {parts[1]} }}"),
            st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
            inner.map(lambda part: f"{part}.id"),
            inner.map(lambda part: f"{part}[1:]"),
            inner.map(lambda part: f"(not {part})"),
        )

    return st.recursive(st.sampled_from(ATOMS), combined, max_leaves=6)


@settings(max_examples=100)
@given(_expressions(), st.booleans())
def test_any_expression_renders_as_jinja_has_it_or_is_a_fault_with_a_place(expression: str, alone: bool) -> None:
    _renders_or_faults(f"{{{{ {expression} }}}}" if alone else f"a {{{{ {expression} }}}} b")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_values_of_variables_come_through_untouched(before: str, inside: str) -> None:
    text = before.replace("{", "(").replace("}", ")") + "{{ x }}"
    expected = text[:-7].replace("\r\n", "\n").replace("\r", "\n") + inside
    assert render(text, x=inside) == expected
    assert value("{{ x }}", x=inside) == inside
