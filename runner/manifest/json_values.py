"""JSON values as the types that the reader expects. The result is empty if a value has another type or is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.model import Json


def items(value: Json) -> Sequence[Json]:
    """The items of a list."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def mappings(value: Json) -> tuple[Mapping[str, Json], ...]:
    """The items of a list of mappings."""
    return tuple(each for each in items(value) if isinstance(each, Mapping))


def integer(value: Json, usual: int) -> int:
    """An integer, which may be written 2.0; `usual` if the value is not a number."""
    return int(value) if isinstance(value, (int, float)) else usual
