"""Parameters that are written out, against the schemas of the models."""

import json

import pytest

from runner.diagnostics.text import Text
from runner.manifest.parameters import check_parameters
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.schema.model_schemas import shipped_schema
from runner.manifest.yaml.document import parse
from runner.model import ModelSchema

STANDARD = shipped_schema("Kling-Image2Video-V1.6-Standard")
IMAGE = {"image": {"type": "string"}}


def own(**document):
    return ModelSchema("own", {**document, "properties": {**IMAGE, **document.get("properties", {})}})


def told(text, *schemas):
    document = parse(Text("m.yaml", text))
    found = ReadingDiagnostics(document.source)
    check_parameters(document.value, schemas or [STANDARD], found)
    return [(each.code, each.position.line, each.position.column) for each in found.ordered()]


def test_the_example_of_the_manual():
    document = parse(Text("m.yaml", "params:\n  duration: 5\n"))
    found = ReadingDiagnostics(document.source)
    check_parameters(document.value, [STANDARD], found)
    (diagnostic,) = found.ordered()
    assert (diagnostic.code, diagnostic.position.column) == ("E204", 13)
    assert diagnostic.message == 'duration is the integer 5; the API takes "5" or "10"'
    assert diagnostic.hint == 'it is a string in the API: write "5"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params: {duration: '5', cfg_scale: 0.5}", []),
        ("params: {cfg_scale: 7, negative_prompt: no}", [("E205", 1, 21), ("E204", 1, 41)]),
        ("params: {cfg_scal: 0.5, x: '{{ y }}'}", [("E201", 1, 10), ("E201", 1, 25)]),
        ("params: {cfg_scale: '{{ 7 }}', duration: '{% if a %}5{% endif %}'}", []),
        ("prompts: [5, {id: a, params: {cfg_scale: 7}}, {params: null}]", [("E205", 1, 42)]),
        # One that is none is left out, and the templates' engine takes the last line end of a text.
        ("params: {cfg_scale: null, length: null}", []),
        ("params:\n  duration: |\n    5\n", []),
        ("params: 5", []),
        ("{}", []),
    ],
)
def test_what_is_told(text, expected):
    assert told(text) == expected


def test_what_stands_inside_a_value_is_told_at_its_place():
    schema = own(properties={"tags": {"items": {"$ref": "#/$defs/tag"}}}, **{"$defs": {"tag": {"enum": ["a", "b"]}}})
    assert told("params: {tags: [a, c]}", schema) == [("E203", 1, 20)]
    assert told("params: {tags: [c, '{{ a }}']}", schema) == []


def test_what_one_of_the_models_takes_is_left_to_planning():
    lenient = own(properties={"duration": {"type": "integer"}})
    assert told("params: {duration: 5}", STANDARD, lenient) == []
    assert told("params: {duration: '7'}", STANDARD, lenient) == [("E203", 1, 20)]


def test_rules_about_parameters_together_are_left_to_planning():
    schema = own(
        properties={"mode": {"type": "string"}, "length": {"type": "integer"}},
        required=["mode"],
        **{"if": {"properties": {"mode": {"const": "long"}}}, "then": {"properties": {"length": {"minimum": 10}}}},
    )
    assert told(json.dumps({"params": {"length": 5, "mode": "{{ mode }}"}}), schema) == []


def test_without_a_schema_nothing_is_known():
    document = parse(Text("m.yaml", "params: {duration: 5}"))
    found = ReadingDiagnostics(document.source)
    check_parameters(document.value, [], found)
    assert found.ordered() == ()


def test_references_to_any_part_of_the_schema():
    number = {"q": {"type": "number"}}
    elsewhere = own(properties={"q": {"$ref": "#/components/q"}}, components=number)
    assert told("params: {q: high}", elsewhere) == [("E204", 1, 13)]
    # What judges parameters together is left to planning, and so is what refers to it.
    together = own(properties={"q": {"$ref": "#/allOf/0/properties/q"}}, allOf=[{"properties": number}])
    assert told("params: {q: high}", together) == []


def test_a_search_that_takes_too_long_is_left_to_planning():
    lists = [{"items": {"$ref": "#/properties/q"}, "type": "array", "maxItems": size} for size in (8, 9)]
    assert told(f"params: {{q: {'[' * 25}5{']' * 25}}}", own(properties={"q": {"anyOf": lists}})) == []
