"""The answers of the sandbox, in the shapes of the API, as plain JSON values."""

from __future__ import annotations

import json
from urllib.parse import quote

from runner.sandbox.album import Album, is_url
from runner.sandbox.behaviours import Document
from runner.sandbox.catalog import Model, Schema
from runner.sandbox.records import Request, RequestStatus

ORGANISATION = "sandbox"
_CONSTRAINTS = ("default", "enum", "minimum", "maximum", "minLength", "maxLength", "description")


def submitted(request: Request) -> Document:
    return {
        "request_id": request.request_id,
        "model": request.model,
        "status": request.status,
        **_times(request),
    }


def detail(request: Request, album: Album, origin: str) -> Document:
    """A request as a poll and a listing show it. Links begin with `origin`, this server's address for the client."""
    pictures = {name: source for name, source in json.loads(request.pictures).items() if not is_url(source)}
    answer = {
        **submitted(request),
        "org_id": ORGANISATION,
        "is_public": False,
        "payload": json.loads(request.payload) | {name: album.base64(digest) for name, digest in pictures.items()},
        "outcome": _outcome(request, origin) if request.status is RequestStatus.SUCCESS else {},
        "qworker_id": request.worker,
    }
    return {**answer, "error": request.error} if request.error else answer


def model_detail(model: Model, workers: int) -> dict[str, object]:
    return {
        "model": model.name,
        "org_id": ORGANISATION,
        "brief_description": model.schema.get("title", model.name),
        "detailed_description": model.schema.get("description", ""),
        "model_type": "video",
        "tags": ["image-to-video", "sandbox"],
        "parameters": [_parameter(model, name, rules) for name, rules in model.parameters.items()],
        "price_info": {"price": 0, "pricing_type": "free", "unit": "request"},
        "qworkers": workers,
    }


def _times(request: Request) -> dict[str, int]:
    created = int(request.created_at)
    return {"created_at": created, "updated_at": int(request.updated_at), "queued_at": created}


def _outcome(request: Request, origin: str) -> dict[str, object]:
    """Clients must handle both shapes, so odd places in the queue get one and even places the other."""
    link = f"{origin}/media/{quote(request.request_id, safe='')}"
    video = {"video_url": f"{link}.mp4"} if request.number % 2 else {"media_urls": [{"id": "0", "url": f"{link}.mp4"}]}
    return {**video, "thumbnail_image_url": f"{link}.jpg"}


def _parameter(model: Model, name: str, rules: Schema) -> dict[str, object]:
    constraints = {key: rules[key] for key in _CONSTRAINTS if key in rules}
    return {"name": name, "type": rules.get("type", "string"), "required": name in model.required, **constraints}
