"""The advice in a model's schema, which goes beyond what is valid. It is written in custom keywords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.manifest.json_values import items, mapping
from runner.manifest.schema.expectations import allowed
from runner.model import Json, ModelSchema
from runner.planning.expansion.payloads import seconds_of

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ModelTips:
    """The advice on the parameters of a model.

    `ranges` are the recommended values, by parameter and purpose (`x-tips`). `length` is the name of the parameter for
    the video's length (`x-seconds`). `longest` is its value for the longest video; None if all are equally long.
    """

    ranges: Mapping[str, Mapping[str, Range]]
    length: str = ""
    longest: Json = None

    @classmethod
    def of(cls, schema: ModelSchema) -> ModelTips:
        """The advice in a schema that `read_model` has checked."""
        rules = {name: mapping(each) for name, each in schema.properties.items()}
        ranges = {name: _ranges(each.get("x-tips")) for name, each in rules.items() if each.get("x-tips")}
        length = next((name for name, each in rules.items() if each.get("x-seconds") is True), "")
        return cls(ranges, length, _longest(rules[length]) if length else None)


def _ranges(tips: Json) -> dict[str, Range]:
    found = {
        purpose: [each for each in items(ends) if isinstance(each, (int, float))]
        for purpose, ends in mapping(tips).items()
    }
    return {purpose: (ends[0], ends[1]) for purpose, ends in found.items()}


def _longest(rules: Mapping[str, Json]) -> Json:
    values = allowed(rules) or (rules.get("minimum"), rules.get("maximum"))
    lengths = {seconds: value for value in values if (seconds := seconds_of(value)) is not None}
    return lengths[max(lengths)] if len(lengths) > 1 else None
