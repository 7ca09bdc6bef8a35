"""Jinja2's sandbox for manifests from strangers: what templates may look at and call, and how they are compiled.

The sandbox of Jinja keeps templates from Python's insides, but not from taking all time and memory (its documentation,
"Security Considerations"). Here every operator, filter, call and loop goes through a `Scope` that counts, and nothing
is evaluated while a template is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import StringIO
from types import BuiltinMethodType, MethodType

from jinja2 import StrictUndefined, Template, Undefined, UndefinedError, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.lexer import Lexer
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from runner.planning.template_faults import ExcessError
from runner.planning.template_filters import FILTERS, TESTS
from runner.planning.template_lexer import OffsetLexer
from runner.planning.template_operations import compare, concat, numbers, operate, sliced
from runner.planning.template_scope import Scope
from runner.planning.template_values import MAX_SIZE, joined, kind_of, text_of

# The name of compiled templates in tracebacks.
FILENAME = "<template>"

_TEXT_METHODS = frozenset({
    "capitalize", "casefold", "center", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdecimal",
    "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition",
    "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split",
    "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
})  # fmt: skip
_LOOP_ATTRIBUTES = frozenset({
    "changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem", "previtem",
    "revindex", "revindex0",
})  # fmt: skip
_ATTRIBUTES: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (str, _TEXT_METHODS),
    (dict, frozenset({"get", "items", "keys", "values"})),
    ((list, tuple), frozenset({"count", "index"})),
    (LoopContext, _LOOP_ATTRIBUTES),
)
_WIDENING = frozenset({"center", "ljust", "rjust", "zfill"})


class UnknownNameError(UndefinedError):
    """A name or attribute that does not exist was used. `owner` is what should have the attribute, or `missing`."""

    def __init__(self, name: object, owner: object, message: str | None) -> None:
        super().__init__(message)
        self.name = name
        self.owner = owner


class _Unknown(StrictUndefined):
    """Stands for what does not exist, and raises UnknownNameError when it is used."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: object = missing,
        name: str | None = None,
        exc: Callable[[str], UndefinedError] | None = None,
    ) -> None:
        # Jinja only ever calls it, with the message.
        failure = partial(UnknownNameError, name, obj) if hint is None else UndefinedError
        super().__init__(hint, obj, name, failure)  # type: ignore[arg-type]


class TextGenerator(CodeGenerator):
    """Compiles templates whose values become text as `text_of` has it."""

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("text = environment.text")

    @staticmethod
    def _default_finalize(value: object) -> str:
        return text_of(value)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: object) -> None:
        self.write("text(" if frame.buffer is None else "context.captured(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: object) -> None:
        self.write(")")


class ValueGenerator(TextGenerator):
    """Compiles templates that are one expression: they yield its own value."""

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: object) -> str:
        raise nodes.Impossible

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: object) -> None:
        self.write("(")


