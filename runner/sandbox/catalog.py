"""The models that the sandbox knows. Each has one JSON Schema file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema_rs import ValidationError, meta

from runner.errors import ServiceError
from runner.media import Encoding, MediaParameter, parameters_of
from runner.model import Json, ModelSchema, Variables
from runner.shipped import SUFFIX, with_parts

_MIB = 1024 * 1024
# The most files in a list of a schema that does not say how many.
_USUAL_ITEMS = 10
# Any, because the metaschema checks the content of a schema, and types cannot express that.
Schema: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PictureRules:
    """What a schema demands of a picture; `exact` is the width and height that another parameter asks for."""

    max_bytes: int
    min_side: int  # pixels
    narrowest: float  # width / height
    widest: float
    formats: tuple[str, ...]  # as Pillow names them
    max_side: float = math.inf  # pixels
    exact: tuple[int, int] | None = None

    @classmethod
    def of(cls, keyword: Schema) -> PictureRules:
        narrowest, widest = keyword.get("aspectRatio", (0.0, math.inf))
        return cls(
            max_bytes=keyword.get("maxBytes", 10 * _MIB),
            min_side=keyword.get("minSide", 1),
            narrowest=narrowest,
            widest=widest,
            formats=tuple(str(each).upper() for each in keyword.get("formats", ("JPEG", "PNG"))),
            max_side=keyword.get("maxSide", math.inf),
        )


@dataclass(frozen=True)
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

    @cached_property
    def media(self) -> tuple[MediaParameter, ...]:
        """The places of a payload that take pictures, videos and sounds."""
        return parameters_of(ModelSchema(self.name, self.schema))

    @property
    def is_sync(self) -> bool:
        """Whether a POST is held until its request is final."""
        return self.schema.get("x-delivery") == "sync"

    @property
    def largest_media(self) -> int:
        """The most bytes of the files within a payload."""
        within = (each for each in self.media if {*each.encodings} != {Encoding.URL})
        return sum(PictureRules.of(each.rules).max_bytes * self._most(each.name) for each in within)

    def _most(self, name: str) -> int:
        """The most files in a parameter."""
        rules = self.parameters.get(name, {})
        most: int = rules.get("maxItems", 1 if rules.get("type") == "string" else _USUAL_ITEMS)
        return most

    def filled(self, payload: Variables) -> dict[str, Json]:
        """The payload with the defaults of the parameters that it leaves out."""
        defaults = {name: rules["default"] for name, rules in self.parameters.items() if "default" in rules}
        return {**defaults, **payload}


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models, by name."""

    models: Mapping[str, Model]

    @classmethod
    def read(cls, folder: Path, more: Mapping[str, Schema] | None = None) -> Catalog:
        """The models of a folder, and `more` schemas by name, which come first.

        Raises ServiceError for a folder without schema files, and for a file that is not a schema.
        """
        models = {path.name.removesuffix(SUFFIX): _read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if not models:
            raise ServiceError(f"no model schemas in {folder}: it needs files named MODEL{SUFFIX}")
        return cls({**models, **{name: Model(name, schema) for name, schema in (more or {}).items()}})

    def model(self, name: str) -> Model:
        """A model, without any parameters if it is served no more."""
        return self.models.get(name) or Model(name, {})

    @property
    def largest_body(self) -> int:
        """The most bytes of a request: its files in Base64, and ample room for the rest."""
        return max(model.largest_media for model in self.models.values()) * 4 // 3 + 2 * _MIB


def _read(path: Path) -> Model:
    try:
        schema: Any = with_parts(json.loads(path.read_bytes()))
        meta.validate(schema)
    except ValidationError as error:
        raise ServiceError(f"{path} is not a JSON Schema: {error.message}") from error
    except (OSError, ValueError) as error:
        raise ServiceError(f"{path} is not a model schema: {error}") from error
    return Model(path.name.removesuffix(SUFFIX), schema)
