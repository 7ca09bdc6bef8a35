"""What models can do, in one line each: read from their schemas."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from runner.manifest.json_values import items, mapping
from runner.manifest.schema.model_schemas import shipped_schema
from runner.media import MediaKind, parameters_of
from runner.model import Json, ModelSchema
from runner.shipped import shipped_models

_KINDS = {MediaKind.VIDEO: "video", MediaKind.AUDIO: "sound"}


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What a model takes and makes. `takes` has `text`, the roles of pictures, `video` and `sound`.

    `seconds` are the lengths that it offers, `price` the list price, which is never counted.
    `uncertain` are parameters whose page contradicts itself.
    """

    id: str
    takes: tuple[str, ...]
    seconds: tuple[float, ...]
    aspect_ratios: tuple[str, ...]
    resolutions: tuple[str, ...]
    sound: bool
    price: str
    source: str
    seen: str
    uncertain: tuple[str, ...]

    @classmethod
    def of(cls, schema: ModelSchema) -> ModelSummary:
        document = schema.document
        return cls(
            schema.name,
            tuple(_takes(schema)),
            tuple(_seconds(schema)),
            tuple(_offers(schema, "aspect_ratio")),
            tuple(_offers(schema, "resolution")),
            any("sound" in _portable(mapping(rules)) for rules in schema.properties.values()),
            page_price(schema),
            str(document.get("x-source", "")),
            str(document.get("x-seen", "")),
            tuple(map(str, items(document.get("x-uncertain")))),
        )

    def has(self, wanted: Iterable[str], seconds: float | None) -> bool:
        """Whether it takes all that is wanted (`sound` may also be made) and offers this length."""
        is_fitting = all(each in self.takes or (each == "sound" and self.sound) for each in wanted)
        return is_fitting and (seconds is None or seconds in self.seconds)


def shipped_summaries() -> Iterator[ModelSummary]:
    """Every model that ships with the project."""
    return (ModelSummary.of(shipped_schema(model)) for model in shipped_models())


def _takes(schema: ModelSchema) -> Iterator[str]:
    if "prompt" in schema.properties:
        yield "text"
    found = dict.fromkeys(_KINDS.get(each.kind, each.role) for each in parameters_of(schema))
    yield from (each for each in ("first", "last", "reference", "source", "video", "sound") if each in found)


def _seconds(schema: ModelSchema) -> list[float]:
    rules = next((mapping(each) for each in schema.properties.values() if mapping(each).get("x-seconds") is True), {})
    told = [_number(each) for each in items(rules.get("enum"))]
    listed = [each for each in told if each is not None]
    least, most = rules.get("minimum"), rules.get("maximum")
    if not listed and isinstance(least, int) and isinstance(most, int):
        listed = [float(each) for each in range(least, most + 1)]
    return sorted(set(listed))


def _number(value: Json) -> float | None:
    try:
        number = float(str(value).removesuffix("s"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _portable(rules: Mapping[str, Json]) -> tuple[str, ...]:
    told = rules.get("x-portable")
    of = told if isinstance(told, str) else mapping(told).get("of")
    return (of,) if isinstance(of, str) else tuple(map(str, items(of)))


def _offers(schema: ModelSchema, name: str) -> list[str]:
    """The values of a portable parameter that a model offers, in portable words where it has such."""
    found: dict[str, None] = {}
    for each in schema.properties.values():
        rules = mapping(each)
        of = _portable(rules)
        if name not in of:
            continue
        words = mapping(mapping(rules.get("x-portable")).get("words"))
        values = [word.split(" ")[of.index(name)] for word in words] or list(map(str, items(rules.get("enum"))))
        found.update(dict.fromkeys(values))
    return list(found)


def page_price(schema: ModelSchema) -> str:
    """The price that the page of a model told, in words. The schema has it in millionths of a dollar, with its unit."""
    told = mapping(schema.document.get("x-price"))
    amount, unit = told.get("amount"), told.get("unit")
    if not isinstance(amount, int):
        return ""
    note = f" ({told['note']})" if "note" in told else ""
    return f"${amount / 1_000_000:g} a {unit}{note}"
