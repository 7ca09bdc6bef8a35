"""The schemas of models: those that ship with the project, and those that a manifest names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

from runner.diagnostics.suggestions import suggestion
from runner.diagnostics.text import Text, file_error
from runner.diagnostics.words import joined, name, only_names, shortened
from runner.errors import ManifestError
from runner.manifest.files import read_below
from runner.manifest.json_values import mapping
from runner.manifest.pictures.inspection import FORMATS
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.schema.expectations import MANIFEST
from runner.manifest.schema.references import InvalidSchemaError, check_references
from runner.manifest.schema.validation import validator
from runner.manifest.schema.wording import diagnose
from runner.media import OLD_KEYWORD, Encoding, MediaKind, declared
from runner.model import Json, ModelSchema, Route
from runner.shipped import shipped_document, shipped_models

Schemas: TypeAlias = Mapping[str, ModelSchema]

_MAX_BYTES = 2**20
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What the custom keywords of a model's schema may hold. JSON Schema itself ignores these keywords.
_PICTURE_RULES: Mapping[str, Json] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "maxBytes": {"type": "integer", "minimum": 1, "examples": [10485760]},
        "minSide": {"type": "integer", "minimum": 1, "examples": [300]},
        "aspectRatio": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number", "exclusiveMinimum": 0},
            "examples": [[0.4, 2.5]],
        },
        "formats": {
            "type": "array",
            "minItems": 1,
            "items": {"enum": ["JPEG", "PNG"]},
            "examples": [["JPEG", "PNG"]],
        },
    },
}
_SECONDS: Mapping[str, Json] = {"type": "number", "minimum": 0, "examples": [30]}
_MEDIA_RULES: Mapping[str, Json] = {
    "type": "object",
    "required": ["kind"],
    "additionalProperties": False,
    "properties": {
        **mapping(_PICTURE_RULES["properties"]),
        "kind": {"enum": [str(each) for each in MediaKind], "examples": ["image"]},
        "role": {"enum": ["first", "last", "reference", "source"]},
        "encodings": {"type": "array", "minItems": 1, "items": {"enum": [str(each) for each in Encoding]}},
        "formats": {"type": "array", "minItems": 1, "items": {"type": "string"}, "examples": [["mp4"]]},
        "maxSide": {"type": "integer", "minimum": 1, "examples": [2000]},
        "sizeOf": {"type": "string", "examples": ["size"]},
        **dict.fromkeys(("minSeconds", "maxSeconds", "minFps", "maxFps"), _SECONDS),
    },
    "if": {"properties": {"kind": {"const": "image"}}},
    "then": {"properties": {"formats": {"items": {"enum": list(FORMATS)}}}},
}
_PORTABLE_NAME: Mapping[str, Json] = {"enum": ["seconds", "aspect_ratio", "resolution", "sound", "seed"]}
_PORTABLE: Mapping[str, Json] = {
    "anyOf": [
        _PORTABLE_NAME,
        {
            "type": "object",
            "required": ["of"],
            "additionalProperties": False,
            "properties": {
                "of": {"anyOf": [_PORTABLE_NAME, {"type": "array", "minItems": 1, "items": _PORTABLE_NAME}]},
                "words": {"type": "object", "minProperties": 1},
            },
            # What several names together are can only be said in words.
            "if": {"properties": {"of": {"type": "array", "minItems": 2}}},
            "then": {"required": ["words"]},
        },
    ]
}
_ADVISED_RANGES: Mapping[str, Json] = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"type": "number"},
        "examples": [[0.3, 0.5]],
    },
    "examples": [{"creative": [0.3, 0.5], "strict adherence": [0.7, 1]}],
}
_SHAPE: Mapping[str, Json] = {
    "type": "object",
    "required": ["properties"],
    "properties": {
        "type": {"const": "object"},
        "properties": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "x-seconds": {"type": "boolean"},
                    "x-tips": _ADVISED_RANGES,
                    "x-portable": _PORTABLE,
                },
            },
            "examples": [{"prompt": {"type": "string"}}],
        },
    },
}


def shipped_schema(model: str) -> ModelSchema:
    """The schema of a model that ships with the project. Raises KeyError for one that does not."""
    return ModelSchema(model, cast(Mapping[str, Json], shipped_document(model)))


def read_models(names: Sequence[tuple[str, Route]], models: Json, base: Path, found: ReadingDiagnostics) -> Schemas:
    """The valid schemas of the models at the given routes. `models` maps models to files, or is None if invalid."""
    built_in, custom = shipped_models(), mapping(models)
    schemas: dict[str, ModelSchema] = {}
    own = {model: entry for model, entry in custom.items() if _names_schema(entry)}
    for model, entry in own.items():
        is_short = isinstance(entry, str)
        path = entry if is_short else mapping(entry).get("schema")
        if isinstance(path, str):
            route: Route = ("models", model) if is_short else ("models", model, "schema")
            with found.reading(route, f"the schema {name(path)} of {model}"):
                schemas[model] = read_model(model, read_below(base / path, found.folders, path, _MAX_BYTES, _is_schema))
    # Settings of a model that is not there: its name is misspelled.
    named = dict(names)
    said: list[tuple[str, Route]] = [(model, ("models", model)) for model in custom if model not in named]
    for model, route in (*names, *said):
        if model in built_in and model not in own:
            schemas[model] = shipped_schema(model)
        elif model not in own and models is not None:
            is_key = route[0] == "models"
            hint = _model_hint(model, (*built_in, *own, *(named if is_key else ())))
            found.error("E209", route, f"there is no schema for the model {name(model)}", hint, key=is_key)
    return {model: schemas[model] for model in named if model in schemas}


def _names_schema(entry: Json) -> bool:
    """Whether the settings of a model name its schema. If they are not valid, that is reported already."""
    return entry is None or isinstance(entry, str) or "schema" in mapping(entry)


def _model_hint(model: str, known: Sequence[str]) -> str:
    listed = f"known here: {joined(known, 'and', limit=6)} (reelrun models --shipped lists all)"
    listed += f"; for another one add models: {{{shortened(model)}: FILE}}"
    return suggestion(model, known, listed)


def _is_schema(text: str) -> bool:
    return '"properties"' in text


def read_model(model: str, text: Text) -> ModelSchema:
    """Check the text of a schema file. Raises ManifestError with the first thing that is wrong with it."""
    try:
        document: Json = json.loads(text.text, parse_constant=_no_constant)
        _check(document)
    except json.JSONDecodeError as error:
        message = f"the file is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise file_error("E102", text, text.at(error.pos), message, "a model's schema is a JSON file") from None
    except InvalidSchemaError as error:
        raise _refused(text, str(error), error.reference) from None
    except RecursionError:
        raise _refused(text, "it is nested too deeply, with every $ref written out") from None
    except ValueError as error:
        raise _refused(text, f"it cannot be read: {error}") from None
    return ModelSchema(model, mapping(document))


def _no_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON value")


def _refused(text: Text, message: str, reference: str = "") -> ManifestError:
    """The error at the first `$ref` to `reference`, or at the top of the file."""
    hint = "it is JSON Schema (draft 2020-12) for the payload; those in schemas/models are examples"
    found = re.search(rf'"\$(?:dynamicR|r)ef"\s*:\s*{re.escape(json.dumps(reference))}', text.text)
    place = text.at(found.start(), len(found.group())) if found else text.at(0)
    told = message if text.is_shown else only_names(message)
    return file_error("E209", text, place, f"this is no schema of a model: {told}", hint)


def _check(document: Json) -> None:
    """Raise InvalidSchemaError if a schema cannot be used, and ValueError if it is not JSON."""
    from jsonschema_rs import ValidationError

    if not isinstance(document, Mapping):
        raise InvalidSchemaError("a schema is a JSON object")
    dialect = document.get("$schema", _DIALECT)
    if dialect != _DIALECT:
        raise InvalidSchemaError(f"its $schema is {name(str(dialect))}, not draft 2020-12")
    check_references(document)
    try:
        validator(document)
    except ValidationError as error:
        raise _invalid_at(error.instance_path, shortened(error.message, 120)) from None
    for each in diagnose(_SHAPE, document, MANIFEST):
        raise _invalid_at(each.route, each.message)
    for steps, keyword, told in declared(document):
        rules = _PICTURE_RULES if keyword == OLD_KEYWORD else _MEDIA_RULES
        for each in diagnose({"properties": {keyword: rules}}, {keyword: told}, MANIFEST):
            raise _invalid_at((*steps, *each.route), each.message)


def _invalid_at(route: Sequence[str | int], message: str) -> InvalidSchemaError:
    return InvalidSchemaError(f"at {'/'.join(map(str, route)) or 'its top'}: {message}")
