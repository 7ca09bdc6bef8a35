"""Portable parameters: one name for what every model calls otherwise, in each model's own words and types."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from runner.diagnostics.words import joined, literal
from runner.manifest.json_values import items, mapping
from runner.model import Json, ModelSchema
from runner.planning.expansion.evaluation import Context, Parameter, PlacedTemplateError
from runner.planning.templates.template_errors import TemplateDiagnostic


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


def ported(portable: Mapping[str, Parameter], schema: ModelSchema) -> dict[str, Parameter]:
    """The parameters of a model that the portable ones give, by the model's names."""
    found: dict[str, Parameter] = {}
    for port in ports_of(schema):
        given = [portable[name] for name in port.of if name in portable]
        if given:
            templates = tuple(chain.from_iterable(each.templates for each in given))
            evaluate = partial(_evaluated, port, {each.name: each for each in given})
            is_valid = all(each.is_valid for each in given)
            found[port.name] = Parameter(port.name, evaluate, given[0].place, templates, is_valid)
    return found


def left_out(names: Sequence[str], schema: ModelSchema) -> list[str]:
    """Those of these portable names that the model has no parameter for."""
    known = {name for port in ports_of(schema) for name in port.of}
    return [name for name in names if name not in known]


def _evaluated(port: Port, given: Mapping[str, Parameter], context: Context) -> Json:
    """The model's value. Raises PlacedTemplateError for one that the model does not offer."""
    values = {name: each.evaluate(context) for name, each in given.items()}
    if all(value is None for value in values.values()):
        return None
    if not port.words:
        (value,) = values.values()
        return _converted(value, port.rules)
    usual = _usual(port)
    asked = " ".join(usual.get(name, "") if values.get(name) is None else _text(values[name]) for name in port.of)
    if asked in port.words:
        return port.words[asked]
    offered = joined(map(literal, port.words), "and", limit=8)
    message = f"{port.name} of this model has nothing for {asked}"
    hint = f"the nearest is {literal(_nearest(asked, port.words))}; it offers {offered}"
    raise PlacedTemplateError(TemplateDiagnostic("E323", message, hint, 0, 0), next(iter(given.values())).place)


def _usual(port: Port) -> dict[str, str]:
    """What the default of the parameter is in portable values."""
    default = port.rules.get("default")
    known = next((word for word, value in port.words.items() if value == default), "")
    return dict(zip(port.of, known.split(" "), strict=False))


def _text(value: Json) -> str:
    """A portable value as the key of a word."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value).strip().lower()


def _converted(value: Json, rules: Mapping[str, Json]) -> Json:
    """A value in the type of the parameter, where it can be; else as it is, for the schema to refuse."""
    types = rules.get("type")
    kinds = {types} if isinstance(types, str) else set(map(str, items(types)))
    if isinstance(value, (int, float)) and not isinstance(value, bool) and "string" in kinds:
        return f"{value:g}"
    if isinstance(value, str) and kinds & {"integer", "number"} and "string" not in kinds:
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() and "integer" in kinds else number
    return int(value) if isinstance(value, float) and value.is_integer() and "integer" in kinds else value


def _nearest(asked: str, words: Mapping[str, Json]) -> str:
    """The word whose numbers are closest to those asked for, else the first."""
    return min(words, key=lambda word: _distance(_numbers(asked), _numbers(word)))


def _numbers(text: str) -> list[float]:
    digits = "".join(sign if sign.isdigit() or sign == "." else " " for sign in text)
    return [float(each) for each in digits.split() if each.count(".") < 2 and each != "."]


def _distance(left: Sequence[float], right: Sequence[float]) -> float:
    if len(left) != len(right):
        return math.inf
    return sum(abs(math.log((one + 1) / (other + 1))) for one, other in zip(left, right, strict=True))
