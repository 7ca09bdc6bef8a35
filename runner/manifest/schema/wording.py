"""Turns the errors of a JSON Schema into messages for the person who wrote the value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, cast

from runner.diagnostics.diagnostic_limit import MOST
from runner.diagnostics.suggestions import closest, did_you_mean, suggestion
from runner.diagnostics.words import described, flow, joined, literal, name, shortened
from runner.manifest.json_values import items, mapping
from runner.manifest.schema.conversions import conversion
from runner.manifest.schema.expectations import (
    API,
    MANIFEST,
    Schema,
    Terms,
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
from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic, independent
from runner.manifest.schema.validation import unknown_keys, validator
from runner.model import Json, Route, canonical_json

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["API", "MANIFEST", "SchemaDiagnostic", "Terms", "diagnose"]

# Gives the plain scalar at a route as the source spells it, None if that is unknown.
Written = Callable[[Route], str | None]


def diagnose(
    schema: Schema, instance: Json, terms: Terms = API, written: Written | None = None
) -> list[SchemaDiagnostic]:
    """Diagnostics of what is wrong with `instance`, without those that merely follow from another one.

    After MOST of them, one of the whole instance says that there are more.
    """
    if validator(schema).is_valid(instance):
        return []
    # Imported here, because a valid value does not need it, and the import takes a tenth of a second.
    from runner.manifest.schema.keywords import TooManyChecksError, errors

    cases = (_Case(error, schema, terms, written) for error in errors(schema, instance, terms.steps))
    try:
        first = list(islice((each for case in cases for each in case.diagnose()), MOST + 1))
    except TooManyChecksError:
        first = []
    # There are also none if the two validators disagree, for example on a pattern that takes too long under `not`.
    found = independent(first[:MOST])
    if len(first) > MOST:
        message = f"{terms.whole} has more errors than these {MOST}: the rest was not looked at"
        found.append(SchemaDiagnostic((), "E105", message, "mend these first"))
    return found or [SchemaDiagnostic((), "E203", f"{terms.whole} does not fit its schema", "make the schema simpler")]


@dataclass(frozen=True, slots=True)
class _Case:
    """An error of the validator, with all that its message needs."""

    error: ValidationError
    root: Schema
    terms: Terms
    written: Written | None

    @property
    def route(self) -> Route:
        return tuple(self.error.absolute_path)

    @property
    def keyword(self) -> str:
        return str(self.error.validator)

    @property
    def subject(self) -> str:
        return subject(self.route, self.terms)

    @property
    def schema(self) -> Schema:
        return mapping(cast(Json, self.error.schema))

    @property
    def rule(self) -> Json:
        return cast(Json, self.error.validator_value)

    @property
    def value(self) -> Json:
        return cast(Json, self.error.instance)

    @property
    def hint(self) -> str:
        """The hint that the schema itself gives; editors show it, too."""
        words = self.schema.get("patternErrorMessage") if self.keyword == "pattern" else None
        return str(words or self.schema.get("errorMessage", ""))

    def diagnose(self) -> Iterator[SchemaDiagnostic]:
        steps = list(self.error.absolute_schema_path)
        if any(step == "propertyNames" and steps[at - 1] != "properties" for at, step in enumerate(steps) if at):
            return self._name()
        return _RULES.get(self.keyword, _Case._other)(self)

    def _found(self, code: str, message: str, hint: str = "", *, whole: bool = False) -> Iterator[SchemaDiagnostic]:
        yield SchemaDiagnostic(self.route, code, message, hint or self.hint or self._example(), whole=whole)

    def _key(
        self, word: str, code: str, message: str, hint: str, meant: str = "", *, missed: tuple[str, ...] = ()
    ) -> Iterator[SchemaDiagnostic]:
        yield SchemaDiagnostic((*self.route, word), code, message, hint, not missed, meant, missed)

    def _takes(self, what: str) -> str:
        return f"{self.subject} is {described(self.value)}; {self.terms.value} {what}"

    def _example(self) -> str:
        """The hint if there is no better one: what a valid value looks like."""
        shape = example(self.schema)
        if shape is None:
            return f"write {expected(self.schema)}" if types(self.schema) or allowed(self.schema) else ""
        key = f"{self.route[-1]}: " if self.route and isinstance(self.route[-1], str) else ""
        return f"for example {key}{shortened(flow(shape), 100)}"

    def _conversion(self) -> str:
        written = self.written(self.route) if self.written else None
        return conversion(self.value, self.schema, self.root, self.terms, written)

    def _name(self) -> Iterator[SchemaDiagnostic]:
        word = str(self.value)
        code, what = ("E201", "does not belong") if self.keyword == "not" else ("E207", "cannot be a name")
        return self._key(word, code, f"{name(word)} {what} here", self.hint)

    def _type(self) -> Iterator[SchemaDiagnostic]:
        return self._found("E204", self._takes(expected(self.schema)), self._conversion(), whole=True)

    def _enum(self) -> Iterator[SchemaDiagnostic]:
        values = allowed(self.schema)
        if not any(_kind(value) == _kind(self.value) for value in values):
            return self._type()
        message = f"{self.subject} is {literal(self.value)}; {self.terms.value} {joined(map(literal, values))}"
        words = [each for each in values if isinstance(each, str)]
        found = closest(self.value, words) if isinstance(self.value, str) else None
        return self._found("E203", message, did_you_mean(literal(found) if found else None))

    def _range(self) -> Iterator[SchemaDiagnostic]:
        # "between 0 and 1" says more than "at least 0". `bounds` gives it if the other limit is worth naming.
        limits = bounds(self.schema)
        limits = limits if limits.startswith("between") else limit(self.keyword, self.rule)
        kind = "an integer" if "integer" in types(self.schema) else "a number"
        return self._found("E205", f"{self.subject} is {number(self.value)}; {self.terms.value} {kind} {limits}")

    def _length(self) -> Iterator[SchemaDiagnostic]:
        size = len(self.value) if isinstance(self.value, (str, Sequence, Mapping)) else 0
        if not size:
            return self._found("E206", f"{self.subject} is empty", self.hint or "write a value, or delete it")
        unit = _UNITS[self.keyword[3:]]
        bounded = self.rule if isinstance(self.rule, int) else 0
        is_over = self.keyword.startswith("max")
        bound = self.terms.most if is_over else self.terms.least
        hint = f"shorten it by {_count(size - bounded, unit)}" if is_over else f"add {_count(bounded - size, unit)}"
        message = f"{self.subject} has {_count(size, unit)}; {bound} {number(bounded)}"
        return self._found("E206", message, self.hint or hint)

    def _pattern(self) -> Iterator[SchemaDiagnostic]:
        if validator({"pattern": self.rule}).gives_up(self.value):
            hint = "write the pattern in the schema without look-arounds and back-references, or with fewer repetitions"
            return self._found("E207", f"{self.subject} takes too long to compare with its pattern", hint)
        hint = self._conversion() if {"number", "integer"} & set(types(self.schema)) else ""
        return self._found("E207", f"{self.subject} {literal(self.value)} has the wrong form", hint)

    def _unknown_key(self) -> Iterator[SchemaDiagnostic]:
        known = properties(self.schema)
        for word in unknown_keys(mapping(self.value), self.schema):
            hint = suggestion(word, known, self._home(word) or f"known here: {joined(known, 'and', 20)}")
            yield from self._key(
                word, "E201", f"unknown {self.terms.key} {name(word)}", hint, closest(word, known) or ""
            )

    def _home(self, word: str) -> str:
        """The hint for a key that belongs in another section; empty if it belongs in none."""
        homes = (key for key, rules in properties(self.root).items() if word in properties(resolved(rules, self.root)))
        home = next(homes, None)
        return f"{word} belongs in {home}: {home}: {{{word}: …}}" if home else ""

    def _required(self) -> Iterator[SchemaDiagnostic]:
        for word in map(str, items(self.rule)):
            if word not in mapping(self.value):
                yield from self._missing(word)

    def _dependent(self) -> Iterator[SchemaDiagnostic]:
        for word, needed in mapping(self.rule).items():
            for each in map(str, items(needed) if word in mapping(self.value) else ()):
                if each not in mapping(self.value):
                    yield from self._missing(each, f": {word} needs it")

    def _missing(self, word: str, why: str = "") -> Iterator[SchemaDiagnostic]:
        # The manifest's keys that are required on a condition are described outside of the condition.
        known = properties(self.schema) or ({} if self.route else properties(self.root))
        shape = example(resolved(known.get(word), self.root))
        hint = f"add {word}: {shortened(flow(shape), 100)}" if shape is not None else f"add {word}"
        return self._key(word, "E202", f"missing {self.terms.key} {name(word)}{why}", hint, missed=(word,))

    def _alternatives(self) -> Iterator[SchemaDiagnostic]:
        keys = [_only_required(branch) for branch in items(self.rule)]
        if not all(keys) or not isinstance(self.value, Mapping):
            return self._branches()
        given = [word for word in keys if word in self.value]
        return self._exclusive(given) if given else self._none_of(keys)

    def _none_of(self, keys: list[str]) -> Iterator[SchemaDiagnostic]:
        shape = example(self.schema)
        hint = f"for example {shortened(flow(shape), 100)}" if shape is not None else "add one of them"
        message = f"{self.subject} needs one of {joined(keys)}"
        yield SchemaDiagnostic(self.route, "E208", message, hint, missed=tuple(keys))

    def _exclusive(self, given: Sequence[str]) -> Iterator[SchemaDiagnostic]:
        # The key that is written last counts as the one too many.
        last = max(given, key=list(mapping(self.value)).index)
        others = joined((word for word in given if word != last), "and")
        return self._key(last, "E208", f"{last} and {others} exclude each other", self.hint or "keep one of them")

    def _not(self) -> Iterator[SchemaDiagnostic]:
        rule = mapping(self.rule)
        keys = [str(word) for word in items(rule.get("required"))]
        barred = keys if len(keys) == 1 else [_only_required(branch) for branch in items(rule.get("anyOf"))]
        if barred and all(barred) and isinstance(self.value, Mapping):
            return self._barred([word for word in barred if word in self.value])
        if keys and isinstance(self.value, Mapping):
            return self._exclusive(keys)
        return self._found("E203", f"{self.subject} may not be {literal(self.value)}")

    def _barred(self, words: Iterable[str]) -> Iterator[SchemaDiagnostic]:
        """Keys that are not taken beside what a condition looked at, which the error does not tell."""
        for word in words:
            yield from self._key(
                word, "E208", f"{word} is not taken with the rest of {self.subject}", self.hint or "delete it"
            )

    def _branches(self) -> Iterator[SchemaDiagnostic]:
        """The errors of the only branch whose type fits; else one error that says what all branches accept."""
        if not self.error.context:
            yield from self._found("E203", f"{self.subject} fits several forms, and may fit only one of them")
            return
        branches: dict[object, list[ValidationError]] = {}
        for error in self.error.context:
            # An error of the schema `false` has an empty schema path.
            branches.setdefault(error.schema_path[0] if error.schema_path else None, []).append(error)
        branches.pop(None, None)
        fitting = [errors for errors in branches.values() if not any(_of_whole(error) for error in errors)]
        if len(fitting) == 1:
            for error in fitting[0]:
                yield from _Case(error, self.root, self.terms, self.written).diagnose()
            return
        takes = joined(dict.fromkeys(expected(resolved(each, self.root)) for each in items(self.rule) if each))
        yield from self._found("E203" if fitting else "E204", self._takes(takes or "no value"))

    def _unique(self) -> Iterator[SchemaDiagnostic]:
        earlier: set[str] = set()
        for index, item in enumerate(items(self.value)):
            text = canonical_json(item)
            if text not in earlier:
                earlier.add(text)
            else:
                message = f"{literal(item)} is given twice in {self.subject}"
                yield SchemaDiagnostic((*self.route, index), "E210", message, "delete one of them")

    def _other(self) -> Iterator[SchemaDiagnostic]:
        # An error of the schema `false` has no keyword.
        if not self.error.validator:
            return self._found("E203", f"{literal(self.value)} is not allowed here", "delete it")
        rule = f"{self.keyword}: {literal(self.rule)}"
        return self._found("E203", f"{self.subject} is {literal(self.value)}; the rule is {rule}")


def _count(count: int, unit: str) -> str:
    return f"{number(count)} {unit}{'' if count == 1 else 's'}"


def _kind(value: Json) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if is_number else type(value).__name__


def _only_required(branch: Json) -> str:
    """The key of a branch that requires one key and nothing else; empty for another branch."""
    rules = mapping(branch)
    required = items(rules.get("required"))
    return str(required[0]) if len(required) == 1 and set(rules) <= {"type", "required"} else ""


def _of_whole(error: ValidationError) -> bool:
    """Whether an error of a branch says that the value has another type altogether."""
    return not error.path and error.validator in ("type", "const", "enum")


_UNITS = {"Length": "character", "Items": "value", "Properties": "key"}

_RULES: Mapping[str, Callable[[_Case], Iterator[SchemaDiagnostic]]] = {
    "type": _Case._type,
    "enum": _Case._enum,
    "const": _Case._enum,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _Case._range),
    **dict.fromkeys((end + unit for end in ("min", "max") for unit in _UNITS), _Case._length),
    "pattern": _Case._pattern,
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), _Case._unknown_key),
    "required": _Case._required,
    "dependentRequired": _Case._dependent,
    **dict.fromkeys(("oneOf", "anyOf"), _Case._alternatives),
    "not": _Case._not,
    "uniqueItems": _Case._unique,
}
