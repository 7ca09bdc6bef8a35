"""The valid examples have every key of the manifest's schema, the invalid ones break every rule of it."""

import copy
import re
from functools import cache

import pytest
from jsonschema import Draft202012Validator

from runner.errors import ManifestError
from runner.manifest.files import read_text
from runner.manifest.structure import schema
from runner.manifest.yaml.document import parse
from tests.tools.example_header import INVALID, VALID

# Stands for a value that has all that a schema knows.
EVERYTHING = object()
# A list of all types is no rule, and no list of forms.
ANY_TYPE = {"string", "number", "boolean", "null", "array", "object"}
# Keywords that are followed: what stands in them is a part of a value, or a form that a value may have.
FOLLOWED = {
    "$ref", "$defs", "properties", "patternProperties", "additionalProperties", "items", "oneOf", "allOf", "then",
    "type", "enum",
}  # fmt: skip
# Keywords that a value may break. `type` and `enum` are both.
RULES = {
    "type", "enum", "const", "required", "dependentRequired", "additionalProperties", "oneOf", "not", "uniqueItems",
    "minimum", "maximum", "exclusiveMinimum", "pattern", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties",
}  # fmt: skip
# Keywords with rules for something else than the value itself.
ASIDE = {"propertyNames"}
TELLING = {
    "$schema", "$id", "$comment", "title", "description", "default", "examples", "errorMessage", "patternErrorMessage",
    "defaultSnippets", "x-text-as", "if",
}  # fmt: skip
# A key of a mapping is a text in JSON; what YAML has besides is refused before the schema is asked (E106).
UNBREAKABLE = {"$defs/variableName type"}


@cache
def content(path):
    """The JSON value of an example; nothing of one that is not YAML."""
    try:
        return [parse(read_text(path, path.name, 1 << 20)).value]
    except ManifestError:
        return []


def contents(paths):
    return [value for path in paths for value in content(path)]


# Keys and forms.


def points(rules, root, value=EVERYTHING, trail=(), references=()):
    """Every part of a schema that a value meets: how one gets there, and the part itself."""
    yield "/".join(trail), rules
    for name in (rules["$ref"],) if "$ref" in rules and rules["$ref"] not in references else ():
        target = root["$defs"][name.removeprefix("#/$defs/")]
        yield from points(target, root, value, trail, (*references, name))
    for each in rules.get("allOf", ()):
        yield from points(each, root, value, trail, references)
    for step, inside, values in steps(rules, value):
        for each in values:
            yield from points(inside, root, each, (*trail, step), references)


def steps(rules, value):
    """The steps down from a schema, each with the values that it leads to."""
    everything = value is EVERYTHING
    members = value if isinstance(value, dict) else {}
    known = rules.get("properties", {})
    for key, inside in known.items():
        yield key, inside, [EVERYTHING] if everything else [members[key]] if key in members else []
    patterns = rules.get("patternProperties", {})
    for pattern, inside in patterns.items():
        matching = [each for key, each in members.items() if re.match(pattern, key)]
        yield pattern, inside, [EVERYTHING] if everything else matching
    if isinstance(rules.get("additionalProperties"), dict):
        matched = {key for key in members for pattern in patterns if re.match(pattern, key)}
        others = [each for key, each in members.items() if key not in known and key not in matched]
        yield "*", rules["additionalProperties"], [EVERYTHING] if everything else others
    if "items" in rules:
        items = value if isinstance(value, list) else []
        yield "[]", rules["items"], [EVERYTHING] if everything else items
    for form, inside in forms(rules):
        yield form, {}, [value] if everything or Draft202012Validator(inside).is_valid(value) else []


def forms(rules):
    """The several forms that a value may have."""
    if isinstance(rules.get("type"), list) and not set(rules["type"]) >= ANY_TYPE:
        yield from ((f"(a {each})", {"type": each}) for each in rules["type"])
    yield from ((f"(= {each})", {"const": each}) for each in rules.get("enum", ()))
    yield from ((f"(form {number})", branch) for number, branch in enumerate(rules.get("oneOf", ())))


def untouched(document):
    """The parts of a schema that no valid example meets."""
    met = {trail for value in contents(VALID) for trail, _ in points(document, document, value)}
    return {trail for trail, _ in points(document, document)} - met


def test_every_key_and_every_form_of_a_value_has_a_valid_example():
    assert untouched(schema()) == set()


def test_the_walk_reaches_every_key_of_the_file():
    document = schema()
    reached = {id(rules) for _, rules in points(document, document)}
    members = list(properties(document))
    assert len(members) > 40
    assert [name for name, rules in members if id(rules) not in reached] == []


