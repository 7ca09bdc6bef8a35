"""The media of a payload: pictures, videos and sounds. This is the one walk over a payload that finds them.

A model's schema says with the keyword `x-media` which parameters take media, at any depth. In a payload that is hashed,
stored or shown a file stands as `sha256:<hex>` of its bytes; an address stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from runner.model import Image, Json, ModelSchema, Route, Variables

_REFERENCE = re.compile(r"sha256:[0-9a-f]{64}")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# Base64 of a file, with or without the prefix of a data URI. A text of people has blanks, or is shorter.
_ENCODED = re.compile(r"(?:data:[\w/+.;=-]{0,100},)?[A-Za-z0-9+/=\r\n]{128,}")
# The step to each item of a list.
EACH = "[]"
# The roles whose first parameter takes the images of a manifest, where none has the role `first`.
_OTHER_FIRST = ("reference", "source")
# The roles of the pictures that a clip begins and ends with.
FIRST, LAST = "first", "last"
_FORMS = ("anyOf", "oneOf", "allOf")
KEYWORD, OLD_KEYWORD = "x-media", "x-image"


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
    schema says of it.
    """

    steps: tuple[str, ...]
    rules: Mapping[str, Json]

    @property
    def name(self) -> str:
        """The parameter of the payload that holds it."""
        return self.steps[0]

    @property
    def kind(self) -> MediaKind:
        return MediaKind(str(self.rules.get("kind", MediaKind.IMAGE)))

    @property
    def role(self) -> str:
        return str(self.rules.get("role", "source"))

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """How it may be sent, the preferred way first."""
        told = self.rules.get("encodings")
        known = [Encoding(str(each)) for each in told] if isinstance(told, Sequence) else []
        return tuple(known) or (Encoding.URL, Encoding.BASE64)

    @property
    def inline(self) -> Encoding | None:
        """How a file is put into a request; None if only addresses are taken."""
        return next((each for each in self.encodings if each is not Encoding.URL), None)


# The picture of a schema that says nothing of media, as those of the first models.
USUAL_PICTURE = MediaParameter(("image",), {"kind": "image", "role": "first"})


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


def declared(document: Mapping[str, Json]) -> Iterator[tuple[tuple[str, ...], str, Json]]:
    """Each place of a schema with a keyword for media: the steps to it, the keyword, and what it says."""
    once: set[tuple[str, ...]] = set()
    for steps, keyword, told in _below(document, (), document, frozenset()):
        if steps not in once:
            once.add(steps)
            yield steps, keyword, told


@lru_cache(maxsize=256)
def parameters_of(schema: ModelSchema) -> tuple[MediaParameter, ...]:
    """The media parameters of a model, in the order of its schema."""
    found = tuple(
        MediaParameter(steps, told if keyword == KEYWORD else {**USUAL_PICTURE.rules, **told})
        for steps, keyword, told in declared(schema.document)
        if isinstance(told, Mapping)
    )
    return found or tuple(each for each in (USUAL_PICTURE,) if each.name in schema.properties)


def first_picture(schema: ModelSchema) -> MediaParameter | None:
    """The parameter that the images of a manifest fill; None if the model takes no picture."""
    pictures = [each for each in parameters_of(schema) if each.kind is MediaKind.IMAGE]
    firsts = [each for each in pictures if each.role == "first"]
    return next(iter(firsts or [each for each in pictures if each.role in _OTHER_FIRST]), None)


def media_of(payload: Variables, parameters: Iterable[MediaParameter]) -> Iterator[Medium]:
    """Every text of a payload that stands for media, each once."""
    seen: set[Route] = set()
    for parameter in parameters:
        for route, text in _texts(payload, parameter.steps, ()):
            if route not in seen:
                seen.add(route)
                yield Medium(route, text, parameter)


def end_pictures(payload: Variables, schema: ModelSchema | None, files: Mapping[str, Image]) -> dict[str, Image]:
    """The pictures that a clip is to begin and to end with, by FIRST and LAST; `files` has those that are known.

    A picture that is only a reference for the style of a clip is none of them.
    """
    found: dict[str, Image] = {}
    for each in media_of(payload, parameters_of(schema) if schema else (USUAL_PICTURE,)):
        is_known = each.parameter.kind is MediaKind.IMAGE and each.text in files
        if is_known and each.parameter.role in (FIRST, LAST):
            found.setdefault(each.parameter.role, files[each.text])
    return found


def media_replaced(
    payload: Variables, parameters: Iterable[MediaParameter], replace: Callable[[Medium], Json]
) -> dict[str, Json]:
    """The payload with other values in place of its media."""
    result: Json = payload
    for each in list(media_of(payload, parameters)):
        result = _with(result, each.route, replace(each))
    return dict(result) if isinstance(result, Mapping) else {}


def media_names(payload: Variables, schema: ModelSchema | None) -> frozenset[str]:
    """The parameters of a payload that hold media.

    Files and addresses count as such wherever they are: the schema of a model may be gone, or not say it.
    """
    told = frozenset(str(each.route[0]) for each in media_of(payload, parameters_of(schema) if schema else ()))
    return told | {name for name, value in payload.items() if any(map(_may_be_media, every_text(value)))}


