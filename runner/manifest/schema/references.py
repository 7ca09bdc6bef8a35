"""The references of a schema: each leads to a place in it, and together they stand for no more than can be checked."""

from __future__ import annotations

from collections.abc import Iterator

from runner.manifest.json_values import items, mapping
from runner.manifest.schema.expectations import Schema, pointed
from runner.model import Json

# Places of a schema with each `$ref` written out, wherever it stands. Checking so many takes some milliseconds, and
# nothing else ends it: jsonschema-rs heeds no timer.
MOST_PLACES = 100_000
# Keywords whose schemas are about the value itself, and about parts of it.
_OF_THE_VALUE = {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"}
_OF_PARTS = {
    *("properties", "patternProperties", "additionalProperties", "propertyNames", "unevaluatedProperties"),
    *("items", "prefixItems", "contains", "unevaluatedItems"),
}
_NAMED = {"properties", "patternProperties", "dependentSchemas"}


class InvalidSchemaError(Exception):  # it is a fault of the schema, not of the program
    """What is wrong with a schema; `reference` is the `$ref` that it is about, if any."""

    def __init__(self, message: str, reference: str = "") -> None:
        super().__init__(message)
        self.reference = reference


def check_references(document: Schema) -> None:
    """Raise SchemaFault where a `$ref` leads out of the schema, nowhere or to itself, or stands for too much."""
    for part in _parts(document):
        if part is not document and any(isinstance(part.get(word), str) for word in ("$id", "$schema")):
            raise InvalidSchemaError("only the whole schema may have $id and $schema")
    for count, reference in enumerate(_References(document).places(document)):
        if count >= MOST_PLACES:
            message = f"with every $ref written out it has more than {MOST_PLACES:,} places, too many to check"
            raise InvalidSchemaError(message, reference)


class _References:
    """What the references of a document lead to."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        names = ("$anchor", "$dynamicAnchor")
        self._anchors = {f"#{part[name]}": part for part in _parts(document) for name in names if name in part}

    def places(self, schema: Json, above: tuple[str, ...] = (), here: tuple[str, ...] = ()) -> Iterator[str]:
        """For each place the reference that led to it first.

        `above` are all that led to it, `here` those since the last step into a part of the value. One that is above
        itself is left as it is: jsonschema-rs looks at no part of a value twice for it.
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
