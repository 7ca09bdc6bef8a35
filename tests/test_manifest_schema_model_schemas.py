"""The schemas of models."""

import json

import pytest

from runner.diagnostics.text import Text
from runner.errors import ManifestError
from runner.manifest.schema.model_schemas import read_model, shipped_schema
from runner.shipped import shipped_document, shipped_models

IMAGE = {"image": {"type": "string"}}


def model(tmp_path, document):
    text = document if isinstance(document, str) else json.dumps(document)
    return read_model("m", Text("m.schema.json", text))


def refusal(tmp_path, document):
    with pytest.raises(ManifestError) as caught:
        model(tmp_path, document)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.position.file.endswith("m.schema.json")
    return diagnostic


@pytest.mark.parametrize("name", shipped_models())
def test_shipped_schemas_are_sound(name):
    assert read_model(name, Text(name, json.dumps(shipped_document(name)))) == shipped_schema(name)


def test_a_schema_of_one_s_own(tmp_path):
    document = {
        "properties": {**IMAGE, "tail": {"$ref": "#/$defs/picture"}, "seconds": {"enum": [3, 15], "x-seconds": True}},
        "$defs": {"picture": {"type": "string"}},
    }
    assert model(tmp_path, document).properties["seconds"] == {"enum": [3, 15], "x-seconds": True}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "a schema is a JSON object"),
        ({}, "missing key 'properties'"),
        ({"properties": {}}, "properties is empty"),
        ({"type": "array", "properties": IMAGE}, 'type is "array"; it must be "object"'),
        ({"properties": {"image": {"type": "text"}}}, "properties/image/type"),
        ({"properties": {"image": {"pattern": "("}}}, "properties/image/pattern"),
        ({"properties": {"image": {"x-image": {"maxSide": 5}}}}, "unknown key 'maxSide'"),
        ({"properties": {"image": {"x-image": {"minSide": "300"}}}}, 'minSide is the text "300"'),
        ({"properties": {"image": {"x-image": {"aspectRatio": [2]}}}}, "aspectRatio has 1 value"),
        ({"properties": {"image": {"x-image": {"formats": ["GIF"]}}}}, 'formats[0] is "GIF"'),
        ({"properties": {"clip": {"x-media": {}}}}, "at clip/x-media/kind: missing key 'kind'"),
        (
            {"properties": {"clip": {"x-media": {"kind": "film"}}}},
            'kind is "film"; it must be "image", "video" or "audio"',
        ),
        ({"properties": {"clip": {"x-media": {"kind": "image", "formats": ["TIFF"]}}}}, 'formats[0] is "TIFF"'),
        ({"properties": {"clip": {"x-media": "video"}}}, 'x-media is the text "video"'),
        (
            {
                "properties": {"refs": {"items": {"anyOf": [{"$ref": "#/$defs/ref"}]}}},
                "$defs": {"ref": {"properties": {"url": {"x-media": {"kind": "image", "maxSize": 5}}}}},
            },
            "at refs/[]/url/x-media/maxSize: unknown key 'maxSize'",
        ),
        ({"properties": {"n": {"x-portable": "length"}}}, "x-portable"),
        ({"properties": {"n": {"x-portable": {"of": ["aspect_ratio", "resolution"]}}}}, "x-portable"),
        ({"properties": {**IMAGE, "length": {"x-seconds": "yes"}}}, 'x-seconds is the text "yes"'),
        ({"properties": {**IMAGE, "cfg": {"x-tips": [0.3, 0.5]}}}, "x-tips is a list; it must be a mapping"),
        ({"properties": {**IMAGE, "cfg": {"x-tips": {"free": [0.3]}}}}, "free has 1 value"),
        ({"properties": {**IMAGE, "cfg": {"x-tips": {"free": [0.3, "1"]}}}}, 'free[1] is the text "1"'),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "properties": IMAGE}, "draft-07"),
        ({"properties": {"image": {"$ref": "https://example.com/x.json"}}}, "a $ref leads out of the file"),
        ({"properties": {"image": {"$ref": "other.json"}}}, "a $ref leads out of the file"),
        ({"properties": {"image": {"$ref": "#/$defs/none"}}}, "a $ref leads nowhere: #/$defs/none"),
        ({"properties": {"image": {"$ref": "#/properties/image"}}}, "refers to itself without end"),
        ({"properties": {"image": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}}, "without end"),
        ({"properties": IMAGE, "$defs": {"a": {"$ref": "https://example.com/x.json"}}}, "example.com/x.json"),
        ({"properties": {"image": {"pattern": "(?P<a>x)(?P=b)"}}}, "properties/image/pattern"),
        ({"properties": {"image": {"patternProperties": {"\\Z": {}}}}}, "properties/image/patternProperties"),
        ({"properties": {**IMAGE, "seed": {"maximum": 1e400}}}, "it cannot be read"),
        ({"properties": {**IMAGE, "seed": {"default": "\ud800"}}}, "it cannot be read"),
    ],
)
def test_schemas_that_cannot_be_used(tmp_path, document, message):
    diagnostic = refusal(tmp_path, document)
    assert diagnostic.code == "E209"
    assert message in diagnostic.message
    assert "2020-12" in diagnostic.hint


def test_references_that_stand_for_too_much(tmp_path):
    links = {f"d{number}": {"anyOf": [{"$ref": f"#/$defs/d{number + 1}"}] * 2} for number in range(60)}
    document = {"properties": {**IMAGE, "tail": {"$ref": "#/$defs/d0"}}, "$defs": {**links, "d60": {}}}
    diagnostic = refusal(tmp_path, json.dumps(document, indent=1))
    assert "more than 100,000 places" in diagnostic.message
    assert diagnostic.source.strip() == '"$ref": "#/$defs/d0"'
    assert (diagnostic.position.line, diagnostic.position.column) == (7, 4)
    links = {f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(20_000)}
    assert "too deeply" in refusal(tmp_path, {**document, "$defs": {**links, "d20000": {}}}).message


def test_what_is_no_json(tmp_path):
    diagnostic = refusal(tmp_path, '{\n "a": 1,\n}')
    assert (diagnostic.code, diagnostic.position.line) == ("E102", 3)
    assert refusal(tmp_path, '{"a": NaN}').code == "E209"
    assert refusal(tmp_path, "[" * 100_000).code == "E209"
    assert refusal(tmp_path, '{"properties": ' * 200 + "1" + "}" * 200).code == "E209"


def test_what_is_not_there():
    with pytest.raises(KeyError):
        shipped_schema("../manifest")
