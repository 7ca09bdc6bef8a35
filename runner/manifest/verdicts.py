"""A schema compiled to functions that say yes or no.

The jsonschema package takes 20 microseconds for each value of a manifest, and most manifests are right. What is
compiled here says yes to those; where it says no, or a schema has a keyword that is not compiled, that package decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Sized
from functools import partial
from operator import ge, gt, le, lt
from typing import TypeAlias, cast

from runner.manifest.expectations import Schema
from runner.manifest.values import items, mapping
from runner.model import Json, same_value

Verdict: TypeAlias = Callable[[Json], bool]


class UnknownKeywordError(Exception):
    """A keyword that means something, and is not compiled."""


def verdict(schema: Schema) -> Verdict:
    """The function that tells whether a value is valid. Raises UnknownKeywordError."""
    return _Compiler(schema).compile(schema)


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    # JSON Schema validation 2020-12, 6.1.1: 1.0 is an integer.
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


_TYPES: Mapping[str, Verdict] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": _is_integer,
}


class _Compiler:
    """Compiles one document. What a `$ref` names is compiled once, when it is first met."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.references: dict[str, list[Verdict]] = {}

    def compile(self, schema: Json) -> Verdict:
        if isinstance(schema, bool):
            return lambda value: schema
        rules = mapping(schema)
        return _all([self._check(keyword, rules) for keyword in rules if _has_meaning(keyword)])

    def _check(self, keyword: str, schema: Schema) -> Verdict:
        rule = schema[keyword]
        if keyword in _SIMPLE:
            return _SIMPLE[keyword](rule)
        if keyword in _COMPOUND:
            return _COMPOUND[keyword](self, rule, schema)
        raise UnknownKeywordError(keyword)

    def reference(self, rule: Json, _: Schema) -> Verdict:
        target = mapping(mapping(self.root.get("$defs")).get(str(rule).removeprefix("#/$defs/")))
        if not str(rule).startswith("#/$defs/") or not target or "$id" in target:
            raise UnknownKeywordError(f"$ref: {rule}")
        if str(rule) not in self.references:
            self.references[str(rule)] = []
            self.references[str(rule)].append(self.compile(target))
        # Inside of what it names, a reference is not compiled yet.
        compiled = self.references[str(rule)]
        return compiled[0] if compiled else lambda value: compiled[0](value)

    def properties(self, rule: Json, schema: Schema) -> Verdict:
        """`properties`, with `additionalProperties`, which is about the rest."""
        known = {key: self.compile(each) for key, each in mapping(rule).items()}
        others = self.compile(schema.get("additionalProperties", True))

        def check(value: Json) -> bool:
            return not isinstance(value, dict) or all(known.get(key, others)(each) for key, each in value.items())

        return check

    def additional(self, rule: Json, schema: Schema) -> Verdict:
        return self.compile(True) if "properties" in schema else self.properties({}, schema)

    def names(self, rule: Json, _: Schema) -> Verdict:
        check = self.compile(rule)
        return lambda value: not isinstance(value, dict) or all(map(check, value))

    def each(self, rule: Json, _: Schema) -> Verdict:
        check = self.compile(rule)
        return lambda value: not isinstance(value, list) or all(map(check, value))

    def all_of(self, rule: Json, _: Schema) -> Verdict:
        return _all([self.compile(each) for each in items(rule)])

    def any_of(self, rule: Json, _: Schema) -> Verdict:
        checks = [self.compile(each) for each in items(rule)]
        return lambda value: any(check(value) for check in checks)

    def one_of(self, rule: Json, _: Schema) -> Verdict:
        checks = [self.compile(each) for each in items(rule)]
        return lambda value: sum(check(value) for check in checks) == 1

    def none_of(self, rule: Json, _: Schema) -> Verdict:
        check = self.compile(rule)
        return lambda value: not check(value)


