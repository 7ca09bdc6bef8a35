"""The schemas of models: those that ship with the project, and those that a manifest names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from runner.errors import ManifestError
from runner.manifest.diagnostics import Diagnostics
from runner.manifest.expectations import MANIFEST
from runner.manifest.files import read_below
from runner.manifest.text import Text, problem
from runner.manifest.values import mapping
from runner.manifest.wording import problems, validator
from runner.manifest.words import closest, joined, name, shortened
from runner.model import Json, ModelSchema, Route
from runner.shipped import shipped

Schemas: TypeAlias = Mapping[str, ModelSchema]

_MAX_BYTES = 2**20
_ENDING = ".schema.json"
# The custom keywords of a model's schema, which JSON Schema itself does not look at.
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
            "required": ["image"],
            "properties": {"image": {"type": "object", "properties": {"x-image": _PICTURE_RULES}}},
            "additionalProperties": {
                "type": "object",
                "properties": {"x-seconds": {"type": "boolean"}, "x-tips": _ADVISED_RANGES},
            },
            "examples": [{"image": {"type": "string"}}],
        },
    },
}


def shipped_models() -> dict[str, Path]:
    """The models that the project has a schema for."""
    folder = shipped("schemas") / "models"
    return {path.name.removesuffix(_ENDING): path for path in sorted(folder.glob(f"*{_ENDING}"))}


def shipped_schema(model: str) -> ModelSchema:
    """The schema of a model that ships with the project. Raises KeyError for one that does not."""
    return ModelSchema(model, json.loads(shipped_models()[model].read_text("utf-8")))


def read_models(names: Sequence[tuple[str, Route]], models: Json, base: Path, found: Diagnostics) -> Schemas:
    """The sound schemas of the models at the given routes. `models` names files, and is None where it has an error."""
    ours, own = shipped_models(), mapping(models)
    schemas: dict[str, ModelSchema] = {}
    for model, path in own.items():
        if isinstance(path, str):
            with found.reading(("models", model), f"the schema {name(path)} of {model}"):
                schemas[model] = read_model(model, read_below(base / path, found.folders, path, _MAX_BYTES))
    for model, route in names:
        if model in ours and model not in own:
            schemas[model] = shipped_schema(model)
        elif model not in own and models is not None:
            found.error("E209", route, f"there is no schema for the model {name(model)}", _model_hint(model, ours, own))
    return {model: schemas[model] for model, _ in names if model in schemas}


def _model_hint(model: str, ours: Mapping[str, Path], own: Mapping[str, Json]) -> str:
    nearest = closest(model, (*ours, *own))
    if nearest is not None:
        return f"did you mean {name(nearest)}?"
    return f"known here: {joined((*ours, *own), 'and')}; for another one add models: {{{shortened(model)}: FILE}}"


def read_model(model: str, text: Text) -> ModelSchema:
    """Check the text of a schema file. Raises ManifestError with all that is wrong with it."""
    try:
        document: Json = json.loads(text.text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        message = f"the file is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise problem("E102", text, text.at(error.pos), message, "a model's schema is a JSON file") from None
    except (RecursionError, ValueError) as error:
        raise _refused(text, f"it is not JSON: {error}") from None
    if not isinstance(document, Mapping):
        raise _refused(text, "a schema is a JSON object")
    try:
        fault = next(_faults(document), None)
    except RecursionError:
        fault = "it is nested too deeply, or refers to itself without end"
    if fault is not None:
        raise _refused(text, fault)
    return ModelSchema(model, document)


def _no_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON value")


def _refused(text: Text, message: str) -> ManifestError:
    hint = "it is JSON Schema (draft 2020-12) for the payload; those in schemas/models are examples"
    return problem("E209", text, text.at(0), f"this is no schema of a model: {message}", hint)


def _faults(document: Mapping[str, Json]) -> Iterator[str]:
    """What is wrong with a schema; the first is enough."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    dialect = document.get("$schema", "")
    if dialect and dialect != Draft202012Validator.META_SCHEMA["$schema"]:
        yield f"its $schema is {dialect}, not draft 2020-12"
    try:
        Draft202012Validator.check_schema(document)
    except SchemaError as error:
        place = "/".join(str(step) for step in error.absolute_path)
        yield f"at {place or 'its top'}: {shortened(error.message, 120)}"
    for each in problems(_SHAPE, document, MANIFEST):
        place = "/".join(str(step) for step in each.route)
        yield f"at {place or 'its top'}: {each.message}"
    if _foreign_references(document):
        yield "a $ref leads out of the file; put what it names under $defs"
    yield from _trial(document)


def _foreign_references(document: Mapping[str, Json]) -> bool:
    found = re.findall(r'"\$(?:dynamicR|r)ef": "([^"]*)"', json.dumps(document))
    return any(not reference.startswith("#") for reference in found)


def _trial(document: Mapping[str, Json]) -> Iterator[str]:
    """Whether the schema can be used at all: each reference leads somewhere, and none to itself."""
    from referencing.exceptions import Unresolvable

    properties = document.get("properties")
    payload: dict[str, Json] = dict.fromkeys(properties if isinstance(properties, Mapping) else (), "")
    try:
        validator(document).is_valid(payload)
    except Unresolvable as error:
        yield f"a $ref leads nowhere: #{str(error.ref).lstrip('#')}"
    except re.error as error:
        yield f"a pattern cannot be used: {shortened(str(error))}"
