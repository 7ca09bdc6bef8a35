"""How a model at the service differs from the schema that requests to it are checked against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.api.models.model_records import ModelRecord, ToldParameter
from runner.manifest.json_values import items
from runner.manifest.schema.expectations import resolved
from runner.model import Json, ModelSchema


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """One difference, in words. `is_risk`: a request that the schema takes may be refused, or read otherwise."""

    text: str
    is_risk: bool


def differences(schema: ModelSchema, record: ModelRecord) -> Iterator[SchemaDifference]:
    """Parameters, options, ranges and defaults that differ. A service that tells no parameters differs in none."""
    told = {each.name: each for each in record.parameters}
    required = set(items(schema.document.get("required")))
    for name in schema.properties.keys() - told.keys() if told else ():
        yield SchemaDifference(f"the service does not know {name}", is_risk=True)
    for name, each in told.items():
        rules = resolved(schema.properties.get(name), schema.document)
        if name not in schema.properties:
            yield SchemaDifference(f"the service has {name}, the schema has not", is_risk=each.is_required)
            continue
        if each.is_required and name not in required:
            yield SchemaDifference(f"the service requires {name}", is_risk="default" not in rules)
        yield from _options(name, rules, each)
        yield from _range(name, rules, each)
        yield from _default(name, rules, each)


def _options(name: str, rules: Mapping[str, Json], told: ToldParameter) -> Iterator[SchemaDifference]:
    ours, theirs = [str(each) for each in items(rules.get("enum"))], [str(each) for each in told.options]
    if not ours or not theirs:
        return
    for each in ours:
        if each not in theirs:
            yield SchemaDifference(f"{name}: the service offers {each} no more", is_risk=True)
    new = [each for each in theirs if each not in ours]
    if new:
        yield SchemaDifference(f"{name}: the service offers {', '.join(new)}, too", is_risk=False)


def _range(name: str, rules: Mapping[str, Json], told: ToldParameter) -> Iterator[SchemaDifference]:
    for word, theirs, is_least in (("minimum", told.least, True), ("maximum", told.most, False)):
        ours = rules.get(word)
        if theirs is None or not isinstance(ours, int | float) or ours == theirs:
            continue
        is_narrower = theirs > ours if is_least else theirs < ours
        yield SchemaDifference(f"{name}: the {word} is {theirs:g} at the service, {ours:g} here", is_risk=is_narrower)


def _default(name: str, rules: Mapping[str, Json], told: ToldParameter) -> Iterator[SchemaDifference]:
    """Our default is sent, so that another one at the service changes no request that was bought here."""
    ours = rules.get("default")
    if told.default is not None and ours is not None and str(told.default).lower() != str(ours).lower():
        said = f"{name}: the default is {told.default} at the service; here {ours} is sent"
        yield SchemaDifference(said, is_risk=False)
