"""Tables as JSON lines: one object a line, its members the columns. Values keep their types."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from runner.diagnostics.text import Text
from runner.diagnostics.words import printable
from runner.errors import Diagnostic, ManifestError
from runner.manifest.tables.image_table import Row, Table, check_columns, refused
from runner.model import Json

_SPACE = re.compile(r"[ \t]*")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_LARGEST = 2**63
# As in a manifest.
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class _Object:
    """A line that is not blank, read."""

    line: int
    members: Mapping[str, Json]


def read_json_lines(text: Text) -> Table:
    """Read objects that have a member `image`. Raises ManifestError (E409) if no row can be read."""
    objects: list[_Object] = []
    errors: list[Diagnostic] = []
    for number, line in enumerate(text.text.split("\n"), 1):
        if line.strip():
            try:
                objects.append(_Object(number, _members(line)))
            except (ValueError, RecursionError) as error:
                errors += _no_object(text, number, error).diagnostics
    if not objects:
        raise ManifestError(errors)
    columns = tuple(dict.fromkeys(column for each in objects for column in each.members))
    check_columns(text, columns, objects[0].line)
    rows = tuple(Row(each.line, {column: _cell(each, column) for column in columns}) for each in objects)
    return Table(text, columns, rows, _find, objects[0].line, tuple(errors))


def is_json_lines(text: str) -> bool:
    """Whether a file begins like such a table. The lines of another file are not to be quoted."""
    first = text.lstrip().partition("\n")[0]
    return first.startswith("{") and '"image"' in first


def _members(line: str) -> Mapping[str, Json]:
    value = json.loads(
        line, object_pairs_hook=_mapping, parse_constant=_no_number, parse_int=_integer, parse_float=_finite
    )
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    if re.search(r"[\ud800-\udfff]", json.dumps(value, ensure_ascii=False)):
        raise ValueError("it has half a surrogate pair")
    if max(accumulate((each in "[{") - (each in "]}") for each in _TEXT.sub("", line))) > _DEEPEST:
        raise ValueError(f"it has more than {_DEEPEST} levels")
    return value


def _cell(row: _Object, column: str) -> Json:
    """A member; the empty text where there is none, or null: as an empty cell of any other table."""
    value = row.members.get(column)
    return "" if value is None else value


def _mapping(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is given twice")
    return found


def _no_number(word: str) -> Json:
    raise ValueError(f"{word} is no number of JSON")


def _finite(digits: str) -> Json:
    if not math.isfinite(float(digits)):
        raise ValueError("a number is too large")
    return float(digits)


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -_LARGEST <= int(digits) < _LARGEST:
        raise ValueError("an integer has more than 64 bits")
    return int(digits)


def _no_object(text: Text, line: int, error: Exception) -> ManifestError:
    told = getattr(error, "msg", str(error)) if isinstance(error, ValueError) else "it is too deep"
    hint = 'each line is one object of its own: {"image": "images/shoe.jpg", "product": "trail shoe"}'
    return refused(text, line, f"the line is no row in JSON: {printable(told)}", hint)


def _find(text: str, index: int, column: int, key: str) -> tuple[int, int]:
    """The place of the member's value; the whole line if it has no such member."""
    end = text.find("\n", index)
    end = len(text) if end < 0 else end
    for found, start, stop in _values(text, index, end):
        if found == key:
            return start, stop - start
    return index, end - index


def _values(text: str, index: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The members of the object at `index`: each name, and where its value begins and ends."""
    decoder = json.JSONDecoder()
    index = text.find('"', index, end)
    while 0 <= index < end:
        key, index = decoder.raw_decode(text, index)
        start = _after_space(text, _after_space(text, index) + 1)
        _, index = decoder.raw_decode(text, start)
        yield key, start, index
        index = text.find('"', index, end)


def _after_space(text: str, index: int) -> int:
    found = _SPACE.match(text, index)
    return found.end() if found else index
