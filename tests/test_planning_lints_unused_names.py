from __future__ import annotations

import csv

import pytest

from runner.model import Matrix
from runner.planning.lints.unused_names import idle_axes
from tests.warned import diagnostics, warnings


def prompt(text):
    return [{"id": "plain", "text": text}]


def test_an_axis_that_no_template_uses(tmp_path):
    matrix = {"surface": ["rock", "sand"], "lens": ["wide", "tele", "macro"], "season": ["spring"]}
    assert warnings(tmp_path, prompts=prompt("Slow push-in on {{ surface }}"), matrix=matrix) == [
        "W331 lens: no template uses the axis 'lens'; its 3 values make equal requests",
        "W331 season: no template uses the axis 'season'",
    ]


def test_pictures_that_no_prompt_is_for(tmp_path):
    arms = [{"id": "a", "text": "Slow pan", "images": ["p0"]}, {"id": "b", "text": "Slow tilt", "images": ["p3"]}]
    entries = [{"file": "p0.jpg"}, {"file": "p1.jpg"}, {"glob": "p[2-5].jpg"}]
    assert warnings(tmp_path, "W345", pictures=6, images=entries, prompts=arms) == [
        "W345 p1.jpg: no prompt is for 'p1'",
        "W345 p[2-5].jpg: no prompt is for 'p2' and 2 more",
    ]
    assert warnings(tmp_path, "W345", pictures=6, images=entries, prompts=[*arms, {"id": "c", "text": "Pan"}]) == []


def test_the_hint_says_how_to_use_it(tmp_path):
    (found,) = diagnostics(tmp_path, matrix={"lens": ["wide"]})
    assert found.hint == "write {{ lens }} in a prompt, in params or in output.file, or delete it"


@pytest.mark.parametrize(
    "keys",
    [
        {"prompts": prompt("Slow push-in, {{ s }}")},
        {"prompts": prompt("Slow push-in{% if s == 'a' %}, rock{% endif %}")},
        {"prompts": prompt("Slow push-in, {{ s | default('x') | upper }}")},
        {"params": {"negative_prompt": "blurry {{ s }}"}},
        {"prompts": [{"id": "plain", "text": "Slow push-in", "params": {"negative_prompt": "{{ s }}"}}]},
        {"output": {"dir": "out", "file": "{{ s }}-{{ take }}"}},
    ],
)
def test_any_template_counts_as_use(tmp_path, keys):
    assert warnings(tmp_path, "W331", **keys, matrix={"s": ["a", "b"]}) == []
    assert warnings(tmp_path, "W332", **keys, vars={"s": "a"}) == []


def test_exclude_and_include_are_no_use(tmp_path):
    matrix = {"s": ["a", "b", "c"], "exclude": [{"s": "a"}], "include": [{"s": "d"}]}
    assert warnings(tmp_path, "W331", matrix=matrix) == [
        "W331 s: no template uses the axis 's'; its 3 values make equal requests"
    ]


def test_an_axis_that_is_zipped_to_one_in_use_multiplies_nothing(tmp_path):
    matrix = {"s": ["a", "b"], "label": ["x", "y"], "zip": [["s", "label"]]}
    assert warnings(tmp_path, prompts=prompt("Slow push-in, {{ s }}"), matrix=matrix) == [
        "W331 label: no template uses the axis 'label'"
    ]


@pytest.mark.parametrize(
    ("made", "idle"),
    [
        (Matrix({}), {}),
        (Matrix({"a": (1, 2), "used": (1, 2), "one": (1,)}), {"a": 1}),
        (Matrix({"a": (1, 2), "used": (3, 4)}, zip=(("a", "used"),)), {}),
        (Matrix({"a": (1, 2), "b": (3, 4), "used": (3, 4)}, zip=(("a", "b"),)), {"a": 1, "b": 3}),
    ],
)
def test_idle_axes(made, idle):
    assert idle_axes(made, frozenset(["used"])) == idle


def test_variables_that_no_template_uses(tmp_path):
    keys = {
        "images": [
            {"file": "p0.jpg", "vars": {"product": "shoe", "colour": "red"}},
            {"file": "p1.jpg", "vars": {"product": "bag", "colour": "blue"}},
        ],
        "pictures": 2,
        "prompts": prompt("Slow push-in on the {{ product }} {{ npm | default('') }}"),
        "vars": {"season": "spring"},
        "matrix": {"include": [{"npm": 1}, {"npm": 2, "node": 3}, {"npm": 4, "node": 5}]},
    }
    assert warnings(tmp_path, **keys) == [
        "W332 colour: no template uses the picture's variable 'colour'",
        "W332 season: no template uses the constant 'season'",
        "W332 node: no template uses the included variable 'node'",
    ]


def test_columns_of_tables_are_exempt_and_the_variables_beside_them_are_not(tmp_path):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "price", "weight"], ["p0.jpg", "3", "4"]])
    entry = {"table": "t.csv", "vars": {"place": "Rome"}}
    assert warnings(tmp_path, images=[entry]) == ["W332 place: no template uses the picture's variable 'place'"]


def test_the_pictures_of_a_glob_share_their_variables(tmp_path):
    keys = {"pictures": 3, "images": [{"glob": "p?.jpg", "vars": {"place": "Rome"}}]}
    assert warnings(tmp_path, **keys) == ["W332 place: no template uses the picture's variable 'place'"]


def test_an_axis_that_looks_like_a_keyword_is_told_once(tmp_path):
    found = warnings(tmp_path, matrix={"s": ["a"], "exlude": [{"s": "a"}]}, prompts=prompt("Slow push-in {{ s }}"))
    assert found == ["W903 exlude: 'exlude' is one more axis of the matrix"]
