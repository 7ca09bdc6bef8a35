"""The operators of templates, within bounds: none makes or takes more than its scope allows.

Each looks at the size of what it would make before it makes it: a template cannot be stopped half way through one
multiplication.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from runner.planning.template_faults import ExcessError
from runner.planning.template_scope import Scope
from runner.planning.template_values import MAX_BITS, MAX_SIZE, kind_of, text_of

MAX_WIDTH = 1_000
MAX_RANGE = 10_000

# Python's conversions ("printf-style String Formatting" in its reference), without `*` and length modifiers. What does
# not match is refused, so that Python can read no other width than the one that is checked here.
_CONVERSION = re.compile(
    r"%(?:(?:\([^()]*\))?[#0\- +]*(?P<width>\d*)(?:\.(?P<precision>\d*))?[diouxXeEfFgGcrsa%]|(?P<other>))"
)


def operate(scope: Scope, symbol: str, left: object, right: object) -> object:
    """What `left symbol right` gives. Raises TypeError, ArithmeticError or ExcessError where it gives nothing."""
    scope.read(left, right)
    if symbol == "%" and isinstance(left, str):
        return formatted(scope, left, right)
    if symbol == "*":
        _check_product(left, right)
    elif symbol == "**":
        _check_power(left, right)
    return scope.made(_ARITHMETIC[symbol](left, right))


def _power(left: object, right: object) -> object:
    result = operator.pow(left, right)
    if isinstance(result, complex):
        raise ValueError("the result is not a real number")
    return result


_ARITHMETIC: Mapping[str, Callable[[object, object], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _power,
}


def _check_product(left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > MAX_BITS:
            raise ExcessError("a number gets too large")
        return
    for items, times in ((left, right), (right, left)):
        if isinstance(items, (str, list, tuple)) and isinstance(times, int) and len(items) * times > MAX_SIZE:
            raise ExcessError(f"a value has more than {MAX_SIZE:,} characters or items")


def _check_power(left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > MAX_BITS:
        raise ExcessError("a number gets too large")


def compare(scope: Scope, first: object, *rest: object) -> bool:
    """Whether the chain holds: a value, then the name of a comparison and a value, as often as need be."""
    left = first
    for name, right in zip(rest[::2], rest[1::2], strict=True):
        scope.read(left, right)
        if not COMPARISONS[str(name)](left, right):
            return False
        left = right
    return True


def _is_in(item: object, items: object) -> bool:
    if not isinstance(items, (str, list, tuple, range, Mapping)):
        raise TypeError(f"{kind_of(items)} contains nothing")
    return item in items


# By the names that Jinja gives them in its syntax tree (jinja2.nodes.Operand).
# Any: every pair of values can be tried, and what cannot be compared is a TypeError.
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": _is_in,
    "notin": lambda item, items: not _is_in(item, items),
}


def concat(scope: Scope, *parts: object) -> str:
    """The texts of all parts, one after the other."""
    texts = [text_of(part) for part in parts]
    scope.spend(sum(map(len, texts)))
    return "".join(texts)


def sliced(scope: Scope, value: object, start: object, stop: object, step: object) -> object:
    """A part of a text or a list."""
    scope.read(start, stop, step)
    if not isinstance(value, (str, list, tuple)):
        scope.read(value)
        raise TypeError(f"{kind_of(value)} has no parts to take")
    parts = (None if part is None else _whole(part) for part in (start, stop, step))
    return scope.made(value[slice(*parts)])


def _whole(value: object) -> int:
    if isinstance(value, int):
        return value
    raise TypeError(f"a whole number is needed, not {kind_of(value)}")


def numbers(scope: Scope, *limits: object) -> range:
    """Jinja's `range`, of at most 10,000 numbers."""
    scope.read(*limits)
    found = range(*(_whole(limit) for limit in limits))
    # Compared by its ends, because a long one has no len().
    if found[MAX_RANGE:]:
        raise ExcessError(f"a range has more than {MAX_RANGE:,} numbers")
    return found


def formatted(scope: Scope, template: str, values: object) -> object:
    """What `template % values` gives. Raises ValueError and TypeError for what does not fit, as Python does."""
    largest = scope.read(template, values)
    for found in _CONVERSION.finditer(template):
        if found["other"] is not None:
            raise ValueError("a % that starts no conversion; write %% for a percent sign")
        width = max(int(digits or 0) for digits in found.group("width", "precision"))
        if width > MAX_WIDTH:
            raise ExcessError(f"a conversion is wider than {MAX_WIDTH:,} characters")
        scope.spend(largest + width)
    return scope.made(template % values)


def as_number(value: object) -> float:
    """The value, if it is a finite number. Raises TypeError for anything else."""
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise TypeError(f"a number is needed, not {kind_of(value)}")
