"""The requests of one arm to one model. What is the same in all of them is evaluated and serialized only once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from hashlib import sha256

from runner.manifest.json_values import mapping
from runner.manifest.schema.validation import validator
from runner.media import FIRST_PICTURE
from runner.model import Image, Json, ModelSchema, Variables, canonical_json, fingerprint, utf16
from runner.planning.expansion.arms import Arm, Context, Parameter, PlacedTemplateError


class Payloads:
    """Payloads of an arm for a model, their validity and their fingerprints."""

    def __init__(self, arm: Arm, schema: ModelSchema) -> None:
        self.arm = arm
        self.schema = schema
        self.is_valid = validator(schema.document).is_valid
        constants = {each.name: each.evaluate({}) for each in arm.parameters if each.is_constant}
        self._varying = tuple(each for each in arm.parameters if not each.is_constant)
        varying = dict.fromkeys((*(each.name for each in self._varying), FIRST_PICTURE))
        # The parameters in display order. None is a placeholder for one that varies; a constant None is left out.
        self._base = {
            name: value
            for name, value in {**schema.defaults, **constants, **varying}.items()
            if value is not None or name in varying
        }
        self._base[FIRST_PICTURE] = self._base.pop(FIRST_PICTURE)
        self._text = _format(schema.name, self._base, varying)
        self._length = next(
            (n for n, rules in schema.properties.items() if mapping(rules).get("x-seconds") is True), None
        )
        self._usual_length = mapping(schema.properties.get(self._length or "")).get("default")

    def payload(
        self, context: Context, image: Image, failed: Callable[[Parameter, PlacedTemplateError], None]
    ) -> dict[str, Json]:
        """Every parameter that is sent: the schema's defaults, overridden by the manifest. `none` leaves one out.

        `failed` is called for each parameter whose template fails. That parameter is left out.
        """
        payload = self._base.copy()
        for parameter in self._varying:
            try:
                value = parameter.evaluate(context)
            except PlacedTemplateError as error:
                failed(parameter, error)
                value = None
            if value is None:
                del payload[parameter.name]
            else:
                payload[parameter.name] = value
        payload[FIRST_PICTURE] = image.reference
        return payload

    def fingerprint(self, payload: Variables) -> str:
        """The same as `runner.model.fingerprint`, but faster: only what varies between requests is serialized."""
        if len(payload) != len(self._base):
            return fingerprint(self.schema.name, payload)
        text, names = self._text
        return sha256((text % tuple([canonical_json(payload[name]) for name in names])).encode()).hexdigest()

    def seconds(self, payload: Variables) -> float | None:
        """The requested length: the value of the parameter that the schema marks with x-seconds, or its default."""
        if self._length is None:
            return None
        return seconds_of(payload.get(self._length, self._usual_length))


def _format(model: str, base: Variables, varying: Mapping[str, None]) -> tuple[str, list[str]]:
    """The canonical JSON of a request with %s for each value that varies, and the names of these values."""
    names = sorted(base, key=utf16)
    members = (f"{_literal(name)}:{'%s' if name in varying else _literal(base[name])}" for name in names)
    text = f'{{"model":{_literal(model)},"payload":{{{",".join(members)}}}}}'
    return text, [name for name in names if name in varying]


def _literal(value: Json) -> str:
    return canonical_json(value).replace("%", "%%")


def seconds_of(value: Json) -> float | None:
    """The length that a value of the parameter asks for, in seconds; None if the value is not a length."""
    try:
        seconds = float(value) if isinstance(value, (str, int, float)) else math.nan
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None
