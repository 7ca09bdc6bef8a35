"""Portable parameters: one name for what every model calls otherwise, in each model's own words and types."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import gt, lt

from runner.diagnostics.words import joined, literal
from runner.manifest.json_values import items, mapping
from runner.manifest.schema.expectations import allowed, bounds, types
from runner.model import Json, ModelSchema, same_value
from runner.planning.expansion.evaluation import Context, Parameter, PlacedTemplateError


@dataclass(frozen=True, slots=True)
class Port:
    """How a parameter of a model is given: `of` are portable names, and `words` the model's word for each value.

    Without words the value is converted to the parameter's type. Where `of` has several names, a word is for their
    values with blanks between them.
    """

    name: str
    of: tuple[str, ...]
    words: Mapping[str, Json]
    rules: Mapping[str, Json]


def ports_of(schema: ModelSchema) -> Iterator[Port]:
    """The parameters of a model that have portable names: the keyword `x-portable` of its schema."""
    for name, rules in schema.properties.items():
        told = mapping(rules).get("x-portable")
        of = told if isinstance(told, str) else mapping(told).get("of")
        names = (of,) if isinstance(of, str) else tuple(map(str, items(of)))
        if names:
            yield Port(name, names, mapping(mapping(told).get("words")), mapping(rules))


def ported(portable: Mapping[str, Parameter], schema: ModelSchema) -> Iterator[Parameter]:
    """The parameters of a model that the portable ones give."""
    for port in ports_of(schema):
        given = {name: portable[name] for name in port.of if name in portable}
        if given:
            templates = tuple(chain.from_iterable(each.templates for each in given.values()))
            place = next(iter(given.values())).place
            is_valid = all(each.is_valid for each in given.values())
            yield Parameter(port.name, partial(_evaluated, port, schema.name, given), place, templates, is_valid)


def left_out(names: Sequence[str], schema: ModelSchema) -> list[str]:
    """Those of these portable names that the model has no parameter for."""
    known = {name for port in ports_of(schema) for name in port.of}
    return [name for name in names if name not in known]


def _evaluated(port: Port, model: str, given: Mapping[str, Parameter], context: Context) -> Json:
    """The model's value. Raises PlacedTemplateError for one that the model does not offer."""
    values = {name: value for name, each in given.items() if (value := each.evaluate(context)) is not None}
    if not values:
        return None
    found = _spoken(port, values) if port.words else _offered(_converted(next(iter(values.values())), port.rules), port)
    if isinstance(found, _Unoffered):
        asked = " ".join(f"{name} {literal(value)}" for name, value in values.items())
        place = next(iter(given.values())).place
        raise PlacedTemplateError.of_value("E323", f"{model} does not offer {asked}", found.hint, place)
    return found


@dataclass(frozen=True, slots=True)
class _Unoffered:
    """A value that a model does not offer."""

    hint: str


def _spoken(port: Port, values: Mapping[str, Json]) -> Json | _Unoffered:
    """The model's word for portable values. What is not given is as in the model's default."""
    usual = next((key for key, word in port.words.items() if word == port.rules.get("default")), "")
    wanted = {**_parts(port, usual), **{name: _text(value) for name, value in values.items()}}
    fitting = [key for key in port.words if _parts(port, key).items() >= wanted.items()]
    if len(fitting) == 1:
        return port.words[fitting[0]]
    if fitting:
        missing = joined((name for name in port.of if name not in wanted), "and")
        return _Unoffered(f"give {missing}, too: it offers {joined(fitting, 'and', limit=8)}")
    asked = _numbers(" ".join(wanted.get(name, "") for name in port.of))
    nearest = min(port.words, key=lambda key: _distance(asked, _numbers(key)))
    return _Unoffered(f"the nearest is {nearest}; it offers {joined(port.words, 'and', limit=8)}")


def _parts(port: Port, key: str) -> dict[str, str]:
    """The portable values in the key of a word."""
    return dict(zip(port.of, key.split(" ") if len(port.of) > 1 else [key], strict=False)) if key else {}


def _text(value: Json) -> str:
    """A portable value as the key of a word has it."""
    return str(_plain(value)).strip().lower()


def _plain(value: Json) -> Json:
    """A number without a fraction as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _converted(value: Json, rules: Mapping[str, Json]) -> Json:
    """A value in the type of the parameter, where it can be; else as it is, for the schema to refuse."""
    kinds = set(types(rules))
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        plain = _plain(value)
        return str(plain) if kinds & {"string"} and not kinds & {"integer", "number"} else plain
    if isinstance(value, str) and kinds & {"integer", "number"} and "string" not in kinds:
        try:
            return _plain(float(value)) if math.isfinite(float(value)) else value
        except ValueError:
            return value
    return value


def _offered(value: Json, port: Port) -> Json | _Unoffered:
    """The value, if the parameter allows it. What is wrong in another way is left to the schema."""
    rules, listed = port.rules, allowed(port.rules)
    if listed:
        if any(same_value(value, each) for each in listed):
            return value
        nearest = min(listed, key=lambda each: _distance(_numbers(str(value)), _numbers(str(each))))
        return _Unoffered(f"the nearest is {literal(nearest)}; it offers {joined(map(literal, listed), 'and')}")
    for bound, is_beyond in (("minimum", lt), ("maximum", gt)):
        limit = rules.get(bound)
        if isinstance(value, (int, float)) and isinstance(limit, (int, float)) and is_beyond(value, limit):
            return _Unoffered(f"the nearest is {literal(limit)}; it offers numbers {bounds(rules)}")
    return value


def _numbers(text: str) -> list[float]:
    return [float(each) for each in re.findall(r"[0-9]+(?:\.[0-9]+)?", text)]


def _distance(left: Sequence[float], right: Sequence[float]) -> float:
    """How far apart numbers are, whatever their size; without end where they are not as many."""
    if len(left) != len(right):
        return math.inf
    return sum(abs(math.log((one + 1) / (other + 1))) for one, other in zip(left, right, strict=True))
