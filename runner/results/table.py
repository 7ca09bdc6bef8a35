"""`index.csv`: the jobs of the index as a table, one job a row. Names of nested values are joined by dots.

A cell holds a text, a number or true/false as in JSON, or the JSON text of a list or an object. It is empty
if the value is not known. Line ends and quotes follow RFC 4180.

A text that a spreadsheet would run as a formula gets a `'` before it: prompts and tables may be a stranger's. Numbers
stay numbers.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from runner.model import Json
from runner.results.job_document import PREVIEWS, THUMBNAIL, VIDEO
from runner.results.snapshot import IndexSnapshot
from runner.video.measures import DUPLICATE, MEASURES

# What a spreadsheet runs begins with one of these (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Where the value of a cell comes from: a member of the job and, if that is an object, the names that lead on within it.
_Column = tuple[str, ...]

_NAMED = {"defects": "measure", "warnings": "code"}
_BEFORE = ("id", "key", "aliases", "orphaned", "image", "prompt_id", "model")
_OUTCOME = ("status", "reason", "request_id", "attempts", "submitted_at", "finished_at", "cost")


def write(file: TextIO, snapshot: IndexSnapshot) -> None:
    """Writes the table, its header first."""
    _write(file, snapshot, ",")


def write_for_excel(file: TextIO, snapshot: IndexSnapshot) -> None:
    """Writes the table as spreadsheets open it by a double click where commas are decimal signs."""
    file.write("\ufeff")
    _write(file, snapshot, ";")


def _write(file: TextIO, snapshot: IndexSnapshot, sign: str) -> None:
    columns = _columns(snapshot)
    writer = csv.writer(file, delimiter=sign)
    writer.writerow(map(".".join, columns))
    writer.writerows([cell_text(_value(job, column)) for column in columns] for job in snapshot.jobs())


def _columns(snapshot: IndexSnapshot) -> list[_Column]:
    """The members of a job in the order of the index, the names within each sorted."""
    return [
        *_members(_BEFORE),
        *_within("variables", sorted(snapshot.variables)),
        ("take",),
        *_within("payload", sorted(snapshot.parameters)),
        *_members(_OUTCOME),
        *_within("video", VIDEO),
        *_within("thumbnail", THUMBNAIL),
        *(("previews", name, "path") for name in PREVIEWS),
        *_within("image_vars", sorted(snapshot.image_vars)),
        *_within("measures", (*MEASURES, DUPLICATE)),
        *_members(("defects", "warnings")),
        *(("marks", by, name) for by in sorted(snapshot.reviewers) for name in ("mark", "stars")),
        ("pick",),
        *_within("credentials", ("present", "state", "issuer", "source_type")),
        ("error",),
    ]


def _members(names: Iterable[str]) -> list[_Column]:
    return [(name,) for name in names]


def _within(member: str, names: Iterable[str]) -> list[_Column]:
    return [(member, name) for name in names]


def _value(job: Json, column: _Column) -> Json:
    for name in column:
        job = job.get(name) if isinstance(job, dict) else None
    # Of a list of objects, what names them: the measure of a defect, the code of a warning.
    if isinstance(job, list) and job and column[0] in _NAMED:
        return " ".join(str(each[_NAMED[column[0]]]) for each in job if isinstance(each, dict))
    return "" if job == [] and column[0] in _NAMED else job


def cell_text(value: Json) -> str:
    """A value as a cell of a table, which no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    # repr writes numbers as JSON does, and is faster than the encoder.
    return repr(value) if type(value) in (int, float) else _json(value)


_json = json.JSONEncoder(ensure_ascii=False).encode
