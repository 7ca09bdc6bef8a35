"""From the body of a POST to a place in the queue, or a refusal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runner.sandbox.catalog import Catalog, Model, PictureRules
from runner.sandbox.constraints import check_payload, check_policy
from runner.sandbox.errors import RefusedError
from runner.sandbox.pictures import Album, check_picture, decoded, is_url, sha256
from runner.sandbox.store import Draft, Request, Store


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes requests in, as strictly as the service. `clock` gives Unix seconds, `new_id` unique ids."""

    catalog: Catalog
    album: Album
    store: Store
    clock: Callable[[], float]
    new_id: Callable[[], str]

    def take(self, body: bytes) -> Request:
        """The request, on the disk and queued. Raises RefusedError."""
        model, payload = self._parsed(body)
        check_payload(model, payload)
        pictures = self._kept_pictures(model, payload)
        check_policy(payload)
        return self.store.add(_draft(model, payload, pictures), self.new_id(), self.clock())

    def _parsed(self, body: bytes) -> tuple[Model, Mapping[str, object]]:
        try:
            document = json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise RefusedError(400, "the body is not JSON") from None
        if not isinstance(document, dict):
            raise RefusedError(400, "the body must be an object with model and payload")
        name, payload = document.get("model"), document.get("payload")
        if not isinstance(name, str):
            raise RefusedError(400, "model: must be a string" if "model" in document else "model: is required")
        model = self.catalog.models.get(name)
        if model is None:
            raise RefusedError(404, f"model: {name[:100]} is unknown")
        if not isinstance(payload, dict):
            raise RefusedError(400, "payload: must be an object" if "payload" in document else "payload: is required")
        return model, payload

    def _kept_pictures(self, model: Model, payload: Mapping[str, object]) -> dict[str, str]:
        """Check the payload's pictures and keep them; the sha256 or the URL of each."""
        kept: dict[str, str] = {}
        for name, rules in model.pictures.items():
            text = payload.get(name)
            if isinstance(text, str):
                kept[name] = text if is_url(text) else self._kept(text, rules, f"payload.{name}")
        return kept

    def _kept(self, text: str, rules: PictureRules, field: str) -> str:
        data = decoded(text, field)
        digest = sha256(data)
        check_picture(data, rules, field, decode=not self.album.has(digest))
        self.album.add(data, digest)
        return digest


def _draft(model: Model, payload: Mapping[str, object], pictures: Mapping[str, str]) -> Draft:
    filled = _canonical({**model.filled(payload), **pictures})
    short = {**payload, **{name: "" for name, source in pictures.items() if not is_url(source)}}
    digest = hashlib.sha256(f"{json.dumps(model.name)}/{filled}".encode()).hexdigest()
    return Draft(model.name, json.dumps(short), json.dumps(pictures), filled, digest)


def _canonical(payload: Mapping[str, object]) -> str:
    """The same text for equal payloads: sorted, and 1.0 as 1."""
    even = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value for key, value in payload.items()
    }
    return json.dumps(even, sort_keys=True, separators=(",", ":"))


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
