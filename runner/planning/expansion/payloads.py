"""The requests of one arm to one model. What is the same in all of them is evaluated and serialized only once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from hashlib import sha256

from runner.manifest.json_values import mapping
from runner.manifest.pictures.media_files import MediaFiles, UnfitMediaError
from runner.manifest.schema.validation import validator
from runner.media import Medium, first_picture, media_replaced, parameters_of, with_first
from runner.model import Image, Json, ModelSchema, Variables, canonical_json, fingerprint, utf16
from runner.planning.expansion.arms import Arm
from runner.planning.expansion.evaluation import Context, Parameter, PlacedTemplateError
from runner.planning.templates.template_errors import TemplateDiagnostic

Failed = Callable[[Parameter, PlacedTemplateError], None]


class Payloads:
    """Payloads of an arm for a model, their validity and their fingerprints.

    `files` reads the media that the arm's own parameters name. Without `takes_images` the images of the manifest are
    not for this model.
    """

    def __init__(self, arm: Arm, schema: ModelSchema, files: MediaFiles, *, takes_images: bool = True) -> None:
        self.arm = arm
        self.schema = schema
        self.takes_images = takes_images
        self.is_valid = validator(schema.document).is_valid
        self._files = files
        self._first = first_picture(schema) if takes_images else None
        named = {each.name: each for each in arm.parameters}
        self._media = tuple(each for each in parameters_of(schema) if each.name in named)
        self._media_of = {each.name: named[each.name] for each in self._media}
        constants = {each.name: each.evaluate({}) for each in arm.parameters if each.is_constant and each.is_valid}
        self._varying = tuple(each for each in arm.parameters if each.name not in constants)
        first = () if self._first is None else (self._first.name,)
        varying = dict.fromkeys((*(each.name for each in self._varying), *first))
        # The parameters in display order. None is a placeholder for one that varies; a constant None is left out,
        # unless it is written so and the schema allows it.
        self._base = {
            name: value
            for name, value in {**schema.defaults, **constants, **varying}.items()
            if value is not None or name in varying
        }
        for name in first:
            self._base[name] = self._base.pop(name)
        self._text = _format(schema.name, self._base, {**varying, **dict.fromkeys(self._media_of)})
        self._length = next(
            (n for n, rules in schema.properties.items() if mapping(rules).get("x-seconds") is True), None
        )
        self._usual_length = mapping(schema.properties.get(self._length or "")).get("default")

    def payload(self, context: Context, image: Image, failed: Failed) -> dict[str, Json]:
        """Every parameter that is sent: the schema's defaults, overridden by the manifest. `none` leaves one out.

        `failed` is called for each parameter whose template fails, or whose file is not fit. It is left out.
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
            payload = self._with_references(payload, failed)
        if self._first is not None:
            payload = self._with_image(payload, image)
        return payload

    def _with_image(self, payload: dict[str, Json], image: Image) -> dict[str, Json]:
        first = self._first
        if first is None or (not image.reference and payload.get(first.name) is None):
            return {name: value for name, value in payload.items() if first is None or name != first.name}
        if not image.reference:
            return payload
        if len(first.steps) == 1 and payload[first.name] is None and not _is_list(self.schema, first.name):
            payload[first.name] = image.reference
            return payload
        return with_first(payload, first, self.schema, image.reference)

    def _with_references(self, payload: dict[str, Json], failed: Failed) -> dict[str, Json]:
        """The payload with references in place of the files that its parameters name."""
        wrong: dict[str, PlacedTemplateError] = {}

        def replaced(medium: Medium) -> Json:
            try:
                return self._files.reference(medium.text, medium.parameter)
            except UnfitMediaError as error:
                name = medium.parameter.name
                told = TemplateDiagnostic(error.code, f"{name}: {error.message}", error.hint, 0, 0)
                wrong[name] = PlacedTemplateError(told, self._media_of[name].place)
                return medium.text

        found = media_replaced(payload, self._media, replaced)
        for name, error in wrong.items():
            failed(self._media_of[name], error)
        return found

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


def _is_list(schema: ModelSchema, name: str) -> bool:
    return mapping(schema.properties.get(name)).get("type") == "array"


def _format(model: str, base: Variables, varying: Mapping[str, object]) -> tuple[str, list[str]]:
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