def _all(checks: Sequence[Verdict]) -> Verdict:
    """Whether all of them hold. Prompts are checked a million times, and a generator takes longer than most checks."""
    if len(checks) == 1:
        return checks[0]

    def check(value: Json) -> bool:
        for each in checks:  # noqa: SIM110
            if not each(value):
                return False
        return True

    return check


def _has_meaning(keyword: str) -> bool:
    """Whether a keyword can make a value invalid. `format` is an annotation, as the standard has it."""
    if keyword in _SIMPLE or keyword in _COMPOUND:
        return True
    if keyword in ANNOTATIONS or keyword.startswith("x-"):
        return False
    # Loaded where it is needed: most schemas have no other keyword, and loading takes longer than most checks.
    from jsonschema import Draft202012Validator

    return keyword in Draft202012Validator.VALIDATORS


def _type(rule: Json) -> Verdict:
    kinds = [_TYPES[str(each)] for each in ([rule] if isinstance(rule, str) else items(rule))]
    return kinds[0] if len(kinds) == 1 else lambda value: any(kind(value) for kind in kinds)


def _enum(rule: Json) -> Verdict:
    values = items(rule)
    return lambda value: any(same_value(value, each) for each in values)


def _const(rule: Json) -> Verdict:
    return lambda value: same_value(value, rule)


def _pattern(rule: Json) -> Verdict:
    search = re.compile(str(rule)).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _required(rule: Json) -> Verdict:
    keys = items(rule)
    return lambda value: not isinstance(value, dict) or all(key in value for key in keys)


def _dependent(rule: Json) -> Verdict:
    needs = [(key, each) for key, keys in mapping(rule).items() for each in items(keys)]
    return lambda value: not isinstance(value, dict) or all(each in value for key, each in needs if key in value)


def _unique(rule: Json) -> Verdict:
    if rule is not True:
        return lambda value: True
    return lambda value: (
        not isinstance(value, list)
        or not any(same_value(each, earlier) for index, each in enumerate(value) for earlier in value[:index])
    )


def _bound(holds: Callable[[float, float], bool], rule: Json) -> Verdict:
    limit = rule if isinstance(rule, (int, float)) else 0

    def check(value: Json) -> bool:
        return not isinstance(value, (int, float)) or isinstance(value, bool) or holds(value, limit)

    return check


def _size(kind: type, holds: Callable[[float, float], bool], rule: Json) -> Verdict:
    limit = rule if isinstance(rule, (int, float)) else 0

    def check(value: Json) -> bool:
        return not isinstance(value, kind) or holds(len(cast(Sized, value)), limit)

    return check


# Keywords that say something about a value and ask nothing of it; the last two are those of editors.
ANNOTATIONS = {
    *("$comment", "$defs", "$id", "$schema", "default", "deprecated", "description", "examples", "format", "title"),
    *("errorMessage", "patternErrorMessage"),
}
_SIMPLE: Mapping[str, Callable[[Json], Verdict]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "required": _required,
    "dependentRequired": _dependent,
    "uniqueItems": _unique,
    "minimum": partial(_bound, ge),
    "maximum": partial(_bound, le),
    "exclusiveMinimum": partial(_bound, gt),
    "exclusiveMaximum": partial(_bound, lt),
    "minLength": partial(_size, str, ge),
    "maxLength": partial(_size, str, le),
    "minItems": partial(_size, list, ge),
    "maxItems": partial(_size, list, le),
    "minProperties": partial(_size, dict, ge),
    "maxProperties": partial(_size, dict, le),
}
_COMPOUND: Mapping[str, Callable[[_Compiler, Json, Schema], Verdict]] = {
    "$ref": _Compiler.reference,
    "properties": _Compiler.properties,
    "additionalProperties": _Compiler.additional,
    "propertyNames": _Compiler.names,
    "items": _Compiler.each,
    "allOf": _Compiler.all_of,
    "anyOf": _Compiler.any_of,
    "oneOf": _Compiler.one_of,
    "not": _Compiler.none_of,
}
