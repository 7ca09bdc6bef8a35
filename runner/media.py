"""The media of a payload: pictures, videos and sounds. This is the one walk over a payload that finds them.

A model's schema says with the keyword `x-media` which parameters take media, at any depth. In a payload that is hashed,
stored or shown a file stands as `sha256:<hex>` of its bytes; an address stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from runner.model import Json, ModelSchema, Route, Variables

_REFERENCE = re.compile(r"sha256:[0-9a-f]{64}")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# Base64 of a file, with or without the prefix of a data URI. A text of people has blanks, or is shorter.
_ENCODED = re.compile(r"(?:data:[\w/+.;=-]{0,100},)?[A-Za-z0-9+/=\r\n]{128,}")
# The step to each item of a list.
EACH = "[]"
# The roles whose first parameter takes the images of a manifest, where none has the role `first`.
_OTHER_FIRST = ("reference", "source")
# What takes the picture in a schema that says nothing of media, as in those of the first models.
_USUAL = frozenset(("image",))
_BRANCHES = ("anyOf", "oneOf", "allOf")


class MediaKind(StrEnum):
    """What a media parameter takes."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class Encoding(StrEnum):
    """How a file travels: as an address, as plain Base64, or as a data URI."""

    URL = "url"
    BASE64 = "base64"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class MediaParameter:
    """A place of a payload that takes media.

    `steps` lead to it from the payload: the names of members, and EACH for every item of a list. `rules` are what the
    schema says of it: the keyword `x-media`, or `x-image`, its old name for the first picture.
    """

    steps: tuple[str, ...]
    kind: MediaKind
    role: str
    rules: Mapping[str, Json]

    @property
    def name(self) -> str:
        """The parameter of the payload that holds it."""
        return self.steps[0]

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """How it may be sent, the preferred way first."""
        told = self.rules.get("encodings")
        known = [Encoding(str(each)) for each in told] if isinstance(told, Sequence) else []
        return tuple(known) or (Encoding.URL, Encoding.BASE64)


@dataclass(frozen=True, slots=True)
class Medium:
    """A text of a payload that stands for a file or an address: where it is, and the parameter that takes it."""

    route: Route
    text: str
    parameter: MediaParameter

    @property
    def is_file(self) -> bool:
        return is_reference(self.text)


def is_reference(text: str) -> bool:
    """Whether a text stands for a file by its hash."""
    return _REFERENCE.fullmatch(text) is not None


def parameters_of(schema: ModelSchema) -> tuple[MediaParameter, ...]:
    """The media parameters of a model, in the order of its schema."""
    found = tuple(_below(schema.document, (), schema.document, frozenset()))
    return found or tuple(
        MediaParameter((name,), MediaKind.IMAGE, "first", {}) for name in _USUAL & schema.properties.keys()
    )


def first_picture(schema: ModelSchema) -> MediaParameter | None:
    """The parameter that the images of a manifest fill; None if the model takes no picture."""
    pictures = [each for each in parameters_of(schema) if each.kind is MediaKind.IMAGE]
    for role in ("first", *_OTHER_FIRST):
        for each in pictures:
            if each.role == role:
                return each
    return None


def media_of(payload: Variables, parameters: Sequence[MediaParameter]) -> Iterator[Medium]:
    """Every text of a payload that stands for media."""
    for parameter in parameters:
        for route, text in _texts(payload, parameter.steps, ()):
            yield Medium(route, text, parameter)


def media_replaced(
    payload: Variables, parameters: Sequence[MediaParameter], replace: Callable[[Medium], Json]
) -> dict[str, Json]:
    """The payload with other values in place of its media."""
    result: Json = payload
    for each in list(media_of(payload, parameters)):
        result = _with(result, each.route, replace(each))
    return dict(result) if isinstance(result, Mapping) else {}


def media_names(payload: Variables, parameters: Sequence[MediaParameter] | None) -> frozenset[str]:
    """The parameters of a payload that hold media.

    What may be media counts as such, too: files and addresses. The schema of a model may be gone, or not say it.
    """
    told = frozenset(str(each.route[0]) for each in media_of(payload, parameters or ()))
    return told | {name for name, value in payload.items() if any(map(_may_be_media, _every_text(value)))}


