"""The requests of one arm to one model. What is the same in all of them is evaluated and serialized only once."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from hashlib import sha256

from runner.manifest.json_values import mapping
from runner.manifest.pictures.media_files import MediaFiles, UnfitMediaError
from runner.manifest.schema.expectations import resolved, types
from runner.manifest.schema.validation import validator
from runner.media import Medium, first_picture, media_replaced, parameters_of, with_first
from runner.model import Image, Json, ModelSchema, Variables, canonical_json, fingerprint, utf16
from runner.planning.expansion.arms import Arm
from runner.planning.expansion.evaluation import Context, Parameter, PlacedTemplateError
from runner.planning.plan_diagnostics import Place

Failed = Callable[[Parameter, PlacedTemplateError], None]


class Payloads:
    """Payloads of an arm for a model, their validity and their fingerprints.

    `files` reads the media that the arm's own parameters name. Without `takes_images` the images of the manifest are
    not for this model. `sized` are the parameters whose pictures must be as large as another parameter says.
    """

    def __init__(self, arm: Arm, schema: ModelSchema, files: MediaFiles, *, takes_images: bool = True) -> None:
        self.arm = arm
        self.schema = schema
        self.takes_images = takes_images
        self.is_valid = validator(schema.document).is_valid
        self._files = files
        self.first = first_picture(schema) if takes_images else None
        self.sized = tuple(each for each in parameters_of(schema) if "sizeOf" in each.rules)
        self._given = {each.name: each for each in arm.parameters}
        self._media = tuple(each for each in parameters_of(schema) if each.name in self._given)
        constants = {each.name: each.evaluate({}) for each in arm.parameters if each.is_constant}
        self._varying = tuple(each for each in arm.parameters if not each.is_constant)
        varying: dict[str, Json] = dict.fromkeys(each.name for each in self._varying)
        # The parameters in display order. None is a placeholder for one that varies. Another None is left out, unless
        # it is written so and the schema has it.
        nulls = {each.name for each in arm.parameters if each.is_null and _takes_null(schema, each.name)}
        self._base = {
            name: value
            for name, value in {**schema.defaults, **constants, **varying}.items()
            if value is not None or name in varying or name in nulls
        }
        if self.first is not None:
            self._base[self.first.name] = self._base.pop(self.first.name, None)
            varying[self.first.name] = None
        # The parameter that is the first picture itself, as in most models: nothing has to be made around it.
        self._plain = self._plain_first()
        self._text = _format(schema.name, self._base, {*varying, *(each.name for each in self._media)})
        # The parameters that say how long the video is, with their defaults.
        self._lengths = {
            name: mapping(rules).get("default")
            for name, rules in schema.properties.items()
            if mapping(rules).get("x-seconds") is True
        }

    def payload(self, context: Context, image: Image, failed: Failed) -> dict[str, Json]:
        """Every parameter that is sent: the schema's defaults, overridden by the manifest. `none` leaves one out.

        `failed` is called for each template that fails, and for each file that is not fit. The parameter is left out.
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
        if self._media:
            payload = media_replaced(payload, self._media, lambda medium: self._reference(medium, failed))
        if self._plain is not None:
            payload[self._plain] = image.reference
            return payload
        return payload if self.first is None else with_first(payload, self.first, self.schema, image.reference)

    def _plain_first(self) -> str | None:
        if self.first is None or self.first.name in self._given:
            return None
        return self.first.name if with_first({}, self.first, self.schema, "") == {self.first.name: ""} else None

    def _reference(self, medium: Medium, failed: Failed) -> str:
        """What stands for a file that a parameter names. The text stays where it is not fit."""
        try:
            return self._files.reference(medium.text, medium.parameter)
        except UnfitMediaError as error:
            given = self._given[medium.parameter.name]
            place = Place((*given.place.route, *medium.route[1:]))
            message = f"{medium.parameter.name} {error.message}"
            failed(given, PlacedTemplateError.of_value(error.code, message, error.hint, place))
            return medium.text

    def fingerprint(self, payload: Variables) -> str:
        """The same as `runner.model.fingerprint`, but faster: only what varies between requests is serialized."""
        if len(payload) != len(self._base):
            return fingerprint(self.schema.name, payload)
        text, names = self._text
        return sha256((text % tuple([canonical_json(payload[name]) for name in names])).encode()).hexdigest()

    def seconds(self, payload: Variables) -> float | None:
        """The requested length: the first of the parameters marked with x-seconds that is sent, or has a default."""
        lengths = (seconds_of(payload.get(name, usual)) for name, usual in self._lengths.items())
        return next((each for each in lengths if each is not None), None)


def _takes_null(schema: ModelSchema, name: str) -> bool:
    return "null" in types(resolved(schema.properties.get(name), schema.document))


def _format(model: str, base: Variables, varying: Collection[str]) -> tuple[str, list[str]]:
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
        seconds = float(str(value).removesuffix("s")) if isinstance(value, (str, int, float)) else math.nan
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None
