"""Gaps where a variable is empty."""

from __future__ import annotations

import pytest

from tests.warned import warnings


def gaps(folder, text, **keys):
    prompts = [{"id": "plain", "text": text}]
    return warnings(folder, "W344", **{"prompts": prompts, "vars": {"x": "", "y": "red"}, **keys})


@pytest.mark.parametrize(
    ("text", "what", "around"),
    [
        ("The {{ x }} shoe pans", "a doubled blank", '"The  shoe pans"'),
        ("The shoe, {{ x }}, pans", "a doubled comma", '"The shoe, , pans"'),
        ("The shoe, {{ x }}. It pans", "a comma too many", '"The shoe, . It pans"'),
        ("It pans, {{ x }}", "a comma too many", '"It pans, "'),
        ("{{ x }}, it pans", "a comma or full stop at the start", '", it pans"'),
        ("{{ x }} pans", "a blank at the start", '" pans"'),
        ("It pans over {{ x }}", "a blank at the end", '"It pans over "'),
        ("A shoe {{ x }}, panning", "a blank before a comma or full stop", '"A shoe , panning"'),
        ("very {{ x }}very slow pan", "a doubled word", '"very very slow pan"'),
        ("A shoe ({{ x }}) pans", "nothing between brackets or quotes", '"A shoe () pans"'),
        ("A sign of “{{ x }}” pans", "nothing between brackets or quotes", '"A sign of “” pans"'),
    ],
)
def test_what_is_left_of_nothing(tmp_path, text, what, around):
    (found,) = gaps(tmp_path, text)
    assert found == f"W344 x: 'x' is empty, which leaves {what}: {around}"


@pytest.mark.parametrize(
    "text",
    [
        "A {% if x %}{{ x }} {% endif %}shoe pans",
        "A {{ x or 'plain' }} shoe pans",
        "A {{ x | default('plain', true) }} shoe pans",
        "A shoe{{ x }}, panning",
        "{{ x }}A shoe pans",
        "{{ x }}\nA shoe pans\n{{ x }}\n\nslowly",
        "A  shoe, , pans pans {{ y }}",
        "A {{ y }}  shoe{{ x }} pans",
        "{{ x }}",
        "{% for part in ['A', x, 'pan'] if part %}{{ part }} {% endfor %}slowly",
    ],
)
def test_no_trace_is_left(tmp_path, text):
    assert gaps(tmp_path, text) == []


def test_the_cells_are_counted_and_the_first_is_named(tmp_path):
    matrix = {"mood": ["", "calm"], "take_two": [1, 2]}
    text = "A {{ mood }} shoe {{ mood }} pans {{ take_two }}"
    (found,) = gaps(tmp_path, text, matrix=matrix, vars={})
    assert found.endswith("(in 2 of 4 cells; the first is p0/plain/mood=e3b0c442,take_two=1/take-1)")


def test_parameters_are_looked_at_too(tmp_path):
    found = gaps(tmp_path, "pan", params={"negative_prompt": "blurry, {{ x }}"})
    assert [each.partition(":")[0] for each in found] == ["W344 x"]


def test_a_column_of_a_row_is_a_variable_too(tmp_path):
    (tmp_path / "t.csv").write_text("image,Product Name\np0.jpg,\n")
    text = """A {{ row["Product Name"] }} pans, {{ row["Product Name"] or 'slowly' }}"""
    assert gaps(tmp_path, text, images=[{"table": "t.csv"}]) == []
    (found,) = gaps(tmp_path, """A {{ row["Product Name"] }} pans""", images=[{"table": "t.csv"}])
    assert (
        found
        == """W344 row["Product Name"]: 'row['Product Name']' is empty, which leaves a doubled blank: "A  pans\""""
    )
