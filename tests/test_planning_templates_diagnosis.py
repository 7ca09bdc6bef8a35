"""What is wrong with a template, in words for the person who wrote it: code, place, message and hint."""

from __future__ import annotations

import math

import pytest

from tests.templating import fault, marked


@pytest.mark.parametrize(
    ("text", "code", "place", "message", "hint"),
    [
        ("a {{ surfce }}", "E311", "surfce", "unknown variable 'surfce'", "did you mean 'surface'? known here: camera"),
        ("{{ image.widht }}", "E311", "widht", "image has no 'widht'", "did you mean 'width'? known here: height, id"),
        ("{{ image['widht'] }}", "E311", "widht", "image has no 'widht'", "did you mean 'width'?"),
        ("{{ product.uper() }}", "E311", "uper", "product has no 'uper'", "did you mean 'upper'?"),
        ("{{ 'surfce' ~ image.surfce ~ surfce }}", "E311", "surfce", "image has no 'surfce'", "known here: height"),
        ("{% if surfce %}x{% endif %}", "E311", "surfce", "unknown variable", "'surface'"),
        ("{% for x in surfce %}x{% endfor %}", "E311", "surfce", "unknown variable", "'surface'"),
        ("{% macro m() %}{{ surfce }}{% endmacro %}{{ m() }}", "E311", "surfce", "unknown variable", "'surface'"),
        ("{{ [surfce | upper] }}", "E311", "surfce", "unknown variable", "'surface'"),
        ("{{ surfce == 1 }}", "E311", "surfce", "unknown variable", "'surface'"),
        ("{{ tags[surfce.x] }}", "E311", "surfce", "unknown variable", "'surface'"),
        ("{{ upper(cfg) }}", "E311", "upper", "unknown variable", "did you mean the filter: ... | upper"),
        ("{{ lipsum() }}", "E311", "lipsum", "unknown variable 'lipsum'", "known here"),
        ("{{ tags | join('', 'x') }}", "E311", "tags | join('', 'x')", "text has no 'x'", "known here: capitalize"),
        ("{{ tags.apend }}", "E311", "apend", "tags has no 'apend'", "known here: copy, count, index"),
        ("{{ tags[7] }}", "E313", "tags[7]", "a list has no item 7", "default"),
        ("{{ take }} {{ 1 / 0 }} {{ 2 }}", "E313", "1 / 0", "division by zero", ""),
        ("{{ take }} {{ 1 in 2 }} {{ 2 }}", "E313", "1 in 2", "not iterable", ""),
        ("{{ 'a' + 1 }}", "E313", "'a' + 1", "concatenate", ""),
        ("{{ (1 if false).x }}", "E313", "(1 if false).x", "fails", ""),
        ("{{ tags | map('uper') | list }}", "E313", "tags | map('uper') | list", "No filter named 'uper'", ""),
        ("{{ product | indent(1, 2, 3, 4) }}", "E313", "product | indent(1, 2, 3, 4)", "'do_indent' takes", ""),
        ("{% macro m(a) %}{% endmacro %}x {{ m(b=1) }}", "E313", "m(b=1)", "'m' takes no keyword argument 'b'", ""),
        ("{% set n = [] %}{{ n.x.y }}", "E311", "x", "n has no 'x'", ""),
        ("{{ 1e308 * 10 }}", "E316", "1e308 * 10", "1e308 * 10 is inf", ""),
        ("x {{ tags }}", "E316", "tags", "tags is a list, and no text can hold it", "... | join(', ')"),
        ("{{ range(3) }}", "E316", "range(3)", "a range", "... | join(', ')"),
        ("x {{ image }} y", "E316", "image", "image is a mapping", "| tojson"),
        ("{{ nothing }}", "E316", "nothing", "nothing is none", "... or 'nothing'"),
        ("{% if 1 %}{{ flag }}{% endif %}", "E316", "flag", "flag is a truth value", "{{ 'bright' if ... else '' }}"),
        ("{{ take }}{{ product.upper }}", "E316", "product.upper", "product.upper is a function", "write () after"),
        ("{% macro m() %}{% endmacro %}{{ m }}", "E316", "m", "m is a function", "write () after"),
        ("{{ surface ~ tags }}", "E316", "surface ~ tags", "is a list", "join"),
        ("{% set x %}{{ tags }}{% endset %}", "E316", "tags", "tags is a list", "join"),
        ("{{ take }} {{ number ~ 's' | int }}", "E320", "number ~ 's' | int", '"s" is no number', "int(0)"),
        ("{{ '0,7' | float }}", "E320", "'0,7' | float", '"0,7" is no number', "write 0.7"),
        ("{{ '-12.50 EUR' | float }}", "E320", "'-12.50 EUR' | float", "no number", "write -12.50, without 'EUR'"),
        ("{{ '' | int }}", "E320", "'' | int", '"" is no number', "| int(0)"),
        ("{{ nothing | float }}", "E320", "nothing | float", "none is no number", "| float(0)"),
        ("{{ tags | map('int') | list }}", "E320", "tags | map('int') | list", '"b" is no number', "| int(0)"),
        ("{{ range(10**9) }}", "E314", "range(10**9)", "Range too big", "go through fewer items"),
        ("{{ take }} {{ 10 ** (9 ** 99) }}", "E314", "10 ** (9 ** 99)", "a number gets too large", "shorten"),
        ("{{ 2.0 ** 5000 }}", "E314", "2.0 ** 5000", "Numerical result out of range", ""),
        ("{{ '\\ud800' }}", "E313", "'\\ud800'", "surrogates not allowed", ""),
    ],
)
def test_faults_of_rendering(text: str, code: str, place: str, message: str, hint: str) -> None:
    found = fault(text)
    assert found.code == code
    assert marked(text, found) == place
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("value", "kind"),
    [([], "a list"), ((), "a list"), ({}, "a mapping"), (True, "a truth value"), (None, "none"), (len, "a function"),
     (math.nan, "nan"), (b"", "a bytes")],
)  # fmt: skip
def test_what_no_text_can_hold(value: object, kind: str) -> None:
    assert fault("the {{ x }}", x=value).message == f"x is {kind}, and no text can hold it"


