"""What a JSON Schema finds, in words for the person who wrote the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from runner.manifest.conversions import conversion
from runner.manifest.expectations import (
    API,
    MANIFEST,
    Schema,
    Voice,
    allowed,
    bounds,
    example,
    expected,
    limit,
    number,
    properties,
    resolved,
    subject,
    types,
)
from runner.manifest.findings import Finding, Problem, independent
from runner.manifest.values import items, mapping
from runner.manifest.verdicts import UnknownKeywordError, Verdict, verdict
from runner.manifest.words import closest, described, did_you_mean, flow, joined, literal, name, shortened
from runner.model import Json, Route, same_value

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from referencing import Registry
    from referencing.jsonschema import Schema as AnySchema

__all__ = ["API", "MANIFEST", "Problem", "Validator", "Voice", "problems", "validator"]


class Validator(Protocol):
    """A compiled schema."""

    def is_valid(self, instance: Json) -> bool: ...

    def iter_errors(self, instance: Json) -> Iterable[ValidationError]: ...


# How the plain scalar at a route is written in the source, where that is known.
Written = Callable[[Route], str | None]


@dataclass(frozen=True, eq=False, slots=True)
class _Identity:
    """A schema as a key of the cache: the same object, which the cache keeps alive."""

    schema: Schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.schema is self.schema


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A schema compiled twice: `verdict` is quick, and None where it does not know all keywords."""

    identity: _Identity
    verdict: Verdict | None

    @property
    def full(self) -> Draft202012Validator:
        return _full(self.identity)

    def is_valid(self, instance: Json) -> bool:
        return (self.verdict is not None and self.verdict(instance)) or bool(self.full.is_valid(instance))

    def iter_errors(self, instance: Json) -> Iterable[ValidationError]:
        is_sound = self.verdict is not None and self.verdict(instance)
        return () if is_sound else self.full.iter_errors(instance)


def validator(schema: Schema) -> Validator:
    """The compiled validator of a schema (draft 2020-12). It never fetches what a `$ref` names."""
    return _compiled(_Identity(schema))


@lru_cache(maxsize=64)
def _compiled(key: _Identity) -> Validator:
    try:
        return _Compiled(key, verdict(key.schema))
    except UnknownKeywordError:
        return _Compiled(key, None)


@lru_cache(maxsize=64)
def _full(key: _Identity) -> Draft202012Validator:
    # Loaded for what is wrong: what is sound never needs it, and it takes a tenth of a second.
    from jsonschema import Draft202012Validator
    from referencing import Registry

    registry: Registry[AnySchema] = Registry()
    return Draft202012Validator(key.schema, registry=registry)


def problems(schema: Schema, instance: Json, voice: Voice = API, written: Written | None = None) -> list[Problem]:
    """All that is wrong with `instance`, in words; nothing that merely follows from something else."""
    findings: list[Finding] = []
    for error in validator(schema).iter_errors(instance):
        findings += _Case(error, schema, voice, written or _unknown).findings()
    return independent(findings)


