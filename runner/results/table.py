"""`index.csv`: the jobs of the index as a table, one a row, nested names joined by dots.

A cell is text as it is, a number or true/false as JSON writes it, empty for what is not known, and JSON text for a
list or an object. Rows end and fields are quoted by RFC 4180.

A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-` or `@`) is not guarded: every known
guard puts a character before it and so changes the prompt, quoting guards nothing, and the first readers of this file
are programs. The page is the one for people.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from runner.model import Json
from runner.results.jobs import THUMBNAIL, VIDEO
from runner.results.snapshot import Snapshot

_BEFORE = ("id", "key", "aliases", "orphaned", "image", "prompt_id", "model")
_OUTCOME = ("status", "reason", "request_id", "attempts", "submitted_at", "finished_at", "cost")
_NESTED = ("variables", "payload", "video", "thumbnail")


def write(file: TextIO, snapshot: Snapshot) -> None:
    """Writes the table, its header first."""
    names = columns(snapshot)
    writer = csv.writer(file)
    writer.writerow(names)
    for job in snapshot.jobs():
        cells = dict(_cells(job))
        writer.writerow([cells.get(name, "") for name in names])


def columns(snapshot: Snapshot) -> list[str]:
    """The names of the columns: the members of a job in the order of the index, the names within each sorted."""
    return [
        *_BEFORE,
        *_dotted("variables", sorted(snapshot.variables)),
        "take",
        *_dotted("payload", sorted(snapshot.parameters)),
        *_OUTCOME,
        *_dotted("video", VIDEO),
        *_dotted("thumbnail", THUMBNAIL),
        "error",
    ]


def _dotted(member: str, names: Sequence[str]) -> list[str]:
    return [f"{member}.{name}" for name in names]


def _cells(job: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for member, value in job.items():
        if member not in _NESTED:
            yield member, _text(value)
        elif isinstance(value, Mapping):
            yield from ((f"{member}.{name}", _text(inner)) for name, inner in value.items())


def _text(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # JSON's own numbers, without an encoder, which takes longer to be set up than to write one.
    return repr(value) if type(value) in (int, float) else _json(value)


_json = json.JSONEncoder(ensure_ascii=False).encode
