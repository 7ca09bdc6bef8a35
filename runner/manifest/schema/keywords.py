"""Finds all errors of a value with jsonschema, in a limited number of steps.

Patterns are matched by jsonschema-rs, which also decides whether the value is valid. Python's own engine reads some
patterns differently, and may take very long for others. Import this module only after a value was found invalid: the
import takes a tenth of a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import TypeAlias, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import Schema as AnySchema

from runner.manifest.json_values import mapping
from runner.manifest.schema.expectations import Schema
from runner.manifest.schema.validation import matches, unknown_keys
from runner.model import Json

Rules: TypeAlias = Schema | bool
# Checks one keyword. Gets the validator, the value of the keyword, the value to check, and the schema around them.
Check: TypeAlias = Callable[[Draft202012Validator, Rules, Json, Schema], Iterable[ValidationError] | None]
# How many keywords may still be checked in this search. jsonschema passes no argument of ours to its checks.
_left: ContextVar[float] = ContextVar("left")


class TooManyChecksError(Exception):
    """The search needs more steps than it is allowed."""


def errors(schema: Schema, instance: Json, most: float) -> Iterator[ValidationError]:
    """All errors of a value. A `$ref` never causes a download.

    Raises TooManyChecksError after `most` keywords are checked.
    """
    _left.set(most)
    return _validator(json.dumps(schema)).iter_errors(instance)


@lru_cache(maxsize=64)
def _validator(text: str) -> Draft202012Validator:
    registry: Registry[AnySchema] = Registry()
    # If a schema names its dialect, jsonschema leaves it to its own validator for that dialect, without our checks.
    rules = {keyword: rule for keyword, rule in json.loads(text).items() if keyword != "$schema"}
    validator: Draft202012Validator = _Validator(rules, registry=registry)
    return validator


def _counted(check: Check) -> Check:
    def counted(
        validator: Draft202012Validator, rule: Rules, instance: Json, schema: Schema
    ) -> Iterable[ValidationError] | None:
        left = _left.get()
        if left <= 0:
            raise TooManyChecksError
        _left.set(left - 1)
        return check(validator, rule, instance, schema)

    return counted


def _pattern(_: Draft202012Validator, rule: Rules, instance: Json, schema: Schema) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matches(str(rule), instance):
        yield ValidationError("the pattern does not match")


def _by_pattern(
    validator: Draft202012Validator, rules: Rules, instance: Json, schema: Schema
) -> Iterator[ValidationError]:
    for key, value in mapping(instance).items():
        for pattern, rule in mapping(rules).items():
            if matches(pattern, key):
                yield from validator.descend(value, cast(Rules, rule), path=key, schema_path=pattern)


def _further(validator: Draft202012Validator, rule: Rules, instance: Json, schema: Schema) -> Iterator[ValidationError]:
    keys = unknown_keys(mapping(instance), schema)
    if keys and rule is False:
        yield ValidationError("there are unknown keys")
    elif rule is not False:
        for key in keys:
            yield from validator.descend(mapping(instance)[key], rule, path=key)


_CHECKS: Mapping[str, Check] = {
    **Draft202012Validator.VALIDATORS,
    "pattern": _pattern,
    "patternProperties": _by_pattern,
    "additionalProperties": _further,
}
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {keyword: _counted(check) for keyword, check in _CHECKS.items()}
)