class Environment(ImmutableSandboxedEnvironment):
    """The sandbox with our bounds. `OPERATIONS` are filters that the syntax tree uses, and no template can name."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)
    concat = staticmethod(joined)
    text = staticmethod(text_of)

    def __init__(self) -> None:
        # An `{% if %}` on a line of its own leaves no empty line in a prompt; the last newline of a file is dropped.
        super().__init__(undefined=_Unknown, trim_blocks=True, lstrip_blocks=True, optimized=False, cache_size=0)
        self.filters = {**FILTERS, **OPERATIONS}
        self.tests = dict(TESTS)
        self.globals = {}
        self._lexer = OffsetLexer(self)
        self._evaluation = nodes.EvalContext(self)

    @property
    def lexer(self) -> Lexer:
        return self._lexer

    def scope(self, variables: Mapping[str, object]) -> Scope:
        """A scope for one render."""
        return Scope(self, self._evaluation, variables)

    def assemble(self, tree: nodes.Template, generator: type[CodeGenerator]) -> Template:
        """The compiled template. Raises what `jinja2` and `compile` raise."""
        source = StringIO()
        generator(self, None, None, source, optimized=False).visit(tree)
        return Template.from_code(self, compile(source.getvalue(), FILENAME, "exec"), {})

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        return operate(_scope(context), operator, left, right)

    def getattr(self, obj: object, attribute: str) -> object:
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        _check_known(obj)
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if attribute in attributes_of(obj):
            # A subclass of str has methods of its own, which nobody has looked at.
            return getattr(str.__str__(obj) if isinstance(obj, str) else obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: object, argument: object) -> object:
        _check_known(obj)
        _check_known(argument)
        # Only short keys: the hash of a long tuple would be work that nobody counts.
        simple = argument is None or isinstance(argument, (str, int, float))
        if simple and isinstance(obj, (Mapping, list, tuple, str, range)):
            try:
                return obj[argument]  # type: ignore[index, call-overload]  # a wrong type is a TypeError
            except (TypeError, LookupError):
                pass
        return self.undefined(obj=obj, name=argument)  # type: ignore[arg-type]  # an index has a number for a name

    def call(__self, __context: Context, __obj: object, *args: object, **kwargs: object) -> object:  # noqa: N805
        # Underlined like Jinja's own, so that no keyword of a template is taken for one of them.
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        scope = _scope(__context)
        _check_known(__obj)
        scope.read(*args, *kwargs.values())
        if isinstance(__obj, BuiltinMethodType):
            scope.spend(_growth(__obj, args))
        elif not isinstance(__obj, MethodType):
            raise TypeError(f"{kind_of(__obj)} cannot be called")
        result = __obj(*args, **kwargs)
        known = result is None or isinstance(result, (str, int, float, list, tuple, dict))
        return scope.made(result if known else list(result))


def attributes_of(value: object) -> frozenset[str]:
    """The names of the methods and attributes that templates may use of a value, besides the keys of a mapping."""
    return next((names for kind, names in _ATTRIBUTES if isinstance(value, kind)), frozenset())


def _scope(context: Context) -> Scope:
    if not isinstance(context, Scope):
        raise TypeError("a template renders in its scope")
    return context


def _check_known(value: object) -> None:
    """Raise the error of an unknown name that is used."""
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()


def _growth(method: BuiltinMethodType, args: tuple[object, ...]) -> int:
    """How much the method reads and makes, looked at before it is called; its arguments are counted already.

    Attributes come from `_ATTRIBUTES` alone, so the method is one of those.
    """
    owner = method.__self__
    if not isinstance(owner, str):
        return len(owner) if isinstance(owner, (dict, list, tuple)) else 0
    if method.__name__ in _WIDENING and args and isinstance(args[0], int):
        if args[0] > MAX_SIZE:
            raise ExcessError(f"a value has more than {MAX_SIZE:,} characters or items")
        return len(owner) + args[0]
    texts = [arg for arg in args if isinstance(arg, str)]
    if method.__name__ == "replace" and len(texts) == 2:
        return len(owner) + owner.count(texts[0]) * len(texts[1])
    if method.__name__ == "join":
        return len(owner) * max((len(arg) for arg in args if isinstance(arg, (str, list, tuple, dict))), default=0)
    return len(owner)


@pass_context
def _made(scope: Scope, value: object) -> object:
    return scope.made(value)


@pass_context
def _counted(scope: Scope, items: object, cost: int) -> Iterator[object]:
    _check_known(items)
    if not isinstance(items, (str, list, tuple, range, Mapping)):
        raise TypeError(f"{kind_of(items)} has no items to go through")
    return scope.counted(items, cost)


MADE, COUNTED, COMPARE, CONCAT, SLICE, RANGE = "(made)", "(counted)", "(compare)", "(concat)", "(slice)", "(range)"
OPERATIONS: Mapping[str, Callable[..., object]] = {
    MADE: _made,
    COUNTED: _counted,
    COMPARE: pass_context(compare),
    CONCAT: pass_context(concat),
    SLICE: pass_context(sliced),
    RANGE: pass_context(numbers),
}

ENVIRONMENT = Environment()