def encoded_replaced(value: Json, replace: Callable[[str], str]) -> Json:
    """A value with other texts in place of all that is a file in Base64, at any depth."""
    if isinstance(value, str):
        return replace(value) if _ENCODED.fullmatch(value) else value
    if isinstance(value, Mapping):
        return {name: encoded_replaced(each, replace) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [encoded_replaced(each, replace) for each in value]
    return value


def with_first(payload: Variables, parameter: MediaParameter, schema: ModelSchema, text: str) -> dict[str, Json]:
    """The payload with `text` in its first picture. Where that is in a list, what the payload has there follows it."""
    name = parameter.name
    made = _made(parameter.steps[1:], schema.properties.get(name), text)
    given = payload.get(name)
    if isinstance(made, list) and given is not None:
        made += given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    return {**{each: value for each, value in payload.items() if each != name}, name: made}


def _made(steps: tuple[str, ...], rules: Json, text: str) -> Json:
    """The value that has `text` at these steps, and of the other members those that the schema fixes."""
    document = rules if isinstance(rules, Mapping) else {}
    if not steps:
        return [text] if document.get("type") == "array" else text
    if steps[0] == EACH:
        return [_made(steps[1:], document.get("items"), text)]
    members = document.get("properties")
    members = members if isinstance(members, Mapping) else {}
    fixed = {name: _fixed(each) for name, each in members.items() if name != steps[0] and _fixed(each) is not None}
    return {steps[0]: _made(steps[1:], members.get(steps[0]), text), **fixed}


def _fixed(rules: Json) -> Json:
    return rules.get("const", rules.get("default")) if isinstance(rules, Mapping) else None


def _below(
    rules: Json, steps: tuple[str, ...], root: Mapping[str, Json], passed: frozenset[str]
) -> Iterator[MediaParameter]:
    """The media parameters of a part of a schema. `passed` are the references that led here: a circle ends."""
    if not isinstance(rules, Mapping):
        return
    told, old = rules.get("x-media"), rules.get("x-image")
    if steps and isinstance(told, Mapping):
        yield MediaParameter(steps, MediaKind(str(told.get("kind", "image"))), str(told.get("role", "source")), told)
        return
    if steps and isinstance(old, Mapping):
        yield MediaParameter(steps, MediaKind.IMAGE, "first", old)
        return
    members = rules.get("properties")
    inner = [(each, (*steps, name)) for name, each in members.items()] if isinstance(members, Mapping) else []
    inner.append((rules.get("items"), (*steps, EACH)))
    inner += [(each, steps) for word in _BRANCHES for each in _listed(rules.get(word))]
    found = [each for part, way in inner for each in _below(part, way, root, passed)]
    target = rules.get("$ref")
    if isinstance(target, str) and target not in passed:
        found += _below(_resolved(target, root), steps, root, passed | {target})
    once: dict[tuple[str, ...], MediaParameter] = {}
    for each in found:
        once.setdefault(each.steps, each)
    yield from once.values()


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _resolved(target: str, root: Mapping[str, Json]) -> Json:
    """What a reference within the schema leads to; None for any other one."""
    value: Json = root if target.startswith("#") else None
    for step in filter(None, target.removeprefix("#").split("/")):
        value = value.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(value, Mapping) else None
    return value


def _texts(value: Json, steps: tuple[str, ...], route: Route) -> Iterator[tuple[Route, str]]:
    if isinstance(value, str):
        # Where a text or a list is allowed, a text is a list of one.
        if all(step == EACH for step in steps):
            yield route, value
    elif isinstance(value, Mapping):
        if steps and steps[0] in value:
            yield from _texts(value[steps[0]], steps[1:], (*route, steps[0]))
    elif isinstance(value, Sequence):
        rest = steps[1:] if steps and steps[0] == EACH else steps
        for index, each in enumerate(value) if not rest or rest is not steps else ():
            yield from _texts(each, rest, (*route, index))


def _with(value: Json, route: Route, new: Json) -> Json:
    """A copy of a value that has `new` at a route."""
    if not route:
        return new
    step, *rest = route
    if isinstance(value, Mapping):
        return {name: _with(each, tuple(rest), new) if name == step else each for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_with(each, tuple(rest), new) if index == step else each for index, each in enumerate(value)]
    return value


def _every_text(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, Sequence)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _every_text(each)


@lru_cache(maxsize=1024)
def _may_be_media(text: str) -> bool:
    return is_reference(text) or _ADDRESS.match(text) is not None
