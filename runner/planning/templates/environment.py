"""Jinja2's sandbox for manifests from strangers. Templates have the whole language, except what differs between runs.

The sandbox keeps templates away from Python's internals, but does not limit time and memory (its documentation,
"Security Considerations"). A `Watch` interrupts renders, and the process has a memory limit. Neither can stop a single
operation of Python halfway, so operations that would be too large are refused here before they begin.
"""

from __future__ import annotations

import json
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial, wraps
from types import CodeType

from jinja2 import (
    BaseLoader,
    StrictUndefined,
    Template,
    TemplateAssertionError,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
    pass_context,
    pass_environment,
)
from jinja2.environment import TemplateModule
from jinja2.filters import do_float, do_int, ignore_case, make_attrgetter
from jinja2.lexer import Lexer
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from runner.model import canonical_json
from runner.planning.templates.lexer import OffsetLexer, stray_end, tokens
from runner.planning.templates.slugs import slug
from runner.planning.templates.template_errors import ExcessError, NotNumberError
from runner.planning.templates.template_values import plain, sized, text_of

# Limits of one operation: the bits of its integers, and the characters or items of a repeated value.
MAX_BITS = 100_000
MAX_REPEATED = 1_000_000

_RANDOM = ("lipsum", "random")
# Filters that return generators in Jinja. Here they return lists, which can be read twice and have a length.
_LAZY = ("batch", "map", "reject", "rejectattr", "select", "selectattr", "slice", "items")
# Filters for internal use: no template can write their names.
_SIZED, _TEXT = "(sized)", "(text)"


class UnknownNameError(UndefinedError):
    """A template used an unknown name. `owner` is the value that has no such attribute, or `missing` for a variable."""

    def __init__(self, name: object, owner: object, message: str | None) -> None:
        super().__init__(message)
        self.name = name
        self.owner = owner


class MisleadingError(TemplateSyntaxError):
    """Jinja accepts `word`, but its meaning is not what it seems to be. `lineno` is the offset of the word."""

    def __init__(self, message: str, offset: int, word: str, hint: str, name: str | None) -> None:
        super().__init__(message, offset, name)
        self.word = word
        self.hint = hint


class _Unknown(StrictUndefined):
    """Stands for a value that does not exist, and raises UnknownNameError when it is used."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: object = missing,
        name: str | None = None,
        exc: Callable[[str], Exception] = UndefinedError,
    ) -> None:
        if hint is None and exc is UndefinedError:
            exc = partial(UnknownNameError, name, obj)
        super().__init__(hint, obj, name, exc)  # type: ignore[arg-type]  # it is only called, with the message


class _Fragment(Template):
    """A template whose module is made again for each `import`: what one render left in it does not affect another."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        return self.make_module()


@pass_context
def _finalized(context: Context, value: object) -> str:
    # Because it takes the context, Jinja cannot evaluate constants when it compiles.
    return text_of(value)


def _as_list(filter_: Callable[..., object]) -> Callable[..., object]:
    @wraps(filter_)
    def call(*args: object, **kwargs: object) -> object:
        found = filter_(*args, **kwargs)
        return list(found) if isinstance(found, Iterator) else found

    return call


@pass_environment
def _unique(
    environment: ImmutableSandboxedEnvironment,
    value: Iterable[object],
    case_sensitive: bool = False,
    attribute: str | None = None,
) -> list[object]:
    # Items are compared by their JSON: 1 and true are not the same, and items may be lists.
    key = make_attrgetter(environment, attribute, postprocess=None if case_sensitive else ignore_case)
    found: dict[str, object] = {}
    for item in value:
        found.setdefault(canonical_json(plain(key(item))), item)
    return list(found.values())


def _reversed(value: object) -> object:
    return value[::-1] if isinstance(value, str) else list(reversed(list(value)))  # type: ignore[call-overload]


def _float(value: object, default: object = missing) -> object:
    # Jinja's own filters make 0 of what is no number, and 0 is paid for.
    found = do_float(value, default)  # type: ignore[arg-type]  # any default is given back as it is
    if found is missing:
        raise NotNumberError(value, "float")
    return found


def _int(value: object, default: object = missing, base: int = 10) -> object:
    found = do_int(value, default, base)  # type: ignore[arg-type]  # any default is given back as it is
    if found is missing:
        raise NotNumberError(value, "int")
    return found


def _slug(value: object) -> str:
    return slug(text_of(value))


def _tojson(value: object) -> str:
    # Jinja's own filter is for HTML: it sorts names, and writes < as \u003c.
    return json.dumps(plain(value), ensure_ascii=False)


class _Scope(Context):
    """Looks up globals last. Jinja's own context copies them, and all variables, for each render."""

    def resolve_or_missing(self, key: str) -> object:
        if key in self.vars:
            return self.vars[key]
        if key in self.parent:
            return self.parent[key]
        return self.environment.globals.get(key, missing)


