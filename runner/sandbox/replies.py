"""The answers of the sandbox, in the shapes of the API, as plain JSON values."""

from __future__ import annotations

import json
from urllib.parse import quote

from runner.media import is_reference, media_replaced
from runner.sandbox.album import Album
from runner.sandbox.behaviours import Document
from runner.sandbox.catalog import Model, Schema
from runner.sandbox.records import Request, RequestStatus

ORGANISATION = "sandbox"


def submitted(request: Request) -> Document:
    return {
        "request_id": request.request_id,
        "model": request.model,
        "status": request.status,
        **_times(request),
    }


def detail(request: Request, model: Model, album: Album, origin: str) -> Document:
    """A request as a poll and a listing show it. Links begin with `origin`, this server's address for the client."""
    answer = {
        **submitted(request),
        "org_id": ORGANISATION,
        "is_public": False,
        "payload": media_replaced(json.loads(request.payload), model.media, lambda each: _whole(each.text, album)),
        "outcome": _outcome(request, origin) if request.status is RequestStatus.SUCCESS else {},
        "qworker_id": request.worker,
    }
    return {**answer, "error": request.error} if request.error else answer


def model_detail(model: Model, workers: int) -> Document:
    return {
        "model": model.name,
        "org_id": ORGANISATION,
        "brief_description": model.schema.get("title", model.name),
        "detailed_description": model.schema.get("description", ""),
        "model_type": "video",
        "tags": ["image-to-video" if model.media else "text-to-video", "sandbox"],
        "delivery_mode": "sync" if model.is_sync else "async",
        "parameters": [_parameter(model, name, rules) for name, rules in model.parameters.items()],
        "price_info": _price(model.schema),
        "pricing_details": "",
        "qworkers": workers,
    }


def _whole(text: str, album: Album) -> str:
    """A text of a payload as it was sent, with the Base64 of a file."""
    prefix, comma, rest = text.rpartition(",")
    return f"{prefix}{comma}{album.base64(rest.removeprefix('sha256:'))}" if is_reference(rest) else text


def _times(request: Request) -> dict[str, int]:
    created = int(request.created_at)
    return {"created_at": created, "updated_at": int(request.updated_at), "queued_at": created}


def _outcome(request: Request, origin: str) -> dict[str, object]:
    """Clients must handle both shapes, so odd places in the queue get one and even places the other."""
    link = f"{origin}/media/{quote(request.request_id, safe='')}"
    video = {"video_url": f"{link}.mp4"} if request.number % 2 else {"media_urls": [{"id": "0", "url": f"{link}.mp4"}]}
    return {**video, "thumbnail_image_url": f"{link}.jpg"}


def _price(schema: Schema) -> dict[str, object]:
    """The price that the page of the model told. Nothing is paid here."""
    told = schema.get("x-price", {})
    return {"price": told.get("amount", 0), "pricing_type": "standard", "unit": told.get("unit", "request")}


def _parameter(model: Model, name: str, rules: Schema) -> dict[str, object]:
    return {
        "name": name,
        "display_name": rules.get("title", name),
        "description": rules.get("description", ""),
        "type": _type(model, name, rules),
        "required": name in model.required,
        "default_value": rules.get("default"),
        "options": rules.get("enum"),
        "min_value": rules.get("minimum"),
        "max_value": rules.get("maximum"),
    }


def _type(model: Model, name: str, rules: Schema) -> str:
    """The word that the service has for it."""
    medium = next((each for each in model.media if each.steps == (name,)), None)
    if medium is not None:
        return str(medium.kind)
    if "enum" in rules:
        return "enum"
    kinds = rules.get("type", "string")
    kind = kinds if isinstance(kinds, str) else next(each for each in (*kinds, "string") if each != "null")
    return {"number": "float", "array": "json array"}.get(kind, kind)