def _unknown(route: Route) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class _Case:
    """An error of the validator, and all that is needed to speak about it."""

    error: ValidationError
    root: Schema
    voice: Voice
    written: Written

    @property
    def route(self) -> Route:
        return tuple(self.error.absolute_path)

    @property
    def subject(self) -> str:
        return subject(self.route, self.voice)

    @property
    def schema(self) -> Schema:
        return self.error.schema if isinstance(self.error.schema, Mapping) else {}

    @property
    def rule(self) -> Json:
        return cast(Json, self.error.validator_value)

    @property
    def value(self) -> Json:
        return cast(Json, self.error.instance)

    @property
    def hint(self) -> str:
        """The help that the schema itself gives; editors show it as well."""
        words = self.schema.get("patternErrorMessage") if self.error.validator == "pattern" else None
        return str(words or self.schema.get("errorMessage", ""))

    def findings(self) -> Iterator[Finding]:
        if self._is_of_a_name():
            return self._name()
        return _RULES.get(str(self.error.validator), _Case._other)(self)

    def _found(self, code: str, message: str, hint: str = "") -> Iterator[Finding]:
        yield Finding(Problem(self.route, code, message, hint or self.hint or self._example()))

    def _at(self, step: str | int, code: str, message: str, hint: str, *, key: bool = True) -> Problem:
        return Problem((*self.route, step), code, message, hint, key)

    def _example(self) -> str:
        """The help where there is no better one: how a right value looks."""
        shape = example(self.schema)
        if shape is None:
            return f"write {expected(self.schema)}" if types(self.schema) or allowed(self.schema) else ""
        key = f"{self.route[-1]}: " if self.route and isinstance(self.route[-1], str) else ""
        return f"for example {key}{shortened(flow(shape), 100)}"

    def _is_of_a_name(self) -> bool:
        steps = list(self.error.absolute_schema_path)
        return any(step == "propertyNames" and steps[at - 1] != "properties" for at, step in enumerate(steps) if at)

    def _name(self) -> Iterator[Finding]:
        word = str(self.value)
        if self.error.validator == "not":
            yield Finding(self._at(word, "E201", f"{name(word)} does not belong here", self.hint))
        else:
            yield Finding(self._at(word, "E207", f"{name(word)} cannot be a name here", self.hint))

    def _type(self) -> Iterator[Finding]:
        message = f"{self.subject} is {described(self.value)}; {self.voice.value} {expected(self.schema)}"
        hint = conversion(self.value, self.schema, self.root, self.voice, self.written(self.route))
        yield Finding(Problem(self.route, "E204", message, hint or self.hint or self._example()), whole=True)

    def _enum(self) -> Iterator[Finding]:
        values = allowed(self.schema)
        if not any(_kind(value) == _kind(self.value) for value in values):
            return self._type()
        message = f"{self.subject} is {literal(self.value)}; {self.voice.value} {joined(map(literal, values))}"
        words = [each for each in values if isinstance(each, str)]
        found = closest(self.value, words) if isinstance(self.value, str) else None
        return self._found("E203", message, f"did you mean {literal(found)}?" if found else "")

    def _range(self) -> Iterator[Finding]:
        keyword = str(self.error.validator)
        # "between 0 and 1" says more than "at least 0", where the other end is worth a word.
        limits = bounds(self.schema)
        limits = limits if limits.startswith("between") else limit(keyword, self.rule)
        kind = "an integer" if "integer" in types(self.schema) else "a number"
        return self._found("E205", f"{self.subject} is {number(self.value)}; {self.voice.value} {kind} {limits}")

    def _length(self) -> Iterator[Finding]:
        keyword = str(self.error.validator)
        size = len(self.value) if isinstance(self.value, (str, Sequence, Mapping)) else 0
        if not size:
            return self._found("E206", f"{self.subject} is empty", self.hint or "write a value, or delete it")
        unit = _UNITS[keyword[3:]]
        bounded = self.rule if isinstance(self.rule, int) else 0
        is_over = keyword.startswith("max")
        bound = self.voice.most if is_over else self.voice.least
        hint = f"shorten it by {_count(size - bounded, unit)}" if is_over else f"add {_count(bounded - size, unit)}"
        message = f"{self.subject} has {_count(size, unit)}; {bound} {number(bounded)}"
        return self._found("E206", message, self.hint or hint)

    def _form(self) -> Iterator[Finding]:
        hint = ""
        if {"number", "integer"} & set(types(self.schema)):
            hint = conversion(self.value, self.schema, self.root, self.voice, self.written(self.route))
        return self._found("E207", f"{self.subject} {literal(self.value)} has the wrong form", hint)

    def _unknown_key(self) -> Iterator[Finding]:
        known = properties(self.schema)
        for word in self._extra():
            if word not in known:
                found = closest(word, known)
                hint = did_you_mean(word, known, self._home(word) or f"known here: {joined(known, 'and', 20)}")
                message = f"unknown {self.voice.key} {name(word)}"
                yield Finding(replace(self._at(word, "E201", message, hint), meant=found or ""))

    def _extra(self) -> Iterator[str]:
        patterns = self.schema.get("patternProperties")
        for word in mapping(self.value):
            if not any(re.search(pattern, word) for pattern in (patterns if isinstance(patterns, Mapping) else ())):
                yield word

    def _home(self, word: str) -> str:
        """Where a key belongs that stands in the wrong place."""
        homes = (key for key, rules in properties(self.root).items() if word in properties(resolved(rules, self.root)))
        home = next(homes, None)
        return f"{word} belongs in {home}: {home}: {{{word}: …}}" if home else ""

    def _required(self) -> Iterator[Finding]:
        for word in items(self.rule):
            if isinstance(self.value, Mapping) and word not in self.value:
                yield self._missing(str(word), f"missing {self.voice.key} {name(str(word))}")

    def _dependent(self) -> Iterator[Finding]:
        for word, needed in mapping(self.rule).items():
            if isinstance(self.value, Mapping) and word in self.value and isinstance(needed, Sequence):
                for each in needed:
                    if each not in self.value:
                        message = f"missing {self.voice.key} {name(str(each))}: {word} needs it"
                        yield self._missing(str(each), message)

    def _missing(self, word: str, message: str) -> Finding:
        shape = example(resolved(properties(self.schema).get(word), self.root))
        hint = f"add {word}: {shortened(flow(shape), 100)}" if shape is not None else f"add {word}"
        return Finding(self._at(word, "E202", message, hint, key=False), missed=(word,))

    def _alternatives(self) -> Iterator[Finding]:
        keys = [_only_required(branch) for branch in self.rule] if isinstance(self.rule, Sequence) else []
        if not all(keys) or not isinstance(self.value, Mapping):
            return self._branches()
        given = [word for word in keys if word in self.value]
        return self._exclusive(given) if given else self._none_of(keys)

    def _none_of(self, keys: list[str]) -> Iterator[Finding]:
        shape = example(self.schema)
        hint = f"for example {shortened(flow(shape), 100)}" if shape is not None else "add one of them"
        message = f"{self.subject} needs one of {joined(keys)}"
        yield Finding(Problem(self.route, "E208", message, hint), missed=tuple(keys))

    def _exclusive(self, given: Sequence[str]) -> Iterator[Finding]:
        # The one that is written last is the one too many.
        last = max(given, key=list(self.value).index) if isinstance(self.value, Mapping) else given[-1]
        others = joined((word for word in given if word != last), "and")
        hint = self.hint or "keep one of them"
        yield Finding(self._at(last, "E208", f"{last} and {others} exclude each other", hint))

    def _not(self) -> Iterator[Finding]:
        keys = self.rule.get("required") if isinstance(self.rule, Mapping) else None
        if isinstance(keys, Sequence) and isinstance(self.value, Mapping):
            return self._exclusive([str(word) for word in keys])
        return self._found("E203", f"{self.subject} may not be {literal(self.value)}")

    def _branches(self) -> Iterator[Finding]:
        """The errors of the one branch whose type fits; else what all branches together take."""
        branches: dict[object, list[ValidationError]] = {}
        for error in self.error.context or ():
            branches.setdefault(error.schema_path[0], []).append(error)
        fitting = [errors for errors in branches.values() if not any(_of_whole(error) for error in errors)]
        if len(fitting) == 1:
            for error in fitting[0]:
                yield from _Case(error, self.root, self.voice, self.written).findings()
            return
        if not branches:
            yield from self._found("E203", f"{self.subject} fits several forms, and may fit only one of them")
            return
        schemas = (resolved(each, self.root) for each in items(self.rule))
        takes = joined(dict.fromkeys(expected(each) for each in schemas))
        message = f"{self.subject} is {described(self.value)}; {self.voice.value} {takes}"
        yield from self._found("E203" if fitting else "E204", message)

    def _unique(self) -> Iterator[Finding]:
        items = self.value if isinstance(self.value, Sequence) else ()
        for index, item in enumerate(items):
            if any(same_value(item, earlier) for earlier in items[:index]):
                message = f"{literal(item)} is given twice in {self.subject}"
                yield Finding(self._at(index, "E210", message, "delete one of them", key=False))

    def _other(self) -> Iterator[Finding]:
        # The schema `false` has no keyword, and its errors no route.
        if not self.error.validator:
            return self._found("E203", f"{literal(self.value)} is not allowed here", "delete it")
        rule = f"{self.error.validator}: {literal(self.rule)}"
        return self._found("E203", f"{self.subject} is {literal(self.value)}; the rule is {rule}")


