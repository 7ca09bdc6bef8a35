"""The values that a template handles: how big they are, and their text.

Whatever a template makes passes through here, because text is part of a job's identity: it must not hold what differs
from run to run, such as the memory address that Python prints for a function.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from jinja2 import Undefined
from jinja2.runtime import LoopContext

from runner.model import Json
from runner.planning.template_faults import ExcessError, NotJsonError

# The most characters and items that one value, or the text of a whole template, may have.
MAX_SIZE = 100_000
# Python refuses to write integers of more than 4,300 digits; these have at most about 4,200.
MAX_BITS = 14_000


def size_of(value: object) -> int:
    """The characters and items of a value, shared parts counted as often as they appear.

    Raises ExcessError for more than MAX_SIZE, NotJsonError for what is no value of a template, and UndefinedError for
    an unknown name. The time it takes is bounded, too.
    """
    if isinstance(value, str):
        size = len(value)
    elif isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise ExcessError("a number is too large")
        size = 1 + value.bit_length() // 8
    elif isinstance(value, float) or value is None:
        return 1
    else:
        return _size_of_parts(value)
    if size > MAX_SIZE:
        raise ExcessError(f"a value has more than {MAX_SIZE:,} characters or items")
    return size


def _size_of_parts(value: object) -> int:
    size = 0
    left = [value]
    while left:
        part = left.pop()
        size += 1
        if isinstance(part, (list, tuple, range, Mapping)):
            # Counted before it is walked, so that a huge one is not even copied.
            if size + len(left) + len(part) > MAX_SIZE:
                raise ExcessError(f"a value has more than {MAX_SIZE:,} characters or items")
            left.extend(() if isinstance(part, range) else part)
            if isinstance(part, Mapping):
                left.extend(part.values())
        elif isinstance(part, Undefined):
            str(part)
        elif part is None or isinstance(part, (str, int, float)):
            size += size_of(part)
        else:
            raise NotJsonError(f"{kind_of(part)} is not a value")
        if size > MAX_SIZE:
            raise ExcessError(f"a value has more than {MAX_SIZE:,} characters or items")
    return size


def text_of(value: object) -> str:
    """The text that stands for a value in a template's output. Raises what `size_of` raises."""
    if type(value) is str and len(value) <= MAX_SIZE:
        return value
    size_of(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, range):
        raise NotJsonError("a range is not a value; give its items with '| list'")
    if isinstance(value, float) and not math.isfinite(value):
        raise NotJsonError(f"{value} is not a number that JSON has")
    return str(value)


def plain(value: object) -> Json:
    """The value as JSON has it, of plain types. Raises NotJsonError for anything that JSON does not have."""
    if isinstance(value, Undefined):
        str(value)
        raise NotJsonError("there is no value: the condition is false and has no else part")
    size_of(value)
    return _plain(value)


def _plain(value: object) -> Json:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_name(key): _plain(item) for key, item in value.items()}
    raise NotJsonError(f"{kind_of(value)} is not a value that JSON has")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise NotJsonError(f"JSON has no {kind_of(key)} as a key")
    return str.__str__(key)


def joined(pieces: Iterable[str]) -> str:
    """The pieces as one text. Raises ExcessError as soon as it has more than MAX_SIZE characters."""
    kept = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_SIZE:
            raise ExcessError(f"the text has more than {MAX_SIZE:,} characters")
        kept.append(piece)
    return "".join(kept)


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "text"),
    (bool, "a truth value"),
    (int, "a number"),
    (float, "a number"),
    ((list, tuple), "a list"),
    (Mapping, "a mapping"),
    (range, "a range"),
    (type(None), "none"),
    (LoopContext, "the loop"),
)


def kind_of(value: object) -> str:
    """What a value is, in words."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    other = "a function" if callable(value) else f"a {type(value).__name__}"
    return next((words for kind, words in _KINDS if isinstance(value, kind)), other)
