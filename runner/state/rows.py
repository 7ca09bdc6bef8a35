"""Rows of the state file as records."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring

from runner.model import Artifact, Attempt, Job, JobRecord, Json, Standing, Status, Variables

# The columns of a file are the fields of an artifact, in their order.
OF_ARTIFACTS = tuple(field.name for field in fields(Artifact))
_OF_ATTEMPTS = tuple(field.name for field in fields(Attempt))


def millionths(money: Decimal | None) -> int | None:
    """Money as it is stored: whole millionths, so that sums are exact."""
    return None if money is None else int((money * 1_000_000).to_integral_value())


def money(stored: float) -> Decimal:
    """What is stored as millionths, as money again."""
    return Decimal(round(stored)) / 1_000_000


def row_of(job: Job, generation: int, position: int) -> tuple[object, ...]:
    """The columns of a job as it is registered."""
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
    """The JSON of an object. Most values are texts, and an encoder takes longer to be set up than to write those."""
    return "{" + ",".join([f"{encode_basestring(name)}:{_value(each)}" for name, each in members.items()]) + "}"


def _value(value: Json) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    # What is equal to 0 is not looked up: so is -0.0.
    return _scalar(value) if value and isinstance(value, (bool, int, float)) else _json(value)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_scalar = lru_cache(maxsize=1024, typed=True)(_json)


# Most jobs stand alike.
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
    """The columns have the names of an attempt's fields."""
    parsed = {name: json.loads(row[name]) for name in ("variables", "payload")}
    return Attempt(**({name: row[name] for name in _OF_ATTEMPTS} | parsed))
