"""Puts the request in the body of a POST into the queue, or refuses it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException

from runner.sandbox.album import Album, is_url
from runner.sandbox.behaviours import Ways
from runner.sandbox.catalog import Catalog, Model, PictureRules
from runner.sandbox.constraints import check, check_picture, check_policy, decoded
from runner.sandbox.records import FullError, Records, Request

_PLAIN = Ways()
_BODY = {
    "type": "object",
    "required": ["model", "payload"],
    "properties": {"model": {"type": "string"}, "payload": {"type": "object"}},
}


@dataclass(frozen=True, slots=True)
class Intake:
    """Accepts requests as strictly as the service does. `clock` gives Unix seconds, `new_id` unique ids."""

    catalog: Catalog
    album: Album
    records: Records
    clock: Callable[[], float]
    new_id: Callable[[], str]
    ways: Ways = _PLAIN

    def take(self, body: bytes) -> Request:
        """Store the request on the disk, in the queue, and return it. Raises HTTPException."""
        try:
            document = json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise HTTPException(400, "the body is not JSON") from None
        check(document, _BODY)
        model, payload = self.catalog.models.get(document["model"]), document["payload"]
        if model is None:
            raise HTTPException(404, f"model: {document['model'][:100]} is unknown")
        check(payload, model.schema, "payload")
        pictures = self._kept_pictures(model, payload)
        if not self.ways.is_sync:  # else what the policy refuses leaves a record
            check_policy(payload)
        try:
            return self.records.add(self._request(model, payload, pictures), self.ways.credits)
        except FullError:
            raise HTTPException(402, "Insufficient credits. Please add more credits to your account.") from None

    def _kept_pictures(self, model: Model, payload: Mapping[str, object]) -> dict[str, str]:
        """Check the payload's pictures and keep them. Returns the sha256 or the URL of each."""
        kept: dict[str, str] = {}
        for name, rules in model.pictures.items():
            text = payload.get(name)
            if isinstance(text, str):
                kept[name] = text if is_url(text) else self._kept(text, rules, f"payload.{name}")
        return kept

    def _kept(self, text: str, rules: PictureRules, field: str) -> str:
        data = decoded(text, field)
        digest = hashlib.sha256(data).hexdigest()
        check_picture(data, rules, field, decode=not self.album.path(digest).exists())
        self.album.add(data, digest)
        return digest

    def _request(self, model: Model, payload: Mapping[str, object], pictures: Mapping[str, str]) -> Request:
        filled = _canonical({**model.filled(payload), **pictures})
        short = {**payload, **{name: "" for name, source in pictures.items() if not is_url(source)}}
        now = self.clock()
        return Request(
            request_id=self.new_id(),
            model=model.name,
            payload=json.dumps(short),
            pictures=json.dumps(pictures),
            filled=filled,
            digest=hashlib.sha256(f"{json.dumps(model.name)}/{filled}".encode()).hexdigest(),
            created_at=now,
            updated_at=now,
        )


def _canonical(payload: Mapping[str, object]) -> str:
    """A text that is the same for equal payloads: keys are sorted, and 1.0 becomes 1."""
    even = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value for key, value in payload.items()
    }
    return json.dumps(even, sort_keys=True, separators=(",", ":"))


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
