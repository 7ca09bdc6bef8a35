from __future__ import annotations

import base64
import csv

import pytest

from runner.manifest.reader import load
from runner.planning.faults import Place
from runner.planning.places import place_of_picture, place_of_value
from tests.kit import picture_bytes, write_manifest


def test_where_pictures_are_named(tmp_path):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "image"], ["x", "p0.jpg"], ["y", "p1.jpg"]])
    entries = [
        {"id": "one", "file": "p0.jpg"},
        {"glob": "p?.jpg"},
        {"url": "https://example.com/bag.jpg"},
        {"table": "t.csv"},
        {"base64": base64.b64encode(picture_bytes()).decode(), "id": "dot"},
    ]
    manifest = load(write_manifest(tmp_path, pictures=2, images=entries))
    assert [place_of_picture(manifest, each).route[1:] for each in manifest.images] == [
        (0, "file"),
        (1, "glob"),
        (1, "glob"),
        (2, "url"),
        (3, "table", 0, "image"),
        (3, "table", 1, "image"),
        (4, "base64"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("s", "rock", Place(("matrix", "s", 0))),
        ("cfg", 1, Place(("matrix", "cfg", 2))),
        ("s", "snow", Place(("matrix", "include", 1, "s"))),
        ("x", 2, Place(("matrix", "include", 1, "x"))),
        ("x", "2", Place(("matrix", "x"), key=True)),
    ],
)
def test_where_variables_get_their_values(tmp_path, name, value, place):
    matrix = {"s": ["rock", "sand"], "cfg": [0.5, 1, 1.0], "include": [{"x": 1}, {"s": "snow", "x": 2}]}
    assert place_of_value(load(write_manifest(tmp_path, matrix=matrix)), name, value) == place
