"""Puts the request in the body of a POST into the queue, or refuses it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from starlette.exceptions import HTTPException

from runner.media import Encoding, MediaKind, Medium, media_of, media_replaced
from runner.model import Route, Variables
from runner.sandbox.album import Album, is_url
from runner.sandbox.behaviours import Ways
from runner.sandbox.catalog import Catalog, Model, PictureRules
from runner.sandbox.constraints import check, check_encoding, check_picture, check_policy, decoded, parsed
from runner.sandbox.records import FullError, Records, Request
from runner.sandbox.screenplay import box_of
from runner.sandbox.upload_store import uploaded

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
    # The pictures that were found right, each by its sha256 and the rules that it was held to.
    _right: set[tuple[str, PictureRules]] = field(default_factory=set, init=False)

    def take(self, body: bytes) -> Request:
        """Store the request on the disk, in the queue, and return it. Raises HTTPException."""
        document = parsed(body)
        check(document, _BODY)
        model, payload = self.catalog.models.get(document["model"]), document["payload"]
        if model is None:
            raise HTTPException(404, f"model: {document['model'][:100]} is unknown")
        check(payload, model.schema, "payload")
        sources = {each.route: self._source(each, payload) for each in media_of(payload, model.media)}
        if not (self.ways.is_sync or model.is_sync):  # else what the policy refuses leaves a record
            check_policy(payload)
        try:
            return self.records.add(self._request(model, payload, sources), self.ways.credits)
        except FullError:
            raise HTTPException(402, "Insufficient credits. Please add more credits to your account.") from None

    def _source(self, medium: Medium, payload: Variables) -> str:
        """The sha256 of a file, which is kept; or its address, where the sandbox does not have the file."""
        place, allowed = ".".join(("payload", *map(str, medium.route))), medium.parameter.encodings
        if is_url(medium.text):
            check_encoding(Encoding.URL, allowed, place)
            digest = uploaded(self.records, medium.text)
            if digest is None or not self.album.path(digest).exists():
                return medium.text
            data = None
        else:
            data = decoded(medium.text, allowed, place)
            digest = hashlib.sha256(data).hexdigest()
        rules = _rules(medium, payload)
        if medium.parameter.kind is MediaKind.IMAGE and (digest, rules) not in self._right:
            check_picture(self.album.path(digest).read_bytes() if data is None else data, rules, place)
            self._right.add((digest, rules))
        if data is not None:
            self.album.add(data, digest)
        return digest

    def _request(self, model: Model, payload: Variables, sources: Mapping[Route, str]) -> Request:
        media = model.media
        whole = media_replaced(model.filled(payload), media, lambda each: sources.get(each.route, each.text))
        filled = _canonical(whole)
        short = media_replaced(payload, media, lambda each: _short(each.text, sources[each.route]))
        now = self.clock()
        return Request(
            request_id=self.new_id(),
            model=model.name,
            payload=json.dumps(short),
            pictures=json.dumps(sorted({str(each.route[0]) for each in media_of(payload, media)})),
            filled=filled,
            digest=hashlib.sha256(f"{json.dumps(model.name)}/{filled}".encode()).hexdigest(),
            created_at=now,
            updated_at=now,
        )


def _rules(medium: Medium, payload: Variables) -> PictureRules:
    """The rules for a picture in a payload. Where it must be as large as the video, the payload says how large."""
    rules, size = PictureRules.of(medium.parameter.rules), medium.parameter.rules.get("sizeOf")
    return replace(rules, exact=box_of(str(payload.get(str(size), "")))) if size else rules


def _short(text: str, digest: str) -> str:
    """A text of a payload as it is stored: the sha256 of a file in place of its Base64."""
    return text if is_url(text) else f"{text[: text.find(',') + 1]}sha256:{digest}"


def _canonical(payload: Variables) -> str:
    """A text that is the same for equal payloads: keys are sorted, and 1.0 becomes 1."""
    even = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value for key, value in payload.items()
    }
    return json.dumps(even, sort_keys=True, separators=(",", ":"))
