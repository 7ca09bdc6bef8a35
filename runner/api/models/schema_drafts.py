"""A draft of a model's schema, from what the service tells of the model.

The service tells names, types, options, ranges and what is required. It does not tell lengths of texts, rules of
pictures, conditions, or what may be a list; and a default that it tells may be wrong to send, so a draft has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runner.api.models.model_records import ModelRecord, ToldParameter
from runner.model import Json

_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {"integer": "integer", "int": "integer", "float": "number", "number": "number", "boolean": "boolean"}
_LISTS = ("json array", "array", "list")
_MEDIA = ("image", "video", "audio")
# Names that models have for the portable parameters, without case and underscores.
_PORTABLE = {
    "seconds": ("duration", "durationseconds", "seconds", "videolength"),
    "aspect_ratio": ("aspectratio", "ratio"),
    "resolution": ("resolution", "quality", "videoresolution"),
    "sound": ("sound", "generateaudio", "generateaudioswitch", "audio"),
    "seed": ("seed",),
}
_LAST, _REFERENCE = re.compile("tail|last|end", re.IGNORECASE), re.compile("ref|element|style", re.IGNORECASE)


def draft(record: ModelRecord, source: str, seen: str) -> dict[str, Json]:
    """The schema as JSON. `source` is the address of the record, `seen` the date.

    What the service cannot say in full is named in `x-uncertain`.
    """
    uncertain = [each.name for each in record.parameters if each.type in (*_MEDIA, *_LISTS) or not each.type]
    return {
        "$schema": _SCHEMA,
        "$id": f"urn:reelrun:model:{record.name}",
        "title": record.name,
        "description": record.description or f"Payload of {record.name}.",
        "type": "object",
        "required": [each.name for each in record.parameters if each.is_required],
        "additionalProperties": False,
        "x-source": source,
        "x-seen": seen,
        **({"x-uncertain": uncertain} if uncertain else {}),
        "properties": {each.name: _rules(each) for each in record.parameters},
    }


def _rules(told: ToldParameter) -> Mapping[str, Json]:
    rules: dict[str, Json] = {
        "title": told.title or told.name,
        "description": " ".join(filter(None, (told.description, _default_told(told)))) or told.name,
    }
    if told.type in _MEDIA:
        return {**rules, "type": "string", "x-media": _media(told)}
    if told.type in _LISTS:
        return {**rules, "type": "array"}
    if told.options:
        return {**rules, "enum": list(told.options), **_meaning(told)}
    bounds = {word: bound for word, bound in (("minimum", told.least), ("maximum", told.most)) if bound is not None}
    kind = _TYPES.get(told.type, "string")
    return {**rules, "type": kind, **(_whole(bounds) if kind in ("integer", "number") else {}), **_meaning(told)}


def _default_told(told: ToldParameter) -> str:
    return "" if told.default is None else f"The service tells the default {told.default!r}."


def _whole(bounds: Mapping[str, float]) -> dict[str, Json]:
    return {word: int(bound) if bound.is_integer() else bound for word, bound in bounds.items()}


def _media(told: ToldParameter) -> Mapping[str, Json]:
    """What takes a file: the first picture, unless its name says that it is another."""
    if told.type != "image":
        return {"kind": told.type, "role": "source"}
    is_last, is_reference = _LAST.search(told.name), _REFERENCE.search(told.name)
    return {"kind": "image", "role": "last" if is_last else "reference" if is_reference else "first"}


def _meaning(told: ToldParameter) -> dict[str, Json]:
    """What a parameter is by its name, for lengths, prices and portable parameters."""
    name = told.name.replace("_", "").lower()
    found = next((word for word, names in _PORTABLE.items() if name in names), None)
    return {} if found is None else {"x-portable": found, **({"x-seconds": True} if found == "seconds" else {})}
