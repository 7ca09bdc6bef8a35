"""The checks of a request, each with a message for the first error."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from PIL import Image, ImageFile
from starlette.exceptions import HTTPException

from runner.media import Encoding
from runner.sandbox.album import BROKEN, opened
from runner.sandbox.catalog import PictureRules, Schema

# There is a limit because a few kilobytes can decode to gigabytes. From a somewhat higher number on, Pillow warns.
MOST_PIXELS = 80_000_000
_DATA = re.compile(r"data:[\w/+.;=-]*;base64,", re.IGNORECASE)
_WAYS = {Encoding.URL: "a URL", Encoding.BASE64: "raw Base64", Encoding.DATA: "a data URI"}
_REFUSED_WORD = re.compile(r"\bforbidden\b", re.IGNORECASE)
_TYPES = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}


def parsed(body: bytes) -> Any:
    """The JSON of a body. Raises HTTPException (400)."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON") from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def check(document: object, schema: Schema, *place: str) -> None:
    """Validate a document, which is at `place`, by a schema. Raises HTTPException (400) for the first error."""
    errors = Draft202012Validator(schema).iter_errors(document)
    first = min(errors, key=lambda error: [str(part) for part in error.absolute_path], default=None)
    if first is not None:
        raise HTTPException(400, _message(first, [*place, *map(str, first.absolute_path)]))


def check_policy(payload: Mapping[str, object]) -> None:
    """Refuse a prompt with the word "forbidden", so that people can see what a refusal looks like."""
    if _REFUSED_WORD.search(str(payload.get("prompt", ""))):
        raise HTTPException(400, "content policy: the prompt was refused")


def check_encoding(encoding: Encoding, allowed: Collection[Encoding], field: str) -> None:
    """Refuse a file that is not sent as its parameter takes it. Raises HTTPException (400)."""
    if encoding not in allowed:
        without = ", without a data: prefix" if encoding is Encoding.DATA and Encoding.BASE64 in allowed else ""
        raise HTTPException(400, f"{field}: must be {_ways(allowed)}{without}")


def decoded(text: str, allowed: Collection[Encoding], field: str) -> bytes:
    """The bytes of a file that a payload gives in Base64, or in a data URI. Raises HTTPException (400)."""
    is_data = text[:5].lower() == "data:"
    check_encoding(Encoding.DATA if is_data else Encoding.BASE64, allowed, field)
    encoded = _DATA.sub("", text, count=1) if is_data else text
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        data = b""
    # Several texts decode to the same bytes; only the canonical one is accepted.
    if not data or base64.b64encode(data).decode() != encoded:
        raise HTTPException(
            400, f"{field}: must be {_ways(allowed)}, but is {'neither' if len(allowed) == 2 else 'not'}"
        )
    return data


def _ways(allowed: Collection[Encoding]) -> str:
    return " or ".join(words for encoding, words in _WAYS.items() if encoding in allowed)


def check_picture(data: bytes, rules: PictureRules, field: str, decode: bool = True) -> None:
    """Check a picture by its rules. `decode` says whether to decode all of it. Raises HTTPException (400)."""
    error = _picture_error(data, rules)
    if error:
        raise HTTPException(400, f"{field}: {error}")
    if decode:
        opened(io.BytesIO(data), field)


def _picture_error(data: bytes, rules: PictureRules) -> str:
    """What is wrong with a picture, judged by its size and header; empty if nothing is."""
    if len(data) > rules.max_bytes:
        return f"has {len(data)} bytes; at most {rules.max_bytes} are allowed"
    try:
        picture = _header(data, rules.formats)
    except BROKEN:
        return "cannot be read as a picture"
    if picture is None:
        return f"must be {' or '.join(rules.formats)} by its content"
    width, height = picture.size
    if min(width, height) < rules.min_side:
        return f"is {width} x {height} pixels; both sides must be at least {rules.min_side}"
    if max(width, height) > rules.max_side:
        return f"is {width} x {height} pixels; both sides must be at most {rules.max_side}"
    if rules.exact and rules.exact != (width, height):
        return f"is {width} x {height} pixels; it must have the size of the video, {rules.exact[0]} x {rules.exact[1]}"
    if not rules.narrowest <= width / height <= rules.widest:
        return f"has an aspect ratio of {width / height:.3f}; allowed is {rules.narrowest:g} to {rules.widest:g}"
    if width * height > MOST_PIXELS:
        return f"has {width * height} pixels; at most {MOST_PIXELS} are allowed"
    return ""


def _header(data: bytes, formats: tuple[str, ...]) -> ImageFile.ImageFile | None:
    """The picture with only its header read; None if it has none of the formats.

    This avoids `Image.open`, which prints a warning about many pixels before their number can be checked.
    """
    Image.init()
    for name in formats:
        factory, accept = Image.OPEN[name]
        if accept is None or accept(data[:16]):
            return factory(io.BytesIO(data), "")
    return None


def _message(error: ValidationError, place: list[str]) -> str:
    """One line that names the field. It never repeats what was sent, which may be a whole picture."""
    keyword, wanted, given = str(error.validator), error.validator_value, error.instance
    schema = error.schema if isinstance(error.schema, dict) else {}
    if keyword == "required" and isinstance(wanted, list) and isinstance(given, dict):
        return f"{'.'.join([*place, next(name for name in wanted if name not in given)])}: is required"
    if keyword == "additionalProperties" and isinstance(given, dict):
        unknown = min(name for name in given if name not in schema.get("properties", {}))
        return f"{'.'.join([*place, unknown[:64]])}: is not a parameter of this model"
    words = schema.get("patternErrorMessage") if keyword == "pattern" else None
    return f"{'.'.join(place) or 'the body'}: {words or _demand(keyword, wanted, given)}"


def _demand(keyword: str, wanted: object, given: object) -> str:
    if keyword == "enum" and isinstance(wanted, list):
        return "must be " + " or ".join(json.dumps(value) for value in wanted)
    if keyword == "type":
        names = wanted if isinstance(wanted, list) else [wanted]
        return "must be " + " or ".join(_TYPES.get(str(name), str(name)) for name in names)
    if keyword == "maxLength" and isinstance(given, str):
        return f"has {len(given)} characters; at most {wanted} are allowed"
    words = _LIMITS.get(keyword)
    return f"must be {words} {wanted}" if words else f"does not satisfy {keyword} of the model's schema"