def _count(count: int, unit: str) -> str:
    return f"{number(count)} {unit}{'' if count == 1 else 's'}"


def _kind(value: Json) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def _only_required(branch: Json) -> str:
    """The key of a branch that asks for one key of a mapping and nothing else."""
    if isinstance(branch, Mapping) and set(branch) <= {"type", "required"} and "required" in branch:
        required = branch["required"]
        if isinstance(required, Sequence) and len(required) == 1:
            return str(required[0])
    return ""


def _of_whole(error: ValidationError) -> bool:
    """Whether an error of a branch says that the value is of another kind altogether."""
    return not error.path and error.validator in ("type", "const", "enum")


_UNITS = {"Length": "character", "Items": "value", "Properties": "key"}

_RULES: Mapping[str, Callable[[_Case], Iterator[Finding]]] = {
    "type": _Case._type,
    "enum": _Case._enum,
    "const": _Case._enum,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _Case._range),
    **dict.fromkeys((end + unit for end in ("min", "max") for unit in _UNITS), _Case._length),
    **dict.fromkeys(("pattern", "format"), _Case._form),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), _Case._unknown_key),
    "required": _Case._required,
    "dependentRequired": _Case._dependent,
    **dict.fromkeys(("oneOf", "anyOf"), _Case._alternatives),
    "not": _Case._not,
    "uniqueItems": _Case._unique,
}
