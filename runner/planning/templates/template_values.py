"""The values in templates: their text, their form in JSON, and limits on their size.

Rendered text is part of a job's identity. So it must not contain anything that differs between runs, such as the memory
address that Python prints for a function.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from jinja2 import Undefined
from markupsafe import Markup

from runner.model import Json
from runner.planning.templates.template_errors import ExcessError, NotJsonError, NotTextError

# The most parts of a value that has a name. A part that occurs several times counts each time: if each of sixty lists
# holds the previous list twice, the last one is small in memory, but comparing it takes years.
MAX_PARTS = 100_000
# The most characters of a template, and of the text that it makes.
MAX_TEXT = 2**20

_ADDRESS = re.compile("<[^<>]* at 0x[0-9a-f]+>", re.IGNORECASE)


class Assumed(str):
    """The empty text that replaces an unknown variable, so that a render goes on to the next unknown variable."""

    __slots__ = ()


def text_of(value: object) -> str:
    """The text of a value in a template's output. Only texts and finite numbers have one.

    Raises NotTextError for anything else, and UndefinedError for an unknown name.
    """
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Undefined) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(value)
    raise NotTextError(kind_of(value))


def lasting(text: str) -> str:
    """The text, checked: it can be sent, and is the same in every run.

    Raises UnicodeEncodeError for a lone surrogate, and NotTextError if Python printed a memory address.
    """
    text.encode()
    if _ADDRESS.search(text):
        raise NotTextError("a function")
    return text


def plain(value: object) -> Json:
    """The value in the plain types of JSON.

    Raises NotJsonError for anything that JSON does not have, OverflowError for integers that no float can hold, and
    what `sized` and `lasting` raise.
    """
    if isinstance(value, Undefined):
        str(value)
        raise NotJsonError("there is no value: the condition is false and has no else part")
    return _plain(sized(value))


def _plain(value: object) -> Json:
    if value is None or (isinstance(value, (int, float)) and math.isfinite(value)):
        return value
    if isinstance(value, str):
        return lasting(str.__str__(value))
    if isinstance(value, (list, tuple, range, Iterator)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_name(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Undefined):
        str(value)
    raise NotJsonError(f"{kind_of(value)} is not a value that JSON has")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise NotJsonError(f"JSON has no {kind_of(key)} as a key")
    return lasting(str.__str__(key))


def sized(value: object) -> object:
    """The value, if it has at most MAX_PARTS parts and MAX_TEXT characters, all levels together.

    Raises ExcessError otherwise.
    """
    left, parts, characters = [value], 0, 0
    while left:
        part = left.pop()
        if isinstance(part, str):
            characters += len(part)
        elif isinstance(part, (list, tuple, Mapping)):
            parts += len(part)
            if parts <= MAX_PARTS:
                left.extend(part.values() if isinstance(part, Mapping) else part)
        if parts > MAX_PARTS or characters > MAX_TEXT:
            raise ExcessError(f"a value has more than {MAX_PARTS:,} parts, or {MAX_TEXT:,} characters")
    return value


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (Markup, "text"),
    (str, "text"),
    (bool, "a truth value"),
    (int, "a number"),
    (float, "a number"),
    ((list, tuple, Iterator), "a list"),
    (Mapping, "a mapping"),
    (range, "a range"),
    (type(None), "none"),
)


def kind_of(value: object) -> str:
    """The kind of a value, in words."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    other = "a function" if callable(value) else f"a {type(value).__name__.lower()}"
    return next((words for kind, words in _KINDS if isinstance(value, kind)), other)
