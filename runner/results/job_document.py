"""A job as the index shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType

from runner.model import Artifact, JobRecord, Json, Variables

VIDEO = ("path", "sha256", "bytes", "seconds", "width", "height", "fps", "codec")
THUMBNAIL = ("path",)
PREVIEWS = ("sprite", "small")
# What is known of a clip that nobody looked at.
NOTHING: Mapping[str, Json] = MappingProxyType(
    {"previews": None, "measures": None, "defects": [], "warnings": [], "marks": {}, "pick": False}
)


def job_document(
    record: JobRecord, image_vars: Variables | None = None, report: Mapping[str, Json] = NOTHING
) -> dict[str, Json]:
    """The members of a job in `index.json`, in their order. None means not known.

    `image_vars` is what the manifest says of its picture, and `report` what is known of its clip beyond the file.
    """
    return {
        "id": record.id,
        "key": record.key,
        "aliases": list(record.aliases),
        "orphaned": record.orphaned,
        "image": record.image or None,
        "prompt_id": record.prompt_id,
        "model": record.model,
        "variables": dict(record.variables),
        "take": record.take,
        "payload": dict(record.payload),
        "status": str(record.status),
        "reason": record.reason,
        "request_id": record.request_id,
        "attempts": record.attempts,
        "submitted_at": timestamp(record.submitted_at),
        "finished_at": timestamp(record.finished_at),
        "cost": None if record.cost is None else float(record.cost),
        "video": _artifact(record.video, VIDEO),
        "thumbnail": _artifact(record.thumbnail, THUMBNAIL),
        "previews": report["previews"],
        "image_vars": dict(image_vars or {}),
        "measures": report["measures"],
        "defects": report["defects"],
        "warnings": report["warnings"],
        "marks": report["marks"],
        "pick": report["pick"],
        "credentials": None if record.credentials is None else asdict(record.credentials),
        "error": record.error,
    }


def timestamp(seconds: float | None) -> str | None:
    """Unix seconds as RFC 3339 text in UTC, rounded down to whole seconds: `2026-01-31T12:00:00Z`."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _artifact(artifact: Artifact | None, members: tuple[str, ...]) -> dict[str, Json] | None:
    return None if artifact is None else {member: getattr(artifact, member) for member in members}