def encoded_replaced(value: Json, replace: Callable[[str], str]) -> Json:
    """A value with other texts in place of all that is a file in Base64, at any depth."""
    return texts_replaced(value, lambda text: replace(text) if _ENCODED.fullmatch(text) else text)


def texts_replaced(value: Json, replace: Callable[[str], str]) -> Json:
    """A value with other texts in place of its own, at any depth."""
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, Mapping):
        return {name: texts_replaced(each, replace) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [texts_replaced(each, replace) for each in value]
    return value


def takes_several(schema: ModelSchema, parameter: MediaParameter) -> bool:
    """Whether the parameter of the payload that holds it may be a list."""
    return "array" in _types(schema.properties.get(parameter.name), schema.document)


def with_first(payload: Variables, parameter: MediaParameter, schema: ModelSchema, text: str) -> dict[str, Json]:
    """The payload with `text` in its first picture. Where that is in a list, what the payload has there follows it."""
    name = parameter.name
    made = _made(parameter.steps[1:], schema.properties.get(name), schema.document, text)
    given = payload.get(name)
    if given is not None:
        made = [*_listed(made), *_listed(given)]
    return {**{each: value for each, value in payload.items() if each != name}, name: made}


def _made(steps: tuple[str, ...], rules: Json, root: Mapping[str, Json], text: str) -> Json:
    """The value that has `text` at these steps, and of the other members those that the schema fixes."""
    whole = _whole(rules, root)
    if not steps:
        types = _types(rules, root)
        return [text] if "array" in types and "string" not in types else text
    if steps[0] == EACH:
        return [_made(steps[1:], whole.get("items"), root, text)]
    members = whole.get("properties")
    parts = {name: _whole(each, root) for name, each in members.items()} if isinstance(members, Mapping) else {}
    fixed = {name: each.get("const", each.get("default")) for name, each in parts.items() if name != steps[0]}
    inner = _made(steps[1:], parts.get(steps[0]), root, text)
    return {steps[0]: inner, **{name: value for name, value in fixed.items() if value is not None}}


def _types(rules: Json, root: Mapping[str, Json]) -> set[Json]:
    """The types that a schema names, also in the forms that it has."""
    whole = _whole(rules, root)
    told = whole.get("type")
    found = set(_listed(told)) if told is not None else set()
    return found.union(*(_types(each, root) for word in ("anyOf", "oneOf") for each in _listed(whole.get(word, ()))))


def _whole(rules: Json, root: Mapping[str, Json]) -> Mapping[str, Json]:
    """The rules with those that they refer to."""
    if not isinstance(rules, Mapping):
        return {}
    target = rules.get("$ref")
    # A reference to itself is refused when a schema is read.
    return {**_whole(_pointed(target, root), root), **rules} if isinstance(target, str) else rules


def _below(
    rules: Json, steps: tuple[str, ...], root: Mapping[str, Json], passed: frozenset[str]
) -> Iterator[tuple[tuple[str, ...], str, Json]]:
    """The keywords for media in a part of a schema. `passed` are the references that led here: a circle ends."""
    if not isinstance(rules, Mapping):
        return
    for keyword in (KEYWORD, OLD_KEYWORD):
        if steps and keyword in rules:
            yield steps, keyword, rules[keyword]
            return
    members = rules.get("properties")
    for name, each in members.items() if isinstance(members, Mapping) else ():
        yield from _below(each, (*steps, name), root, passed)
    yield from _below(rules.get("items"), (*steps, EACH), root, passed)
    for each in (form for word in _FORMS for form in _listed(rules.get(word, ()))):
        yield from _below(each, steps, root, passed)
    target = rules.get("$ref")
    if isinstance(target, str) and target not in passed:
        yield from _below(_pointed(target, root), steps, root, passed | {target})


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _pointed(target: str, root: Mapping[str, Json]) -> Json:
    """What a reference within the schema leads to; None for any other one."""
    value: Json = root if target.startswith("#") else None
    for step in filter(None, target.removeprefix("#").split("/")):
        value = value.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(value, Mapping) else None
    return value


def _texts(value: Json, steps: tuple[str, ...], route: Route) -> Iterator[tuple[Route, str]]:
    """The texts at these steps. Where a text or a list may stand, each text of a list counts, and a text alone, too."""
    if isinstance(value, str):
        if all(step == EACH for step in steps):
            yield route, value
    elif isinstance(value, Mapping):
        if steps and steps[0] in value:
            yield from _texts(value[steps[0]], steps[1:], (*route, steps[0]))
    elif isinstance(value, Sequence) and (not steps or steps[0] == EACH):
        for index, each in enumerate(value):
            yield from _texts(each, steps[1:], (*route, index))


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


def every_text(value: Json) -> Iterator[str]:
    """The texts in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, Sequence)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from every_text(each)


@lru_cache(maxsize=1024)
def _may_be_media(text: str) -> bool:
    return is_reference(text) or _ADDRESS.match(text) is not None
