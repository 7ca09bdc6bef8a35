"""The models that the sandbox knows. Each has one JSON Schema file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from runner.errors import ServiceError

SUFFIX = ".schema.json"
_MIB = 1024 * 1024
# Any, because the metaschema checks the content of a schema, and types cannot express that.
Schema: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PictureRules:
    """What the keyword `x-image` of a parameter demands of a picture."""

    max_bytes: int
    min_side: int  # pixels
    narrowest: float  # width / height
    widest: float
    formats: tuple[str, ...]  # as Pillow names them

    @classmethod
    def of(cls, keyword: Schema) -> PictureRules:
        narrowest, widest = keyword.get("aspectRatio", (0.0, math.inf))
        return cls(
            max_bytes=keyword.get("maxBytes", 10 * _MIB),
            min_side=keyword.get("minSide", 1),
            narrowest=narrowest,
            widest=widest,
            formats=tuple(keyword.get("formats", ("JPEG", "PNG"))),
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its name and the schema of its payload."""

    name: str
    schema: Schema

    @property
    def parameters(self) -> Mapping[str, Schema]:
        parameters: Mapping[str, Schema] = self.schema.get("properties", {})
        return parameters

    @property
    def required(self) -> Sequence[str]:
        required: Sequence[str] = self.schema.get("required", ())
        return required

    @property
    def pictures(self) -> Mapping[str, PictureRules]:
        """The rules of each parameter that takes a picture."""
        return {
            name: PictureRules.of(rules["x-image"]) for name, rules in self.parameters.items() if "x-image" in rules
        }

    def filled(self, payload: Mapping[str, object]) -> dict[str, object]:
        """The payload with the defaults of the parameters that it leaves out."""
        defaults = {name: rules["default"] for name, rules in self.parameters.items() if "default" in rules}
        return {**defaults, **payload}


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models, by name."""

    models: Mapping[str, Model]

    @classmethod
    def read(cls, folder: Path) -> Catalog:
        """Raises ServiceError for a folder without schema files, and for a file that is not a schema."""
        models = {path.name.removesuffix(SUFFIX): _read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if not models:
            raise ServiceError(f"no model schemas in {folder}: it needs files named MODEL{SUFFIX}")
        return cls(models)

    @property
    def largest_body(self) -> int:
        """The most bytes of a request: its pictures in Base64, and ample room for the rest."""
        pictures = max(sum(rules.max_bytes for rules in model.pictures.values()) for model in self.models.values())
        return pictures * 4 // 3 + 2 * _MIB


def _read(path: Path) -> Model:
    try:
        schema = json.loads(path.read_bytes())
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ServiceError(f"{path} is not a JSON Schema: {error.message}") from error
    except (OSError, ValueError) as error:
        raise ServiceError(f"{path} is not a model schema: {error}") from error
    return Model(path.name.removesuffix(SUFFIX), schema)
