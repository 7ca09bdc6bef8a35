"""Rows of the state file as records."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring

from runner.model import Artifact, Attempt, Job, JobRecord, Json, Standing, Status, Variables

# The columns of an artifact have the names and the order of its fields.
OF_ARTIFACTS = tuple(field.name for field in fields(Artifact))
_OF_ATTEMPTS = tuple(field.name for field in fields(Attempt))


def millionths(money: Decimal | None) -> int | None:
    """Money as it is stored: whole millionths, so that sums are exact."""
    return None if money is None else int((money * 1_000_000).to_integral_value())


def money(stored: float) -> Decimal:
    """An amount of money from its stored millionths."""
    return Decimal(round(stored)) / 1_000_000


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
def standing_of(status: str, remote_status: str | None, spent: float | None) -> Standing:
    """`spent` is in millionths."""
    return Standing(Status(status), remote_status, money(spent or 0))


def record_of(row: sqlite3.Row, generation: int) -> JobRecord:
    return JobRecord(
        id=row["id"],
        key=row["key"],
        aliases=tuple(json.loads(row["aliases"])),
        orphaned=row["generation"] != generation,
        image=row["image"],
        prompt_id=row["prompt_id"],
        model=row["model"],
        variables=json.loads(row["variables"]),
        take=row["take"],
        payload=json.loads(row["payload"]),
        status=Status(row["status"]),
        reason=row["reason"],
        request_id=row["request_id"],
        attempts=row["tries"],
        submitted_at=row["intended_at"],
        finished_at=row["finished_at"],
        cost=None if row["cost"] is None else money(row["cost"]),
        video=_artifact_of(row, "video"),
        thumbnail=_artifact_of(row, "thumbnail"),
        error=row["error"],
    )


def _artifact_of(row: sqlite3.Row, kind: str) -> Artifact | None:
    values = [row[f"{kind}_{name}"] for name in OF_ARTIFACTS]
    return None if values[0] is None else Artifact(*values)


def attempt_of(row: sqlite3.Row) -> Attempt:
    """An attempt from a row. Its columns have the names of the fields."""
    parsed = {name: json.loads(row[name]) for name in ("variables", "payload")}
    return Attempt(**({name: row[name] for name in _OF_ATTEMPTS} | parsed))
