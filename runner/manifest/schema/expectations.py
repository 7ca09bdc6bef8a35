"""What a JSON Schema allows, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TypeAlias
from urllib.parse import unquote

from runner.diagnostics.words import joined, literal
from runner.manifest.json_values import items, mapping
from runner.model import Json, Route

Schema: TypeAlias = Mapping[str, Json]

_TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
}

_LIMITS = {
    "minimum": "of at least",
    "exclusiveMinimum": "above",
    "maximum": "of at most",
    "exclusiveMaximum": "below",
    "multipleOf": "that is a multiple of",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The wording of messages. It depends on who sets the rules: the API or the manifest.

    `value` precedes what a value must be; `most` and `least` precede a length. `whole` names the complete document, and
    `key` is the word for a key. `text` and `number` are formats for the corrected value. `steps` limits how many
    keywords are checked to find out what is wrong.
    """

    value: str
    most: str
    least: str
    whole: str
    key: str
    text: str
    number: str
    steps: float = inf


API = Terms(
    value="the API takes",
    most="the API takes at most",
    least="the API takes at least",
    whole="the payload",
    key="parameter",
    text="it is a string in the API: write {}",
    number="it is a number in the API: write {}, without quotes (in a template: | float)",
    # The schema may come from anybody, so the steps are limited. This many take half a second.
    steps=100_000,
)
MANIFEST = Terms(
    value="it must be",
    most="it may have at most",
    least="it needs at least",
    whole="the manifest",
    key="key",
    text="it is a text: write {}",
    number="it is a number: write {}, without quotes",
)
# A limit of this size or more only stops mistakes. It is named only in the message about a value that breaks it.
_LARGE = 10_000


def subject(route: Route, terms: Terms) -> str:
    """The name of a value in a sentence: its key, and the index if it is an item of a list."""
    names = [index for index, step in enumerate(route) if isinstance(step, str)]
    if not names:
        return terms.whole + "".join(f"[{step}]" for step in route)
    return str(route[names[-1]]) + "".join(f"[{step}]" for step in route[names[-1] + 1 :])


def types(schema: Schema) -> tuple[str, ...]:
    """The types that a schema names; empty if it allows all."""
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(str(each) for each in items(named))


def allowed(schema: Schema) -> tuple[Json, ...]:
    """The values that a schema lists; empty if it lists none."""
    return (schema["const"],) if "const" in schema else tuple(items(schema.get("enum", ())))


def expected(schema: Schema) -> str:
    """What a schema allows: its values, or its types with their range."""
    values = allowed(schema)
    if values:
        return joined(map(literal, values))
    return joined(_typed(each, schema) for each in types(schema)) or "another value"


def _typed(kind: str, schema: Schema) -> str:
    limits = bounds(schema) if kind in ("number", "integer") else ""
    return f"{_TYPES.get(kind, kind)} {limits}".strip()


def bounds(schema: Schema) -> str:
    """The range of a number: `between 0 and 1`, `of at least 1`; empty if it has none."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and isinstance(high, (int, float)) and high < _LARGE:
        return f"between {number(low)} and {number(high)}"
    rules = {keyword: schema[keyword] for keyword in _LIMITS if keyword in schema}
    return " and ".join(
        limit(keyword, value)
        for keyword, value in rules.items()
        if keyword != "maximum" or not isinstance(value, (int, float)) or value < _LARGE
    )


def limit(keyword: str, value: Json) -> str:
    return f"{_LIMITS[keyword]} {number(value)}"


def number(value: Json) -> str:
    """A number for people to read: with thousands separators from five digits on."""
    return f"{value:,}" if isinstance(value, int) and abs(value) >= _LARGE else literal(value)


def example(schema: Schema) -> Json:
    """The first example of a schema, else its default or its constant; None if it has none of them."""
    examples = items(schema.get("examples", ()))
    return examples[0] if examples else schema.get("default", schema.get("const"))


def properties(schema: Schema) -> Mapping[str, Json]:
    return mapping(schema.get("properties"))


def pointed(reference: str, document: Json) -> Json:
    """The value at a JSON Pointer in a URI fragment, such as `#/$defs/size`; None if there is none."""
    head, *steps = unquote(reference).split("/")
    found = document if head == "#" else None
    for step in steps:
        key = step.replace("~1", "/").replace("~0", "~")
        found = items(found)[int(key)] if key.isdecimal() and int(key) < len(items(found)) else mapping(found).get(key)
    return found


def resolved(schema: Json, root: Schema) -> Schema:
    """The schema merged with what its `$ref` points to in `root`. Its own keywords win."""
    rules = mapping(schema)
    return {**mapping(pointed(str(rules["$ref"]), root)), **rules} if "$ref" in rules else rules