def test_the_first_failing_use_of_a_name_is_marked() -> None:
    text = "{{ mood | default('') }}\n{% if flag %}\n{{ take }} {{ mood }}{% endif %} {{ mood }}"
    found = fault(text)
    assert (found.code, found.offset, found.unknown) == ("E311", text.index("mood", 10), "mood")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("é\r\n😀\r\n{{ surfce }}\r\n", "surfce"),
        ("a\r\n{{ x ? }}\r\n", "?"),
        ("a\r\n\r\n}} b", "}}"),
        ("{% if flag %}\r\n  {%- set x = 1 %}\r\n{{ 1 / 0 }}{% endif %}", "1 / 0"),
    ],
)
def test_places_count_characters_of_the_text_as_it_is(text: str, place: str) -> None:
    assert marked(text, fault(text)) == place


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("{{ a b }}", "b", "got 'b'"),
        ("{{ a ? b }}", "?", "unexpected char '?'"),
        ("x {{ a", "a", "unexpected end of template"),
        ("{{ }}", "}}", "expected an expression"),
        ("a {% if %}", "%}", "expected an expression"),
        ("{% foo %}", "foo", "unknown tag 'foo'"),
        ("{% if flag %}a{% for x in tags %}b{% endif %}", "endif", "endif"),
        ("{# a", "{#", "missing end of comment tag"),
        ("a {% raw %} b", "{% raw %}", "missing end of raw directive"),
        ("a }} {{ take }}", "}}", "'}}' ends what nothing began"),
        ("{{ take }}} b %}", "%}", "'%}' ends what nothing began"),
        ("{{ ﬁt }}", "ﬁt", "unusual letters"),
        ("{{ cfg | uper }}", "uper", "there is no filter 'uper'"),
        ("{% if nothing %}{{ cfg | uper }}{% endif %}", "uper", "there is no filter 'uper'"),
        ("{{ cfg | random }}", "random", "there is no filter 'random'"),
        ("{{ 'a' if cfg is defnd }}", "defnd", "there is no test 'defnd'"),
        ("{{ 1" + "0" * 5000 + " }}", "{{ 1" + "0" * 5000 + " }}", "a number that is too long"),
        ("{{ [1] | join(d=1, d=2) }}", "{{ [1] | join(d=1, d=2) }}", "keyword argument repeated"),
        ("{{ " + "(" * 2000 + " }}", "{{ " + "(" * 2000 + " }}", "nested too deeply"),
        ("{{ x" + ".x" * 2000 + " }}", "{{ x" + ".x" * 2000 + " }}", "nested too deeply"),
    ],
    ids=lambda part: part[:40],
)
def test_faults_of_syntax(text: str, place: str, message: str) -> None:
    found = fault(text)
    assert found.code == "E301"
    assert message in found.message
    assert marked(text, found) == place


def test_hints_tell_what_is_meant_and_how_braces_are_written() -> None:
    assert fault("{{ cfg | uper }}").hint.startswith("did you mean 'upper'?")
    assert fault("{{ cfg is defnd }}").hint.startswith("did you mean 'defined'?")
    assert fault("{{ ﬁt }}").hint == "write 'fit'"
    assert "{% raw %}" in fault("a {{ b c }}").hint
    assert "{% raw %}" in fault("a }}").hint


@pytest.mark.parametrize(
    ("text", "opener", "offset"),
    [
        ("{% if a %}", "if", 3),
        ("{% if a %}{% else %}", "if", 3),
        ("{% if a %}{% for b in c %}{% endfor %}", "if", 3),
        ("{% if a %}{%- for b in c %}", "for", 14),
        ("{% if a %}{% set b = 1 %}", "if", 3),
        ("{% if a %}{% set b %}c", "set", 13),
        ("{% with a = 1 %}{% set b = 2 %}{% filter upper %}", "filter", 34),
        ("{% macro m() %}", "macro", 3),
        ("{% block b %}{% call m() %}", "call", 16),
    ],
)
def test_the_innermost_block_that_is_not_closed_is_marked(text: str, opener: str, offset: int) -> None:
    found = fault(text)
    assert (found.message, found.offset, found.length) == (f"'{opener}' is never closed", offset, len(opener))
    assert found.hint == f"write {{% end{opener} %}} where it ends"


def test_a_template_that_is_too_long() -> None:
    assert fault("x" * 2**20 + "y").code == "E314"
