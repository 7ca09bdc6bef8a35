"""What the sandbox says: the shapes of the API, as plain JSON values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runner.sandbox.catalog import Model
from runner.sandbox.pictures import Album, is_url
from runner.sandbox.store import Request, Status

ORGANISATION = "sandbox"
Echo = Literal["full", "short", "none"]
_SHORT = 64  # characters of an echoed picture
_CONSTRAINTS = ("default", "enum", "minimum", "maximum", "minLength", "maxLength", "description")


@dataclass(frozen=True, slots=True)
class Answers:
    """Turns requests into what clients see; `echo` says how pictures stand in an echoed payload."""

    album: Album
    echo: Echo

    def submitted(self, request: Request) -> dict[str, object]:
        return {
            "request_id": request.request_id,
            "model": request.model,
            "status": request.status,
            **_times(request),
        }

    def detail(self, request: Request, origin: str) -> dict[str, object]:
        """`origin` is where the asking client sees this server; links begin with it."""
        answer = {
            "request_id": request.request_id,
            "org_id": ORGANISATION,
            "model": request.model,
            "status": request.status,
            "is_public": False,
            "payload": self._echoed(request),
            "outcome": _outcome(request, origin),
            **_times(request),
            "qworker_id": request.worker,
        }
        return {**answer, "error": request.error} if request.error else answer

    def _echoed(self, request: Request) -> dict[str, object]:
        echoed: dict[str, object] = json.loads(request.payload)
        for name, source in json.loads(request.pictures).items():
            if is_url(source):
                continue
            if self.echo == "none":
                del echoed[name]
            else:
                text = self.album.base64(source)
                echoed[name] = text if self.echo == "full" else text[:_SHORT]
        return echoed


def model_detail(model: Model, workers: int) -> dict[str, object]:
    return {
        "model": model.name,
        "org_id": ORGANISATION,
        "brief_description": str(model.schema.get("title", model.name)),
        "detailed_description": str(model.schema.get("description", "")),
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
    """Both shapes that clients must know: one for odd places in the queue, the other for even ones."""
    if request.status is not Status.SUCCESS:
        return {}
    link = f"{origin}/media/{request.request_id}"
    video = {"video_url": f"{link}.mp4"} if request.number % 2 else {"media_urls": [{"id": "0", "url": f"{link}.mp4"}]}
    return {**video, "thumbnail_image_url": f"{link}.jpg"}


def _parameter(model: Model, name: str, rules: Mapping[str, object]) -> dict[str, object]:
    constraints = {key: rules[key] for key in _CONSTRAINTS if key in rules}
    return {"name": name, "type": rules.get("type", "string"), "required": name in model.required, **constraints}
