"""Changes values by what their schema says about them: drops keys that are not read, and moves paths."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence

from runner.manifest.json_values import mapping
from runner.manifest.schema.expectations import Schema, properties, resolved, types
from runner.model import Json

# Keys that begin so are not read where a schema has this pattern of keys.
EXTENSION = "^x-"
_PATH = "#/$defs/path"
# Not relative paths: ~/pictures, $HOME/pictures, C:\\pictures, s3://bucket.
_NOT_RELATIVE = re.compile(r"[~$%]|[A-Za-z][A-Za-z0-9+.-]*:")


def without_extensions(value: Json, schema: Schema) -> Json:
    """The value without the keys that begin with `x-`, at each level where the schema allows them."""

    def visit(value: Json, rules: Schema) -> Json:
        if not isinstance(value, Mapping) or EXTENSION not in mapping(resolved(rules, schema).get("patternProperties")):
            return value
        return {key: each for key, each in value.items() if not key.startswith("x-")}

    return _walked(value, schema, schema, visit)


def with_paths_from(folder: str, value: Json, schema: Schema) -> Json:
    """The value with its paths, which are relative to `folder`, made relative to where `folder` is relative to."""

    def visit(value: Json, rules: Schema) -> Json:
        is_path = _is_path(rules, schema) and isinstance(value, str) and not _NOT_RELATIVE.match(value)
        return os.path.join(folder, value) if is_path and isinstance(value, str) else value

    return _walked(value, schema, schema, visit)


def _is_path(rules: Schema, schema: Schema) -> bool:
    """Whether a text by these rules is a path, or stands for a mapping with a path alone in it."""
    whole = resolved(rules, schema)
    short = properties(whole).get(str(whole.get("x-text-as"))) if "string" in types(whole) else None
    return _PATH in (rules.get("$ref"), mapping(short).get("$ref"))


def _walked(value: Json, rules: Json, schema: Schema, visit: Callable[[Json, Schema], Json]) -> Json:
    """The value with `visit` applied to every value in it that the schema describes, and to itself last."""
    if not isinstance(rules, Mapping):
        return value
    whole = resolved(rules, schema)
    if isinstance(value, Mapping):
        known, others = properties(whole), whole.get("additionalProperties")
        value = {key: _walked(each, known.get(key, others), schema, visit) for key, each in value.items()}
    elif isinstance(value, Sequence) and not isinstance(value, str) and "items" in whole:
        value = [_walked(each, whole["items"], schema, visit) for each in value]
    return visit(value, rules)
