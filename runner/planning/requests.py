"""The requests of one arm to one model. What is the same in all of them is evaluated, checked and written once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256

from runner.manifest.values import items, mapping
from runner.manifest.verdicts import ANNOTATIONS
from runner.manifest.wording import validator
from runner.model import Image, Json, ModelSchema, Variables, canonical_json, fingerprint, utf16
from runner.planning.arms import Arm, Context, FaultAt, Parameter
from runner.planning.tips import seconds_of

# Keywords of a payload's schema that are about each parameter by itself, or about which there are. With others, such as
# `oneOf` or `dependentRequired`, parameters are checked together.
_SEPARATE = frozenset(("type", "required", "additionalProperties", "properties"))


class Requests:
    """Payloads of an arm for a model, their validity and their fingerprints."""

    def __init__(self, arm: Arm, schema: ModelSchema) -> None:
        self.arm = arm
        self.schema = schema
        self._constants = schema.defaults
        self._constants.update({each.name: each.evaluate({}) for each in arm.parameters if each.is_constant})
        self._varying = tuple(each for each in arm.parameters if not each.is_constant)
        varying = dict.fromkeys((*(each.name for each in self._varying), "image"))
        # In the order in which they are shown; None keeps the place of what varies, and leaves out what is none.
        self._base = {
            name: value
            for name, value in {**self._constants, **varying}.items()
            if value is not None or name in varying
        }
        self._base["image"] = self._base.pop("image")
        self._text = _format(schema.name, self._base, varying)
        self._checks = _checks(schema.document, self._base, varying)
        self._length = next(
            (n for n, rules in schema.properties.items() if mapping(rules).get("x-seconds") is True), None
        )
        self._usual_length = mapping(schema.properties.get(self._length or "")).get("default")

    def payload(self, context: Context, image: Image, failed: Callable[[Parameter, FaultAt], None]) -> dict[str, Json]:
        """Every parameter that is sent: the schema's defaults, then the manifest's; `none` leaves one out.

        `failed` is told of each parameter whose template fails; it is left out.
        """
        payload = self._base.copy()
        for parameter in self._varying:
            try:
                value = parameter.evaluate(context)
            except FaultAt as fault:
                failed(parameter, fault)
                value = None
            if value is None:
                del payload[parameter.name]
            else:
                payload[parameter.name] = value
        payload["image"] = image.reference
        return payload

    def is_valid(self, payload: dict[str, Json]) -> bool:
        """Whether the model's schema has nothing against the payload."""
        if self._checks is None or len(payload) != len(self._base):
            return validator(self.schema.document).is_valid(payload)
        for name, check in self._checks:  # noqa: SIM110  # a generator takes longer than the checks
            if not check(payload[name]):
                return False
        return True

    def fingerprint(self, payload: Variables) -> str:
        """As `runner.model.fingerprint`, put together from what is the same in all requests and what varies."""
        if len(payload) != len(self._base):
            return fingerprint(self.schema.name, payload)
        text, names = self._text
        return sha256((text % tuple([canonical_json(payload[name]) for name in names])).encode()).hexdigest()

    def seconds(self, payload: Variables) -> float | None:
        """The asked length: the value of the parameter that the schema marks with x-seconds, or its default."""
        if self._length is None:
            return None
        return seconds_of(payload.get(self._length, self._usual_length))


def _format(model: str, base: Variables, varying: Mapping[str, None]) -> tuple[str, list[str]]:
    """The canonical JSON of a request with %s for what varies, and the names of that."""
    names = sorted(base, key=utf16)
    members = (f"{_literal(name)}:{'%s' if name in varying else _literal(base[name])}" for name in names)
    text = f'{{"model":{_literal(model)},"payload":{{{",".join(members)}}}}}'
    return text, [name for name in names if name in varying]


def _literal(value: Json) -> str:
    return canonical_json(value).replace("%", "%%")


def _checks(
    document: Mapping[str, Json], base: Variables, varying: Mapping[str, None]
) -> list[tuple[str, Callable[[Json], bool]]] | None:
    """How each parameter that varies is checked by itself; None where the whole payload has to be looked at."""
    properties = mapping(document.get("properties"))
    others = document.get("additionalProperties", True)
    is_separate = (
        set(document) <= _SEPARATE | ANNOTATIONS
        and isinstance(others, bool)
        and set(map(str, items(document.get("required")))) <= set(base)
        and (others or set(base) <= set(properties))
        and "$ref" not in json.dumps(properties)
    )
    if not is_separate:
        return None
    checks = {name: validator(mapping(properties[name])).is_valid for name in base if name in properties}
    if not all(check(base[name]) for name, check in checks.items() if name not in varying):
        return None
    if "image" in checks:
        # A picture is in a row of requests; what stands for it is always a text.
        checks["image"] = lru_cache(maxsize=1)(checks["image"])
    return [(name, check) for name, check in checks.items() if name in varying]
