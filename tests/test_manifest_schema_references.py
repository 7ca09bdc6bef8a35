"""What the references of a schema lead to, and how much they stand for."""

from __future__ import annotations

import re

import pytest

from runner.manifest.schema.references import MOST_PLACES, InvalidSchemaError, check_references


def chain(length, link, last):
    """Definitions of which each is made from the next."""
    links = {f"d{number}": link({"$ref": f"#/$defs/d{number + 1}"}) for number in range(length)}
    return {"properties": {"image": {"$ref": "#/$defs/d0"}}, "$defs": {**links, f"d{length}": last}}


def branches(count, keyword="anyOf"):
    return lambda reference: {keyword: [reference] * count}


@pytest.mark.parametrize(
    "document",
    [
        {"properties": {"a": {"$ref": "#/$defs/a~1b%20c"}}, "$defs": {"a/b c": {}}},
        {"items": {"$ref": "#a"}, "$defs": {"x": {"$anchor": "a"}}},
        {"items": {"$dynamicRef": "#a"}, "$defs": {"x": {"$dynamicAnchor": "a"}}},
        {"allOf": [{}, {"$ref": "#/allOf/0"}]},
        # A value in a value in a value.
        {"properties": {"next": {"$ref": "#"}, "others": {"items": {"$ref": "#"}}}},
        {"items": {"$ref": "#/$defs/tree"}, "$defs": {"tree": {"anyOf": [{"items": {"$ref": "#/$defs/tree"}}, {}]}}},
        # Data, and names of parameters.
        {"const": {"$ref": "nowhere"}, "properties": {"$ref": {}, "$id": {"type": "string"}, "items": True}},
        chain(14, branches(2), {"type": "string"}),
        chain(100, branches(1), {"type": "string"}),
    ],
)  # fmt: skip
def test_sound(document):
    check_references(document)


@pytest.mark.parametrize(
    ("document", "message", "reference"),
    [
        (chain(40, branches(2), {}), "more than 100,000 places", "#/$defs/d0"),
        (chain(40, branches(2, "prefixItems"), {}), "more than 100,000 places", "#/$defs/d0"),
        (chain(40, lambda each: {"properties": {"a": each, "b": each}}, {}), "100,000 places", "#/$defs/d0"),
        (chain(40, lambda each: {"if": each, "then": each, "else": each}, {}), "100,000 places", "#/$defs/d0"),
        (chain(40, lambda each: {"items": each, "contains": each}, {}), "100,000 places", "#/$defs/d0"),
        (chain(40, lambda each: {"not": each, "dependentSchemas": {"a": each}}, {}), "100,000 places", "#/$defs/d0"),
        ({"anyOf": [{}] * MOST_PLACES}, "more than 100,000 places", ""),
        ({"$ref": "#"}, "refers to itself without end", "#"),
        (chain(3, branches(1), {"$ref": "#/$defs/d1"}), "refers to itself without end", "#/$defs/d1"),
        ({"items": {"$ref": "#/$defs/none"}}, "leads nowhere: #/$defs/none", "#/$defs/none"),
        ({"items": {"$ref": "#none"}}, "leads nowhere: #none", "#none"),
        ({"allOf": [{"$ref": "#/allOf/1"}]}, "leads nowhere: #/allOf/1", "#/allOf/1"),
        ({"items": {"$ref": "https://example.com/x.json"}}, "leads out of the file", "https://example.com/x.json"),
        ({"items": {"$id": "urn:x"}}, "only the whole schema may have $id", ""),
        ({"items": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}, "only the whole schema", ""),
    ],
)
def test_faults(document, message, reference):
    with pytest.raises(InvalidSchemaError, match=re.escape(message)) as caught:
        check_references(document)
    assert caught.value.reference == reference


def test_as_many_places_as_may_be():
    check_references({"anyOf": [{}] * (MOST_PLACES - 1)})
