"""Templates: text with expressions in it, in Jinja2's sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from jinja2 import Template as Compiled
from jinja2 import TemplateError, nodes
from jinja2.meta import TrackingCodeGenerator, find_referenced_templates
from jinja2.runtime import Context

from runner.diagnostics.text import Text
from runner.errors import ManifestError
from runner.manifest.files import UnreadableError
from runner.model import Json
from runner.planning.templates.diagnosis import render_error, syntax_error
from runner.planning.templates.environment import Environment
from runner.planning.templates.fragments import Fragments
from runner.planning.templates.lexer import with_newlines
from runner.planning.templates.template_errors import ExcessError, NotJsonError, NotNumberError, NotTextError
from runner.planning.templates.template_values import MAX_TEXT, lasting, plain, text_of
from runner.planning.templates.watch import Watch

# What Python and Jinja raise for a template that they cannot compile: not valid, too deep, or a number too long.
_COMPILING = (TemplateError, ExcessError, SyntaxError, ValueError, RecursionError, MemoryError)
# What operations raise for values that they do not support, and what reading a fragment raises.
_RENDERING = (
    *_COMPILING, ManifestError, UnreadableError, NotJsonError, NotNumberError, NotTextError, ArithmeticError,
    AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError,
)  # fmt: skip
# If a template is a single expression, this variable holds its value.
_VALUE = "__value__"
# How many pieces of a text are joined at once.
_PIECES = 1000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. `names` are the variables that it, or a fragment that it names, may look up.

    `fixed` is the text outside of all braces, and `whole` are the variables that are put out unchanged. Both are in the
    result of every render. `is_dynamic`: only a render decides which fragments, and so which variables, are used.
    """

    text: str
    names: frozenset[str] = frozenset()
    fixed: str = field(default="", repr=False)
    whole: frozenset[str] = field(default=frozenset(), repr=False)
    is_dynamic: bool = False
    _form: _Form | None = field(default=None, repr=False)

    @property
    def fragments(self) -> Iterable[Text]:
        """The fragments that were read for the templates of its manifest so far."""
        return () if self._form is None else self._form.compiler.fragments.texts.values()

    @property
    def is_value(self) -> bool:
        """Whether it is exactly one expression, whose value keeps its type."""
        return self._form is not None and self._form.is_expression

    @property
    def is_constant(self) -> bool:
        """Whether it has no expression at all, so that its text is always the same."""
        return self._form is None

    def render(self, variables: Mapping[str, object]) -> str:
        """The text that it makes with these variables.

        Raises InvalidTemplateError: E101 for a fragment that cannot be read, E301 for one that does not compile, E311
        for an unknown name, E314 for an exceeded limit, E316 for a value that no text can hold, E313 for anything else.
        """
        form = self._form
        return self.fixed if form is None else form.evaluated(self.text, form.as_text, variables)

    def value(self, variables: Mapping[str, object]) -> Json:
        """The value of a template that is exactly one expression, `{{ cfg }}` with nothing around it; else its text.

        The value has plain types and is never parsed again: text that looks like a number stays text, and `none` is
        None. Raises what `render` raises, and E315 for a value that JSON does not have.
        """
        form = self._form
        return self.fixed if form is None else form.evaluated(self.text, form.as_value, variables)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a template with expressions is evaluated."""

    compiler: Templates
    compiled: Compiled
    is_expression: bool

    def evaluated(self, text: str, collect: Callable[[Context], _T], variables: Mapping[str, object]) -> _T:
        environment, watch = self.compiler.environment, self.compiler.watch
        try:
            # A tick of the watch may come at its end, too.
            try:
                watch.begin()
                return collect(environment.scope(self.compiled, variables))
            finally:
                watch.end()
        except _RENDERING as error:
            watch.end()
            raise render_error(environment, self.compiler.fragments, text, error, variables) from error

    def as_text(self, context: Context) -> str:
        text = _joined(self.compiled.root_render_func(context))
        if self.is_expression:
            text = text_of(context.vars[_VALUE])
        if len(text) > MAX_TEXT:
            raise ExcessError(f"the text has more than {MAX_TEXT:,} characters")
        return lasting(text)

    def as_value(self, context: Context) -> Json:
        if not self.is_expression:
            return self.as_text(context)
        # The compiled template is only an assignment to _VALUE, so there is nothing to collect.
        for _ in self.compiled.root_render_func(context):
            pass
        return plain(context.vars[_VALUE])


class Templates:
    """Compiles the templates of one manifest, which share their fragments and their watch.

    `folders` are the resolved paths of the folders that fragments may be in. Names of fragments are paths relative to
    the first folder.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.fragments = Fragments(folders)
        self.environment = Environment(self.fragments)
        self.watch = Watch()

    def compile(self, text: str) -> Template:
        """Compile `text`. Keep the result: rendering is fast, compiling is not.

        The language is Jinja2's ("Template Designer Documentation"), plus the filter `slug` and minus what differs
        between runs. A block tag is removed with its indentation and the newline after it. The last newline of the text
        is removed, too. Every newline becomes one character.

        Raises InvalidTemplateError: E301 if the text cannot be read, E314 if it is too long.
        """
        try:
            # A tick of the watch may come at its end, too.
            try:
                self.watch.begin()
                return self._compiled(text)
            finally:
                self.watch.end()
        except _COMPILING as error:
            self.watch.end()
            raise syntax_error(self.environment, text, error) from error

    def _compiled(self, text: str) -> Template:
        if len(text) > MAX_TEXT:
            raise ExcessError(f"the template has more than {MAX_TEXT:,} characters")
        source = with_newlines(text)
        if not {"{", "}"} & set(source):
            return Template(text, fixed=source.removesuffix("\n"))
        tree = self.environment.parse(source)
        fixed, expression = _fixed_text(tree), _expression(tree)
        if all(isinstance(part, nodes.Output) and _is_data(part) for part in tree.body):
            return Template(text, fixed=fixed)
        names, is_dynamic = self._names(tree, set())
        whole = names & {part.name for part in _put_out(tree) if isinstance(part, nodes.Name)}
        if expression is not None:
            target = nodes.Name(_VALUE, "store", lineno=expression.lineno)
            tree.body = [nodes.Assign(target, expression, lineno=expression.lineno)]
            tree.set_environment(self.environment)
        code = self.environment.compile(tree)
        compiled = Compiled.from_code(self.environment, code, self.environment.globals)
        return Template(text, names, fixed, whole, is_dynamic, _Form(self, compiled, expression is not None))

    def _names(self, tree: nodes.Template, seen: set[str]) -> tuple[frozenset[str], bool]:
        """The variables that a tree and its fragments look up, and whether there may be further fragments."""
        names, is_dynamic = self._undeclared(tree), False
        for name in find_referenced_templates(tree):
            if name is None:
                is_dynamic = True
            elif name not in seen:
                seen.add(name)
                more, has_more = self._names_of(name, seen)
                names, is_dynamic = names | more, is_dynamic or has_more
        return frozenset(names), is_dynamic

    def _undeclared(self, tree: nodes.Template) -> set[str]:
        """Like Jinja's `find_undeclared_variables`, but without evaluating constants."""
        tracking = TrackingCodeGenerator(self.environment)
        tracking.optimizer = None
        tracking.visit(tree)
        return tracking.undeclared_identifiers

    def _names_of(self, fragment: str, seen: set[str]) -> tuple[frozenset[str], bool]:
        """Like `_names`, for a fragment. Its errors are reported when a render reaches it."""
        try:
            source, *_ = self.fragments.get_source(self.environment, fragment)
            return self._names(self.environment.parse(source, fragment), seen)
        except (*_COMPILING, ManifestError, UnreadableError, OSError):
            return frozenset(), False


def _joined(pieces: Iterator[str]) -> str:
    """The pieces as one text. It stops soon after the text becomes too long."""
    some = list(islice(pieces, _PIECES))
    text = "".join(some)
    while len(some) == _PIECES and len(text) <= MAX_TEXT:
        some = list(islice(pieces, _PIECES))
        text += "".join(some)
    return text


def _is_data(output: nodes.Output) -> bool:
    return all(isinstance(part, nodes.TemplateData) for part in output.nodes)


def _expression(tree: nodes.Template) -> nodes.Expr | None:
    """The expression, if the whole template is exactly one."""
    parts = [part for output in tree.body if isinstance(output, nodes.Output) for part in output.nodes]
    is_one = len(tree.body) == len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData)
    return parts[0] if is_one else None


def _put_out(tree: nodes.Template) -> Iterator[nodes.Node]:
    """What every render puts out: everything outside of loops, conditions and other blocks."""
    if tree.find(nodes.Extends) is None:
        for output in tree.body:
            yield from output.nodes if isinstance(output, nodes.Output) else ()


def _fixed_text(tree: nodes.Template) -> str:
    """The text outside of all braces, which is in the result of every render."""
    return "".join(part.data for part in _put_out(tree) if isinstance(part, nodes.TemplateData))
