"""Rows of the state file as records."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from runner.model import (
    Artifact,
    Attempt,
    Credentials,
    Job,
    JobRecord,
    Json,
    Measured,
    Span,
    Standing,
    Status,
    Variables,
)

# The columns of an artifact have the names and the order of its fields.
OF_ARTIFACTS = tuple(field.name for field in fields(Artifact))
OF_CREDENTIALS = tuple(field.name for field in fields(Credentials))
OF_MEASURED = ("version", "has_flow", "measures", "spans", "signature", "note")
_OF_ATTEMPTS = tuple(field.name for field in fields(Attempt))
UNIT = 1_000_000_000
_END_OF_TIME = 253_402_300_800.0  # the year 10000
_SHOWN = 40


def billionths(money: Decimal | None) -> int | None:
    """Money as it is stored: whole billionths, so that sums are exact. What is finer is rounded up."""
    return None if money is None else int((money * UNIT).to_integral_value(ROUND_CEILING))


def money(stored: float) -> Decimal:
    """What is stored as billionths, as money again."""
    return Decimal(round(stored)) / UNIT


def row_of(job: Job, generation: int, position: int) -> tuple[object, ...]:
    """The columns of a job, in the order of the statement that registers it."""
    return (
        job.id,
        job.fingerprint,
        job.take,
        job.model,
        _object(job.payload),
        job.seconds,
        job.key,
        _json(job.aliases) if job.aliases else "[]",
        job.image,
        job.prompt_id,
        _object(job.variables),
        generation,
        position,
    )


def _object(members: Variables) -> str:
    """The JSON of an object. Most values are texts: to write one is faster than to set up an encoder for it."""
    return "{" + ",".join([f"{encode_basestring(name)}:{_value(each)}" for name, each in members.items()]) + "}"


def _value(value: Json) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    # Zeros are not looked up in the cache, because 0.0 and -0.0 are the same key there.
    return _scalar(value) if value and isinstance(value, (bool, int, float)) else _json(value)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_scalar = lru_cache(maxsize=1024, typed=True)(_json)


# Cached, because most jobs have the same standing.
@lru_cache(maxsize=1024)
def standing_of(status: str, remote_status: str | None, is_refused: int, spent: float | None) -> Standing:
    """`spent` is in billionths."""
    return Standing(Status(status), remote_status, money(spent or 0), bool(is_refused))


def record_of(row: sqlite3.Row) -> JobRecord:
    return JobRecord(
        id=row["id"],
        key=row["key"],
        aliases=texts_of(row["aliases"]),
        orphaned=bool(row["orphaned"]),
        image=row["image"],
        prompt_id=row["prompt_id"],
        model=row["model"],
        variables=mapping_of(row["variables"]),
        take=row["take"],
        payload=mapping_of(row["payload"]),
        status=Status(row["status"]),
        reason=row["reason"],
        request_id=row["request_id"],
        attempts=row["tries"],
        submitted_at=_time(row["intended_at"]),
        finished_at=_time(row["finished_at"]),
        cost=None if row["cost"] is None else money(row["cost"]),
        video=_artifact_of(row, "video"),
        thumbnail=_artifact_of(row, "thumbnail"),
        error=row["error"],
        measured=measured_of(*(row[f"measured_{name}"] for name in OF_MEASURED)),
        credentials=_credentials_of(*(row[f"credentials_{name}"] for name in OF_CREDENTIALS)),
    )


def _artifact_of(row: sqlite3.Row, kind: str) -> Artifact | None:
    values = [row[f"{kind}_{name}"] for name in OF_ARTIFACTS]
    return None if values[0] is None else artifact_of(values)


def artifact_of(values: Sequence[Any]) -> Artifact:
    """An artifact from its columns. Raises ValueError for what no run writes."""
    found = Artifact(*values)
    inner_path(found.path)
    if not all(math.isfinite(each or 0) for each in (found.seconds, found.fps)):
        raise ValueError(f"length or frame rate of {found.path!r} is infinite")
    return found


def _credentials_of(
    present: int | None, state: str | None, issuer: str | None, source_type: str | None
) -> Credentials | None:
    return None if present is None else Credentials(bool(present), state, issuer, source_type)


def measured_of(
    version: int | None, has_flow: int, measures: str, spans: str, signature: bytes, note: str
) -> Measured | None:
    """What was measured of a clip; None if it was not measured. Raises ValueError for what no run writes."""
    if version is None:
        return None
    values = mapping_of(measures)
    if not all(value is None or isinstance(value, (int, float)) for value in values.values()):
        raise ValueError(f"{_shown(measures)} are no measures")
    return Measured(values, _spans_of(spans), signature, note, version, bool(has_flow))  # type: ignore[arg-type]


def _spans_of(text: str) -> dict[str, tuple[Span, ...]]:
    found = {}
    for name, spans in mapping_of(text).items():
        if not isinstance(spans, list) or not all(isinstance(each, list) and len(each) == 2 for each in spans):
            raise ValueError(f"{_shown(text)} are no spans")
        found[name] = tuple((float(start), float(end)) for start, end in spans)
    return found


def inner_path(path: str) -> str:
    """A path that is joined to the output folder: what lies elsewhere is no file of ours (ValueError)."""
    if ".." in (parts := str(path).split("/")) or not parts[0]:
        raise ValueError(f"{path!r} is no path below the output folder")
    return path


def attempt_of(row: sqlite3.Row) -> Attempt:
    """An attempt from a row. Its columns have the names of the fields."""
    parsed: dict[str, object] = {name: mapping_of(row[name]) for name in ("variables", "payload", "addresses")}
    parsed["is_inherited"] = bool(row["is_inherited"])
    parsed["looked_failed"] = texts_of(row["looked_failed"] or "[]")
    return Attempt(**({name: row[name] for name in _OF_ATTEMPTS} | parsed))


def _time(seconds: float | None) -> float | None:
    """A time as it is shown; what no calendar has is an OverflowError."""
    if seconds is not None and not 0 <= seconds < _END_OF_TIME:
        raise OverflowError(f"{seconds} is no time in Unix seconds")
    return seconds


def mapping_of(text: str) -> Variables:
    """The members of a JSON object. Raises ValueError for anything else."""
    found = _parsed(text)
    if not isinstance(found, dict):
        raise ValueError(f"{_shown(text)} is no JSON object")
    return found


def texts_of(text: str) -> tuple[str, ...]:
    """The texts of a JSON list. Raises ValueError for anything else."""
    found = _parsed(text)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"{_shown(text)} is no JSON list of texts")
    return tuple(found)


def _parsed(text: str) -> Json:
    try:
        return _decoder.decode(text)  # type: ignore[no-any-return]
    except ValueError:
        raise ValueError(f"{_shown(text)} is no JSON") from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is no number")
    return number


# Python takes the names NaN and Infinity, and makes numbers that are too large infinite; JSON has none of them.
_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