def properties(node):
    """Every member of every `properties`, wherever it stands in the file."""
    for key, each in node.items() if isinstance(node, dict) else enumerate(node):
        if key == "properties":
            yield from each.items()
        if isinstance(each, dict | list):
            yield from properties(each)


def test_the_walk_knows_every_keyword_of_the_file():
    document = schema()
    known = FOLLOWED | RULES | ASIDE | TELLING
    assert {word for _, rules in points(document, document) for word in rules} <= known
    assert {word for _, rules in parts(document) for word in rules} <= known


@pytest.mark.parametrize(
    ("place", "added", "missed"),
    [
        ("properties", {"mood": {"type": "string"}}, {"mood"}),
        ("properties", {"moods": {"items": {"type": "string"}}}, {"moods", "moods/[]"}),
        ("$defs/image/properties", {"crop": {}}, {"images/[]/crop"}),
        ("$defs/image", {"oneOf": [{"required": ["file"]}, {"required": ["crop"]}]}, {"images/[]/(form 1)"}),
        ("$defs/prompt", {"allOf": [{"properties": {"seed": {}}}]}, {"prompts/[]/seed"}),
        ("$defs/run/properties", {"pace": {}}, {"run/pace"}),
        ("$defs/run/properties/verify", {"enum": ["decode", "header", "hash"]}, {"run/verify/(= hash)"}),
        ("$defs/matrix/properties/sample/properties", {"share": {}}, {"matrix/sample/share"}),
        ("$defs/matrix/properties/exclude", {"type": ["array", "null"]}, {"matrix/exclude/(a null)"}),
        ("$defs/params/properties", {"mode": {}}, {"params/mode", "prompts/[]/params/mode", "models/*/params/mode"}),
        ("$defs/budget", {"$ref": "#/$defs/sum", "properties": {}}, {"budget/total"}),
    ],
)
def test_a_key_without_an_example_is_missed(place, added, missed):
    document = copy.deepcopy(schema())
    document["$defs"]["sum"] = {"properties": {"total": {}}}
    node = document
    for step in place.split("/"):
        node = node[step]
    node.update(added)
    assert untouched(document) - untouched(schema()) == missed


# Rules.


def parts(node, trail=()):
    """Every schema in the file, with its place in it. Those in `not` and `oneOf` are rules of the one around them."""
    yield "/".join(trail), node
    for word in ("properties", "$defs"):
        for key, each in node.get(word, {}).items():
            yield from parts(each, (*trail, word, key))
    for word in ("items", "additionalProperties", "propertyNames"):
        if isinstance(node.get(word), dict):
            yield from parts(node[word], (*trail, word))
    for number, each in enumerate(node.get("allOf", ())):
        yield from parts(each, (*trail, "allOf", str(number)))
    if "then" in node:
        yield from parts(node["then"], (*trail, "then"))


def broken(error):
    """The rules that an error of the jsonschema package says are broken, by the schema that has them."""
    word, rule = error.validator, error.validator_value
    if word == "required":
        return {(id(error.schema), f"required {key}") for key in rule if key not in error.instance}
    if word == "oneOf":
        return {(id(error.schema), f"oneOf {'none' if error.context else 'several'}")}
    return {(id(error.schema), word)}


def rules_of(node):
    for word in RULES & set(node):
        if word == "required":
            yield from (f"required {key}" for key in node[word])
        elif word == "oneOf":
            yield from ("oneOf none", "oneOf several")
        elif word == "type" and set(node[word]) >= ANY_TYPE:
            continue
        elif word != "additionalProperties" or node[word] is False:
            yield word


def unbroken(document):
    """The rules of a schema that no invalid example breaks."""
    validator = Draft202012Validator(document)
    errors = (error for value in contents(INVALID) for error in validator.iter_errors(value))
    found = {rule for error in errors for rule in broken(error)}
    return {
        f"{place} {rule}" for place, node in parts(document) for rule in rules_of(node) if (id(node), rule) not in found
    }


def test_every_rule_is_broken_by_an_invalid_example():
    assert unbroken(schema()) == UNBREAKABLE


@pytest.mark.parametrize(
    ("place", "added"),
    [
        ("$defs/image", {"maxProperties": 9, "minProperties": 0}),
        ("$defs/matrix/properties/zip", {"maxItems": 99}),
        ("properties/images", {"uniqueItems": False}),
    ],
)
def test_a_rule_without_an_example_is_missed(place, added):
    document = copy.deepcopy(schema())
    node = document
    for step in place.split("/"):
        node = node[step]
    node.update(added)
    assert unbroken(document) - unbroken(schema()) == {f"{place} {word}" for word in added if word in RULES}
