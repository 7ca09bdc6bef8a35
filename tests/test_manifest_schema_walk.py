"""What a schema says of a value decides what becomes of it."""

from __future__ import annotations

import copy
import os

from runner.manifest.schema.walk import EXTENSION, with_paths_from, without_extensions
from runner.manifest.structure import schema


def test_keys_that_begin_with_x_are_dropped_where_the_schema_has_them():
    value = {
        "x-a": 1,
        "vars": {"x-b": 1, "scene": {"x-kept": 1}},
        "matrix": {"x-c": [1], "look": [{"x-kept": 1}], "exclude": [{"x-d": 1, "look": 1}], "sample": {"x-e": 1}},
        "params": {"x-f": 1, "nested": {"x-kept": 1}},
        "images": [{"x-g": 1, "vars": {"x-h": 1}}],
        "prompts": [{"x-i": 1, "params": {"x-j": 1}}],
    }
    before = copy.deepcopy(value)
    assert without_extensions(value, schema()) == {
        "vars": {"scene": {"x-kept": 1}},
        "matrix": {"look": [{"x-kept": 1}], "exclude": [{"look": 1}], "sample": {}},
        "params": {"nested": {"x-kept": 1}},
        "images": [{"vars": {}}],
        "prompts": [{"params": {}}],
    }
    assert value == before


def test_every_mapping_of_the_schema_has_room_for_such_keys():
    document = schema()
    parts = list(_parts(document))
    closed = [each for each in parts if each.get("additionalProperties") is False or "propertyNames" in each]
    assert len(closed) > 10
    assert [rules.get("title") for rules in closed if EXTENSION not in rules.get("patternProperties", {})] == []


def _parts(node):
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _parts(each)


def test_paths_and_nothing_else_are_moved():
    value = {
        "name": "a/b",
        "images": [{"file": "a.jpg"}, {"glob": "b/*.jpg"}, {"url": "https://e.org/a"}, {"file": "/a.jpg"}],
        "prompts": [{"file": "p.j2", "text": "a/b"}],
        "matrix": {"lens": {"file": "l.txt"}, "file": ["a.txt"]},
        "output": {"dir": "../out", "file": "a/{{ take }}"},
        "vars": {"file": "a.jpg"},
        "models": {"m": "~/m.json", "n": "n.json"},
    }
    moved = with_paths_from("shared", value, schema())
    assert moved == {
        **value,
        "images": [
            {"file": "shared/a.jpg"},
            {"glob": "shared/b/*.jpg"},
            {"url": "https://e.org/a"},
            {"file": "/a.jpg"},
        ],
        "prompts": [{"file": "shared/p.j2", "text": "a/b"}],
        "matrix": {"lens": {"file": "shared/l.txt"}, "file": ["a.txt"]},
        "output": {"dir": os.path.join("shared", "../out"), "file": "a/{{ take }}"},
        "models": {"m": "~/m.json", "n": "shared/n.json"},
    }
    assert with_paths_from("", value, schema()) == value
