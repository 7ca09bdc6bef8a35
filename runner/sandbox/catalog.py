"""The models that the sandbox knows: one JSON Schema file each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from runner.sandbox.errors import SandboxError

SUFFIX = ".schema.json"
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PictureRules:
    """What the keyword `x-image` of a parameter demands of a picture."""

    max_bytes: int
    min_side: int  # pixels
    narrowest: float  # width / height
    widest: float
    formats: tuple[str, ...]  # as Pillow names them

    @classmethod
    def of(cls, keyword: Mapping[str, object]) -> PictureRules:
        """Raises ValueError where a value has the wrong shape."""
        ratio, formats = keyword.get("aspectRatio", [0, 1e9]), keyword.get("formats", ["JPEG", "PNG"])
        if not isinstance(ratio, list) or len(ratio) != 2 or not isinstance(formats, list):
            raise ValueError("x-image: aspectRatio takes two numbers, formats a list of names")
        return cls(
            max_bytes=int(_number(keyword.get("maxBytes", 10 * _MIB))),
            min_side=int(_number(keyword.get("minSide", 1))),
            narrowest=_number(ratio[0]),
            widest=_number(ratio[1]),
            formats=tuple(str(name).upper() for name in formats),
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its name, the schema of its payload, and what of the schema is asked for again and again."""

    name: str
    schema: Mapping[str, object]
    parameters: Mapping[str, Mapping[str, object]]
    required: tuple[str, ...]
    pictures: Mapping[str, PictureRules]

    @classmethod
    def of(cls, name: str, schema: Mapping[str, object]) -> Model:
        """Raises ValueError where the schema is not one of a payload."""
        required = schema.get("required", [])
        parameters = {key: _mapping(rules) for key, rules in _mapping(schema.get("properties")).items()}
        return cls(
            name=name,
            schema=schema,
            parameters=parameters,
            required=tuple(str(key) for key in required) if isinstance(required, list) else (),
            pictures={
                key: PictureRules.of(_mapping(rules["x-image"]))
                for key, rules in parameters.items()
                if "x-image" in rules
            },
        )

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
        """Raises SandboxError for a folder without schema files, and for a file that is not a schema."""
        models = {path.name.removesuffix(SUFFIX): _read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if not models:
            raise SandboxError(f"no model schemas in {folder}: it needs files named MODEL{SUFFIX}")
        return cls(models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models.values())

    @property
    def largest_body(self) -> int:
        """The bytes that a request may have: its pictures in Base64, and ample room for the rest."""
        pictures = max(sum(rules.max_bytes for rules in model.pictures.values()) for model in self)
        return pictures * 4 // 3 + 2 * _MIB


def _read(path: Path) -> Model:
    try:
        schema = json.loads(path.read_bytes())
        Draft202012Validator.check_schema(schema)
        return Model.of(path.name.removesuffix(SUFFIX), _mapping(schema))
    except SchemaError as error:
        raise SandboxError(f"{path} is not a JSON Schema: {error.message}") from error
    except (OSError, ValueError) as error:
        raise SandboxError(f"{path} is not a model schema: {error}") from error


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("an object is expected")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("x-image: a number is expected")
    return value