class Environment(ImmutableSandboxedEnvironment):
    """The environment of one manifest's templates. Line numbers in them are offsets, because of `OffsetLexer`."""

    context_class = _Scope
    template_class = _Fragment
    intercepted_binops = frozenset(("+", "*", "**", "/", "//", "%"))

    def __init__(self, loader: BaseLoader | None = None) -> None:
        # An `{% if %}` on a line of its own leaves no empty line in a prompt; the last newline of a file is dropped.
        super().__init__(
            undefined=_Unknown,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_finalized,
            optimized=False,
            auto_reload=False,
            loader=loader,
        )
        for name in _RANDOM:
            self.filters.pop(name, None)
            self.globals.pop(name, None)
        for name in _LAZY:
            self.filters[name] = _as_list(self.filters[name])
        self.filters.update({"reverse": _reversed, "slug": _slug, "tojson": _tojson, "unique": _unique})
        self.filters.update({"float": _float, "int": _int})
        self.filters.update({_SIZED: sized, _TEXT: text_of})
        self._lexer = OffsetLexer(self)

    @property
    def lexer(self) -> Lexer:
        return self._lexer

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        stray = stray_end(tokens(self._lexer, source))
        if stray is not None:
            hint = "to write it as text, put it between {% raw %} and {% endraw %}"
            raise MisleadingError(f"{stray.text!r} ends what nothing began", stray.start, stray.text, hint, name)
        tree = super()._parse(source, name, filename)
        _check_names(tree, name)
        self._check_operations(tree, name)
        bounded: nodes.Template = _Bounding().visit(tree)
        return bounded

    def _check_operations(self, tree: nodes.Template, name: str | None) -> None:
        """Refuse filters and tests that do not exist. Jinja reports those inside conditions only during a render."""
        for node in tree.find_all((nodes.Filter, nodes.Test)):
            kind, known = ("filter", self.filters) if isinstance(node, nodes.Filter) else ("test", self.tests)
            if node.name not in known:
                raise TemplateAssertionError(f"No {kind} named {node.name!r}.", node.lineno, name)

    def _compile(self, source: str, filename: str) -> CodeType:
        with warnings.catch_warnings():
            # Python warns about an index on a number. The render fails at that place anyway.
            warnings.simplefilter("ignore", SyntaxWarning)
            return super()._compile(source, filename)

    def scope(self, template: Template, variables: Mapping[str, object]) -> Context:
        """The context in which a render of the template looks up names."""
        return _Scope(self, variables, None, template.blocks)  # type: ignore[arg-type]  # nothing is written there

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        if isinstance(left, int) and isinstance(right, int):
            _check_numbers(operator, left, right)
        elif operator == "*":
            _check_repeated(left, right)
            _check_repeated(right, left)
        result: object = super().call_binop(context, operator, left, right)
        if isinstance(result, complex):
            raise ValueError("the result is not a real number")
        return sized(result) if isinstance(result, (list, tuple)) else result

    def call(__self, __context: Context, __obj: object, *args: object, **kwargs: object) -> object:  # noqa: N805
        # The parameters begin with __ like Jinja's, so that no keyword argument of a template can have their names.
        for each in (*args, *kwargs.values()):
            sized(each)
        return super().call(__context, __obj, *args, **kwargs)

    def getattr(self, obj: object, attribute: str) -> object:
        """As in Jinja, except that the keys of a mapping come before its methods: `{{ scene.items }}`."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _check_numbers(operator: str, left: int, right: int) -> None:
    bits = left.bit_length() * abs(right) if operator == "**" else left.bit_length() + right.bit_length()
    if bits > MAX_BITS:
        raise ExcessError("a number gets too large")


def _check_repeated(items: object, times: object) -> None:
    if isinstance(items, (str, list, tuple)) and isinstance(times, int) and len(items) * times > MAX_REPEATED:
        raise ExcessError(f"a value has more than {MAX_REPEATED:,} characters or items")


class _Bounding(NodeTransformer):
    """Limits the size of values that get a name, and lets `~` accept only values that a text can hold."""

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.node = _filtered(node.node, _SIZED)
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.filter = nodes.Filter(node.filter, _SIZED, [], [], None, None, lineno=node.lineno)
        return node

    def visit_With(self, node: nodes.With) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.values[:] = [_filtered(each, _SIZED) for each in node.values]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes[:] = [_filtered(each, _TEXT) for each in node.nodes]
        return node


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=node.environment)


def _check_names(tree: nodes.Template, name: str | None) -> None:
    """Refuse names with unusual letters. Jinja compiles to Python, which reads them as their plain spelling."""
    for node in tree.find_all(nodes.Name):
        usual = unicodedata.normalize("NFKC", node.name)
        if usual != node.name:
            message = f"the name {node.name!r} has unusual letters"
            raise MisleadingError(message, node.lineno, node.name, f"write {usual!r}", name)
