"""Templates: text with expressions in it, in Jinja2's sandbox.

Manifests from strangers are data, so a template can reach neither files nor secrets, nor take much time: what it may
hold is checked when it is compiled (`template_syntax`), and what it does is counted when it is rendered
(`template_scope`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

from jinja2 import Template as Compiled
from jinja2 import TemplateError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context

from runner.model import Json
from runner.planning import template_syntax as syntax
from runner.planning.template_diagnosis import render_fault, syntax_fault
from runner.planning.template_environment import ENVIRONMENT, FILENAME, TextGenerator, ValueGenerator
from runner.planning.template_faults import ExcessError, NotJsonError, TemplateFault, TemplateProblem
from runner.planning.template_lexer import with_newlines
from runner.planning.template_values import MAX_SIZE, joined, plain, text_of

__all__ = ["Template", "TemplateFault", "TemplateProblem", "compile_template"]

# What Python and Jinja raise for a template that they cannot compile: not sound, too deep, or a number too long.
_COMPILING = (
    TemplateError, syntax.ForbiddenError, ExcessError, SyntaxError, ValueError, RecursionError, MemoryError,
)  # fmt: skip
# What operations raise for values that they do not work with.
_RENDERING = (
    TemplateError, ExcessError, NotJsonError, ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
# So few values cannot make much before it is measured.
_FEW = 20

_Pieces = Iterator[object]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. `names` are the variables that it may look up.

    `fixed` is the text outside of all braces, and `whole` are the variables that are put out as they are: these stand
    in whatever it makes.
    """

    text: str
    names: frozenset[str]
    fixed: str = field(repr=False)
    whole: frozenset[str] = field(repr=False)
    _form: _Form | None = field(repr=False)

    @property
    def is_constant(self) -> bool:
        """Whether it has no expression at all: its text is always the same."""
        return self._form is None

    def render(self, variables: Mapping[str, object]) -> str:
        """The text that it makes with these variables; values stand in it as Jinja writes them.

        Raises TemplateFault: E311 for an unknown name, E314 where it makes or takes too much, E315 for a value that is
        not JSON (a function, a range, NaN), E313 for whatever else fails.
        """
        form = self._form
        return self.fixed if form is None else self._evaluated(form, form.to_text, variables)

    def value(self, variables: Mapping[str, object]) -> Json:
        """The value of a template that is exactly one expression, `{{ cfg }}` with nothing around it; else its text.

        It is the expression's own value, of plain types and never parsed again: text that looks like a number stays
        text, and `none` is None. Raises what `render` raises.
        """
        form = self._form
        return self.fixed if form is None else self._evaluated(form, form.to_value, variables)

    def _evaluated(self, form: _Form, collect: Callable[[_Pieces], _T], variables: Mapping[str, object]) -> _T:
        try:
            return collect(form.root(ENVIRONMENT.scope(variables)))
        except _RENDERING as error:
            offset = _offset(form.compiled, error.__traceback__)
            raise render_fault(self.text, error, offset, variables) from error


@dataclass(frozen=True, slots=True)
class _Form:
    """How a template with expressions is evaluated."""

    compiled: Compiled
    root: Callable[[Context], _Pieces]
    to_text: Callable[[_Pieces], str]
    to_value: Callable[[_Pieces], Json]


def compile_template(text: str) -> Template:
    """The template of `text`, to be kept: rendering is fast, compiling is not.

    The language is Jinja2's ("Template Designer Documentation"), without blocks, macros, imports, inclusion and
    automatic escaping; of its functions there is `range`, of its filters and tests what makes text (see
    `template_filters`), with `slug` besides. The line of a block tag vanishes with its indentation and newline, and so
    does the last newline of the text. Newlines are always one character.

    Raises TemplateFault: E301 for what cannot be read or is not available, E314 for a template that is too long.
    """
    try:
        return _compiled(text)
    except _COMPILING as error:
        raise syntax_fault(text, error) from error


def _compiled(text: str) -> Template:
    source = with_newlines(text)
    if "{" not in source:
        return Template(text, frozenset(), source.removesuffix("\n"), frozenset(), None)
    if len(source) > MAX_SIZE:
        raise ExcessError(f"the template has more than {MAX_SIZE:,} characters")
    tree = syntax.parse(source)
    syntax.check(tree)
    if all(isinstance(part, nodes.Output) and _is_data(part) for part in tree.body):
        return Template(text, frozenset(), syntax.fixed_text(tree), frozenset(), None)
    fixed, whole = syntax.fixed_text(tree), syntax.whole_names(tree)
    tree = syntax.counted(tree)
    names = frozenset(find_undeclared_variables(tree))
    return Template(text, names, fixed, whole & names, _form(tree))


def _form(tree: nodes.Template) -> _Form:
    if _is_expression(tree):
        compiled = ENVIRONMENT.assemble(tree, ValueGenerator)
        return _Form(compiled, compiled.root_render_func, _text_of_one, _value_of_one)
    compiled = ENVIRONMENT.assemble(tree, TextGenerator)
    collect = _joined_few if _makes_little(tree) else _joined_many
    return _Form(compiled, compiled.root_render_func, collect, collect)


def _is_data(output: nodes.Output) -> bool:
    return all(isinstance(part, nodes.TemplateData) for part in output.nodes)


def _is_expression(tree: nodes.Template) -> bool:
    """Whether the whole template is one `{{ }}`."""
    parts = [part for output in tree.body if isinstance(output, nodes.Output) for part in output.nodes]
    return len(tree.body) == len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData)


def _makes_little(tree: nodes.Template) -> bool:
    """Whether it puts out only a few values, however it goes."""
    values = (part for output in tree.find_all(nodes.Output) for part in output.nodes)
    return tree.find(nodes.For) is None and sum(not isinstance(part, nodes.TemplateData) for part in values) <= _FEW


def _joined_few(pieces: _Pieces) -> str:
    text = "".join(pieces)  # type: ignore[arg-type]  # TextGenerator makes them texts
    if len(text) > MAX_SIZE:
        raise ExcessError(f"the text has more than {MAX_SIZE:,} characters")
    return text


def _joined_many(pieces: _Pieces) -> str:
    return joined(pieces)  # type: ignore[arg-type]  # TextGenerator makes them texts


def _text_of_one(pieces: _Pieces) -> str:
    return text_of(next(pieces))


def _value_of_one(pieces: _Pieces) -> Json:
    return plain(next(pieces))


def _offset(compiled: Compiled, traceback: TracebackType | None) -> int:
    """Where in the template the innermost of its frames was; its line numbers are offsets."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILENAME:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return compiled.get_corresponding_lineno(line)
