"""The media of a payload: which parameters take a picture, and what is in them. Only this file knows their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from runner.model import Json, Variables

# The parameter that the pictures of a manifest fill.
FIRST_PICTURE = "image"
_MEDIA = (FIRST_PICTURE,)


def picture_rules(properties: Mapping[str, Json]) -> Mapping[str, Json]:
    """What a model demands of its first picture: the keyword `x-image` of that parameter in the model's schema."""
    parameter = properties.get(FIRST_PICTURE)
    rules = parameter.get("x-image") if isinstance(parameter, Mapping) else None
    return rules if isinstance(rules, Mapping) else {}


def media_of(payload: Variables) -> dict[str, Json]:
    """The media of a payload, by parameter."""
    return {name: payload[name] for name in _MEDIA if name in payload}


def without_media(names: Iterable[str]) -> list[str]:
    """The names of parameters that hold no media."""
    return [name for name in names if name not in _MEDIA]


def media_replaced(payload: Variables, replace: Callable[[str], str]) -> dict[str, Json]:
    """The payload with other texts in place of its media."""
    return {
        name: replace(value) if name in _MEDIA and isinstance(value, str) else value for name, value in payload.items()
    }
