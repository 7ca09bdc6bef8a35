"""Checks the references of a schema. Each must lead to a place in it; expanded, the schema must not be too large."""

from __future__ import annotations

from collections.abc import Iterator

from runner.manifest.json_values import items, mapping
from runner.manifest.schema.expectations import Schema, pointed
from runner.model import Json

# The most subschemas that a schema may have after each `$ref` is expanded wherever it occurs. Checking this many takes
# some milliseconds. There is no other limit on the time, because jsonschema-rs has no timeout.
MOST_PLACES = 100_000
# Keywords whose subschemas apply to the value itself, and keywords whose subschemas apply to parts of it.
_OF_THE_VALUE = {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"}
_OF_PARTS = {
    *("properties", "patternProperties", "additionalProperties", "propertyNames", "unevaluatedProperties"),
    *("items", "prefixItems", "contains", "unevaluatedItems"),
}
# Keywords that map names to subschemas.
_NAMED = {"properties", "patternProperties", "dependentSchemas"}


class InvalidSchemaError(Exception):
    """A schema cannot be used. `reference` is the `$ref` that is the cause, if there is one."""

    def __init__(self, message: str, reference: str = "") -> None:
        super().__init__(message)
        self.reference = reference


def check_references(document: Schema) -> None:
    """Raise InvalidSchemaError if a `$ref` leads out of the schema, nowhere or to itself, or expands to too much."""
    for part in _parts(document):
        if part is not document and any(isinstance(part.get(word), str) for word in ("$id", "$schema")):
            raise InvalidSchemaError("only the whole schema may have $id and $schema")
    for count, reference in enumerate(_References(document).places(document)):
        if count >= MOST_PLACES:
            message = f"with every $ref written out it has more than {MOST_PLACES:,} places, too many to check"
            raise InvalidSchemaError(message, reference)


class _References:
    """Follows the references of a document."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        names = ("$anchor", "$dynamicAnchor")
        self._anchors = {f"#{part[name]}": part for part in _parts(document) for name in names if name in part}

    def places(self, schema: Json, above: tuple[str, ...] = (), here: tuple[str, ...] = ()) -> Iterator[str]:
        """For each place, the first reference on the way to it; empty if there is none.

        `above` are all references on the way, `here` those since the last step into a part of the value. A reference
        that is on the way to itself is not expanded again, as jsonschema-rs checks no part of a value twice for it.
        """
        yield above[0] if above else ""
        for keyword, rule in mapping(schema).items():
            if keyword in ("$ref", "$dynamicRef"):
                reference = str(rule)
                if reference in here:
                    raise InvalidSchemaError(f"the $ref {reference} refers to itself without end", reference)
                if reference not in above:
                    yield from self.places(self._target(reference), (*above, reference), (*here, reference))
            elif keyword in _OF_THE_VALUE or keyword in _OF_PARTS:
                for each in mapping(rule).values() if keyword in _NAMED else items(rule) or (rule,):
                    yield from self.places(each, above, here if keyword in _OF_THE_VALUE else ())

    def _target(self, reference: str) -> Json:
        if not reference.startswith("#"):
            raise InvalidSchemaError("a $ref leads out of the file; put what it names under $defs", reference)
        found = self._anchors.get(reference) or pointed(reference, self._document)
        if found is None:
            raise InvalidSchemaError(f"a $ref leads nowhere: {reference}", reference)
        return found


def _parts(node: Json) -> Iterator[Schema]:
    """Every mapping in a document."""
    if mapping(node):
        yield mapping(node)
    for each in mapping(node).values() or items(node):
        yield from _parts(each)
