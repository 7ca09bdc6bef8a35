"""The filters and tests of templates: those of Jinja that make text for prompts, and `slug`.

They take and give what Jinja's own do ("List of Builtin Filters" and "List of Builtin Tests" in its documentation),
but that they give lists where Jinja gives generators, and work within the bounds of their scope. What is left out
would make HTML (`escape`, `urlize`, ...) or differ from run to run (`random`).
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec

from jinja2 import Undefined, pass_context
from jinja2.filters import do_float, do_indent, do_int, do_round, do_title, do_truncate, do_wordcount

from runner.model import canonical_json
from runner.planning.names import slug
from runner.planning.template_faults import ExcessError
from runner.planning.template_operations import MAX_WIDTH, as_number, compare, formatted, operate
from runner.planning.template_scope import Scope
from runner.planning.template_values import MAX_SIZE, kind_of, plain, text_of

Function = Callable[..., object]
P = ParamSpec("P")

# Work on a text of this length is not counted: it is no more than any other step.
_SHORT = 1_000


def _on_text(function: Callable[[str], object]) -> Function:
    """A filter that takes a text and nothing else."""

    @pass_context
    def call(scope: Scope, value: object) -> object:
        if type(value) is str and len(value) <= _SHORT:
            return function(value)
        text = text_of(value)
        scope.spend(len(text))
        return scope.made(function(text))

    return call


def _bounded(function: Callable[Concatenate[Scope, P], object]) -> Function:
    """A filter or test whose arguments and result are counted."""

    @pass_context
    @wraps(function)
    def call(scope: Scope, *args: P.args, **kwargs: P.kwargs) -> object:
        scope.read(*args, *kwargs.values())
        result = function(scope, *args, **kwargs)
        # What `[] | first` gives is for `default` to look at, if that comes next.
        return result if isinstance(result, Undefined) else scope.made(result)

    return call


def _unbounded(function: Callable[[object], bool]) -> Function:
    """A test that takes no time, whatever it looks at, and also looks at unknown names."""

    @pass_context
    def call(_: Scope, value: object) -> bool:
        return function(value)

    return call


@pass_context
def _default(_: Scope, value: object, default_value: object = "", boolean: bool = False) -> object:
    return default_value if isinstance(value, Undefined) or (boolean and not value) else value


def _string(_: Scope, value: object) -> str:
    return text_of(value)


def _trim(_: Scope, value: object, chars: str | None = None) -> str:
    return text_of(value).strip(chars)


def _center(_: Scope, value: object, width: int = 80) -> str:
    return text_of(value).center(_width(width))


def _indent(scope: Scope, value: object, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    text = text_of(value)
    step = len(width) if isinstance(width, str) else _width(width)
    scope.spend((len(text.splitlines()) + 1) * step)
    return do_indent(text, width, first, blank)


def _replace(scope: Scope, value: object, old: object, new: object, count: int | None = None) -> str:
    text, old_text, new_text = text_of(value), text_of(old), text_of(new)
    scope.spend(text.count(old_text) * len(new_text))
    return text.replace(old_text, new_text, -1 if count is None else count)


def _truncate(
    scope: Scope, value: object, length: int = 255, killwords: bool = False, end: str = "...", leeway: int | None = None
) -> str:
    return do_truncate(scope.environment, text_of(value), length, killwords, end, leeway)


def _format(scope: Scope, /, value: object, *args: object, **kwargs: object) -> object:
    return formatted(scope, text_of(value), kwargs or args)


def _width(width: int) -> int:
    if width > MAX_SIZE:
        raise ExcessError(f"a value has more than {MAX_SIZE:,} characters or items")
    return width


def _abs(_: Scope, value: object) -> float:
    return abs(as_number(value))


def _int(_: Scope, value: object, default: int = 0, base: int = 10) -> int:
    return do_int(value, default, base)


def _float(_: Scope, value: object, default: float = 0.0) -> float:
    return do_float(value, default)


def _round(_: Scope, value: object, precision: int = 0, method: str = "common") -> float:
    if abs(precision) > MAX_WIDTH // 10:
        raise ExcessError("a number cannot be rounded to so many digits")
    if method not in ("common", "ceil", "floor"):
        raise ValueError("round goes by 'common', 'ceil' or 'floor'")
    return do_round(as_number(value), precision, method)  # type: ignore[arg-type]  # checked above


def _tojson(_: Scope, value: object) -> str:
    return json.dumps(plain(value), ensure_ascii=False)


def _items_of(value: object) -> Iterable[object]:
    if not isinstance(value, (str, list, tuple, range, Mapping)):
        raise TypeError(f"{kind_of(value)} has no items")
    return value


def _length(_: Scope, value: object) -> int:
    return len(list(_items_of(value)))


def _list(_: Scope, value: object) -> list[object]:
    return list(_items_of(value))


def _first(scope: Scope, value: object) -> object:
    return next(iter(_items_of(value)), scope.environment.undefined("the list has no first item"))


def _last(scope: Scope, value: object) -> object:
    return next(reversed(list(_items_of(value))), scope.environment.undefined("the list has no last item"))


def _items(_: Scope, value: object) -> list[object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{kind_of(value)} has no keys")
    return list(value.items())


def _dictsort(
    scope: Scope, value: object, case_sensitive: bool = False, by: str = "key", reverse: bool = False
) -> list[object]:
    if by not in ("key", "value"):
        raise ValueError("dictsort goes by 'key' or 'value'")
    return _sort(scope, _items(scope, value), reverse, case_sensitive, "0" if by == "key" else "1")


def _getter(scope: Scope, attribute: object) -> Callable[[object], object]:
    """Looks up what a path like `address.city` or `tags.0` leads to; without a path, the item itself."""
    path = [] if attribute is None else str(attribute).split(".")

    def get(item: object) -> object:
        scope.spend(4 * len(path))
        for part in path:
            item = scope.environment.getitem(item, int(part) if part.isdecimal() else part)
        return item

    return get


def _folded(scope: Scope, attribute: object, case_sensitive: bool) -> Callable[[object], object]:
    """What items are ordered by; the case of letters does not count, unless it is asked for."""
    get = _getter(scope, attribute)

    def key(item: object) -> object:
        found = get(item)
        # Read, so that an unknown attribute is told as such, and not as something that cannot be ordered.
        scope.read(found)
        return found.lower() if isinstance(found, str) and not case_sensitive else found

    return key


def _join(scope: Scope, value: object, d: object = "", attribute: object = None) -> str:
    texts = [text_of(item) for item in map(_getter(scope, attribute), _items_of(value))]
    separator = text_of(d)
    scope.spend(len(separator) * len(texts) + sum(map(len, texts)))
    return separator.join(texts)


def _sort(
    scope: Scope, value: object, reverse: bool = False, case_sensitive: bool = False, attribute: object = None
) -> list[object]:
    items = list(_items_of(value))
    # Every item is compared about as often as the number of items has bits.
    scope.spend(scope.read(items) * len(items).bit_length())
    return sorted(items, key=_folded(scope, attribute, case_sensitive), reverse=reverse)  # type: ignore[arg-type]  # what has no order is a TypeError


def _min(scope: Scope, value: object, case_sensitive: bool = False, attribute: object = None) -> object:
    return _first(scope, _sort(scope, value, False, case_sensitive, attribute))


def _max(scope: Scope, value: object, case_sensitive: bool = False, attribute: object = None) -> object:
    return _first(scope, _sort(scope, value, True, case_sensitive, attribute))


def _unique(scope: Scope, value: object, case_sensitive: bool = False, attribute: object = None) -> list[object]:
    """By canonical text: items may be lists, and no choice of numbers makes them collide in a table of hashes."""
    key = _folded(scope, attribute, case_sensitive)
    found: dict[str, object] = {}
    for item in _items_of(value):
        found.setdefault(canonical_json(plain(key(item))), item)
    return list(found.values())


def _reverse(_: Scope, value: object) -> object:
    return value[::-1] if isinstance(value, str) else list(_items_of(value))[::-1]


def _sum(scope: Scope, value: object, attribute: object = None, start: object = 0) -> object:
    total = start
    for item in map(_getter(scope, attribute), _items_of(value)):
        total = operate(scope, "+", total, item)
    return total


def _map(
    scope: Scope,
    /,
    value: object,
    name: str | None = None,
    *args: object,
    attribute: object = None,
    default: object = None,
    **kwargs: object,
) -> list[object]:
    if name is None:
        found = map(_getter(scope, attribute), _items_of(value))
        return [default if default is not None and isinstance(item, Undefined) else item for item in found]
    function = _named("filter", FILTERS, name)
    return [function(scope, item, *args, **kwargs) for item in _items_of(value)]


def _named(what: str, functions: Mapping[str, Function], name: str) -> Function:
    if name not in functions:
        raise LookupError(f"there is no {what} {name!r}")
    return functions[name]


def _chosen(wanted: bool, by_attribute: bool) -> Function:
    """The filters select, reject, selectattr and rejectattr."""

    def choose(scope: Scope, value: object, *args: object) -> list[object]:
        if by_attribute and not args:
            raise TypeError("the name of an attribute is needed")
        get = _getter(scope, args[0] if by_attribute else None)
        name, *rest = args[by_attribute:] or (None,)
        test = operator.truth if name is None else _tester(scope, str(name), rest)
        return [item for item in _items_of(value) if bool(test(get(item))) is wanted]

    return _bounded(choose)


def _tester(scope: Scope, name: str, args: Iterable[object]) -> Callable[[object], object]:
    test = _named("test", TESTS, name)
    return lambda item: test(scope, item, *args)


FILTERS: Mapping[str, Function] = {
    "abs": _bounded(_abs),
    "capitalize": _on_text(str.capitalize),
    "center": _bounded(_center),
    "count": _bounded(_length),
    "d": _default,
    "default": _default,
    "dictsort": _bounded(_dictsort),
    "first": _bounded(_first),
    "float": _bounded(_float),
    "format": _bounded(_format),
    "indent": _bounded(_indent),
    "int": _bounded(_int),
    "items": _bounded(_items),
    "join": _bounded(_join),
    "last": _bounded(_last),
    "length": _bounded(_length),
    "list": _bounded(_list),
    "lower": _on_text(str.lower),
    "map": _bounded(_map),
    "max": _bounded(_max),
    "min": _bounded(_min),
    "reject": _chosen(False, False),
    "rejectattr": _chosen(False, True),
    "replace": _bounded(_replace),
    "reverse": _bounded(_reverse),
    "round": _bounded(_round),
    "select": _chosen(True, False),
    "selectattr": _chosen(True, True),
    "slug": _on_text(slug),
    "sort": _bounded(_sort),
    "string": _bounded(_string),
    "sum": _bounded(_sum),
    "title": _on_text(do_title),
    "tojson": _bounded(_tojson),
    "trim": _bounded(_trim),
    "truncate": _bounded(_truncate),
    "unique": _bounded(_unique),
    "upper": _on_text(str.upper),
    "wordcount": _on_text(do_wordcount),
}


def _divisible(_: Scope, value: object, by: object) -> bool:
    return as_number(value) % as_number(by) == 0


def _odd(_: Scope, value: object) -> bool:
    return as_number(value) % 2 == 1


def _is_cased(function: Callable[[str], bool]) -> Function:
    return _bounded(lambda _, value: function(text_of(value)))


def _comparison(name: str) -> Function:
    return _bounded(lambda scope, value, other: compare(scope, value, name, other))


def _is(*kinds: type) -> Function:
    """Tests for types: a truth value is an int in Python, but no number here."""
    return _unbounded(lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool)))


TESTS: Mapping[str, Function] = {
    **{name: _comparison("eq") for name in ("eq", "equalto", "==")},
    **{name: _comparison("ne") for name in ("ne", "!=")},
    **{name: _comparison("lt") for name in ("lt", "lessthan", "<")},
    **{name: _comparison("lteq") for name in ("le", "<=")},
    **{name: _comparison("gt") for name in ("gt", "greaterthan", ">")},
    **{name: _comparison("gteq") for name in ("ge", ">=")},
    "in": _comparison("in"),
    "boolean": _is(bool),
    "defined": _unbounded(lambda value: not isinstance(value, Undefined)),
    "divisibleby": _bounded(_divisible),
    "even": _bounded(lambda scope, value: _divisible(scope, value, 2)),
    "false": _unbounded(lambda value: value is False),
    "float": _is(float),
    "integer": _is(int),
    "iterable": _is(str, list, tuple, range, Mapping),
    "lower": _is_cased(str.islower),
    "mapping": _is(Mapping),
    "none": _unbounded(lambda value: value is None),
    "number": _is(bool, int, float),
    "odd": _bounded(_odd),
    "sequence": _is(str, list, tuple, range, Mapping),
    "string": _is(str),
    "true": _unbounded(lambda value: value is True),
    "undefined": _unbounded(lambda value: isinstance(value, Undefined)),
    "upper": _is_cased(str.isupper),
}
