"""Rows of the state file as records."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring

from runner.model import Artifact, Attempt, Job, JobRecord, Json, Standing, Status, Variables


def millionths(money: Decimal | None) -> int | None:
    """Money as it is stored: whole millionths, so that sums are exact."""
    return None if money is None else int((money * 1_000_000).to_integral_value())


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


def standing_of(status: str, remote_status: str | None, spent: float | None) -> Standing:
    """`spent` is in millionths."""
    return Standing(Status(status), remote_status, Decimal(int(spent or 0)) / 1_000_000)


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
        cost=None if row["cost"] is None else Decimal(row["cost"]) / 1_000_000,
        video=_video_of(row),
        thumbnail=_thumbnail_of(row),
        error=row["error"],
    )


def _video_of(row: sqlite3.Row) -> Artifact | None:
    if row["v_path"] is None:
        return None
    names = ("path", "sha256", "bytes", "seconds", "width", "height", "fps", "codec")
    return Artifact(*(row[f"v_{name}"] for name in names))


def _thumbnail_of(row: sqlite3.Row) -> Artifact | None:
    if row["t_path"] is None:
        return None
    return Artifact(row["t_path"], row["t_sha256"], row["t_bytes"])


def attempt_of(row: sqlite3.Row) -> Attempt:
    return Attempt(
        number=row["number"],
        job_id=row["job_id"],
        key=row["key"],
        image=row["image"],
        prompt_id=row["prompt_id"],
        model=row["model"],
        variables=json.loads(row["variables"]),
        take=row["take"],
        fingerprint=row["fingerprint"],
        payload=json.loads(row["payload"]),
        path=row["path"],
        seconds=row["seconds"],
        intended_at=row["intended_at"],
        request_id=row["request_id"],
        skew=row["skew"],
        lost_at=row["lost_at"],
        absent_at=row["absent_at"],
        accepted_at=row["accepted_at"],
        remote_status=row["remote_status"],
    )
