from __future__ import annotations

import pytest
from runner.planning.template_diagnosis import render_fault, syntax_fault
from runner.planning.template_faults import ExcessError, NotJsonError, TemplateProblem

from runner.planning.templates import TemplateFault, compile_template


def compile_problem(text: str) -> TemplateProblem:
    with pytest.raises(TemplateFault) as caught:
        compile_template(text)
    return caught.value.problem


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
        ("{% with a = 1 %}", "with", 3),
    ],
)
def test_the_innermost_block_that_is_not_closed_is_marked(text: str, opener: str, offset: int) -> None:
    problem = compile_problem(text)
    assert (problem.message, problem.offset, problem.length) == (f"'{opener}' is never closed", offset, len(opener))
    assert problem.hint == f"write {{% end{opener} %}} where it ends"


def test_a_hint_tells_how_to_write_braces() -> None:
    assert "{% raw %}" in compile_problem("a {{ b c }}").hint


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ExcessError("much"), "E314"),
        (RecursionError(), "E314"),
        (MemoryError(), "E314"),
        (NotJsonError("x"), "E315"),
        (ZeroDivisionError("division by zero"), "E313"),
        (KeyError("x"), "E313"),
        (AssertionError(), "E313"),
    ],
)
def test_codes_of_rendering(error: Exception, code: str) -> None:
    problem = render_fault("a {{ b }} {% if c %}{% endif %}", error, 13, {}).problem
    assert (problem.code, problem.offset, problem.length) == (code, 13, 4)
    assert problem.message


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ExcessError("too long"), "E314", "too long"),
        (RecursionError(), "E301", "nested too deeply"),
        (MemoryError(), "E301", "nested too deeply"),
        (ValueError("4300"), "E301", "a number that is too long"),
        (SyntaxError("too many blocks"), "E301", "too many blocks"),
    ],
)
def test_codes_of_compiling(error: Exception, code: str, message: str) -> None:
    problem = syntax_fault("{{ a }}", error).problem
    assert (problem.code, problem.offset, problem.length) == (code, 0, 7)
    assert message in problem.message


def test_a_place_outside_of_all_braces_is_the_first_of_them() -> None:
    problem = render_fault("a {{ b }}", ExcessError("much"), 0, {}).problem
    assert (problem.offset, problem.length) == (5, 1)


def test_words_of_python_without_names_of_functions() -> None:
    error = TypeError("_trim() got an unexpected keyword argument 'x'")
    problem = render_fault("{{ a }}", error, 3, {}).problem
    assert problem.message == "the template fails: 'trim' got an unexpected keyword argument 'x'"
