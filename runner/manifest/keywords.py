"""The validator of jsonschema, which finds all that is wrong, with its patterns matched as the verdict matches them.

Python's own engine reads some patterns otherwise, and may take ages over others. Import this where something is wrong:
it takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import Schema as AnySchema

from runner.manifest.expectations import Schema
from runner.manifest.validators import further, matches
from runner.manifest.values import mapping
from runner.model import Json


def errors(schema: Schema, instance: Json) -> Iterator[ValidationError]:
    """All errors of a value. What a `$ref` names is never fetched."""
    registry: Registry[AnySchema] = Registry()
    validator: Draft202012Validator = _Validator(schema, registry=registry)
    return validator.iter_errors(instance)


def _pattern(_: Draft202012Validator, pattern: str, instance: Json, schema: Schema) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError("the pattern does not match")


def _by_pattern(
    validator: Draft202012Validator, rules: Mapping[str, Schema | bool], instance: Json, schema: Schema
) -> Iterator[ValidationError]:
    for key, value in mapping(instance).items():
        for pattern, rule in rules.items():
            if matches(pattern, key):
                yield from validator.descend(value, rule, path=key, schema_path=pattern)


def _further(
    validator: Draft202012Validator, rule: Schema | bool, instance: Json, schema: Schema
) -> Iterator[ValidationError]:
    keys = further(mapping(instance), schema)
    if keys and rule is False:
        yield ValidationError("there are further keys")
    elif rule is not False:
        for key in keys:
            yield from validator.descend(mapping(instance)[key], rule, path=key)


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern, "patternProperties": _by_pattern, "additionalProperties": _further}
)
