"""Placeholders of other tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.planning.lints.placeholders import placeholders
from tests.warned import diagnostics, marked, warnings


@pytest.mark.parametrize(
    "word",
    [
        "{name}", "{product name}", "{0}", "{a|b}", "{soft light | hard light}", "__name__", "__style/light__",
        "${NAME}", "${a.b}", "$NAME", "$name", "<name>", "<product name>", "</b>", "[[name]]", "[[a b]]", "%(name)s",
    ],
)  # fmt: skip
def test_a_placeholder_is_seen_in_a_text(word):
    assert placeholders(f"A {word}, slow pan of {word}.") == (word,)


@pytest.mark.parametrize(
    "text",
    [
        "<<<image_1>>> turns to <<<element_2>>>", "[Push in, Tilt up] then [Static shot]", "{'a': 1}", '{"a": "b|c"}',
        "5 < 6 and 7 > 3", "<3 and ->", "US$5, $5 and A$AP", "100 %, 5 %s", "snake_case, __init and dunder__",
        "[a] [ [b] ]", "{{ raw }}", "{}", "( ) [ ] { }", "mail <a@b.example>", "{\n  x\n}",
    ],
)  # fmt: skip
def test_what_is_no_placeholder(text):
    assert placeholders(text) == ()


def test_it_is_told_where_it_was_written(tmp_path):
    (tmp_path / "t.csv").write_text("image,product\np0.jpg,the [[brand]] shoe\np0.jpg,bag\n".replace("p0.jpg,bag", ""))
    found = warnings(
        tmp_path,
        "W343",
        images=[{"table": "t.csv"}],
        prompts=[{"id": "a", "text": "{colour} pan {{ product }} {{ tone }} {{ light }}"}],
        vars={"tone": "a <tone>"},
        matrix={"light": ["dim", "a $LIGHT"]},
    )
    told = {each.partition(":")[0]: each for each in found}
    assert list(told) == ["W343 {colour}", "W343 a <tone>", "W343 a $LIGHT", "W343 the [[brand]] shoe"]
    assert "in 1 of 2 cells" in told["W343 a $LIGHT"]
    assert "in 2 of 2 cells" in told["W343 {colour}"]


def test_it_is_told_in_the_fragment_that_has_it(tmp_path):
    (tmp_path / "voice.j2").write_text("slow pan\n{tone} of <brand>")
    found = diagnostics(tmp_path, prompts=[{"id": "a", "text": "A shoe, {% include 'voice.j2' %}"}])
    assert [(each.code, Path(each.position.file).name, each.position.line, marked(each)) for each in found] == [
        ("W343", "voice.j2", 2, "{tone}"),
        ("W343", "voice.j2", 2, "<brand>"),
    ]


def test_a_tag_that_the_schema_of_the_model_has_is_none(tmp_path):
    text = {"type": "string", "description": "speech stands in <say>", "examples": ["{shot} wide"]}
    document = {"type": "object", "properties": {"image": {}, "prompt": text, "negative_prompt": {"type": "string"}}}
    (tmp_path / "m.json").write_text(json.dumps(document))
    found = warnings(
        tmp_path,
        "W343",
        model="own",
        models={"own": "m.json"},
        prompts=[{"id": "a", "text": "{shot} pan, <say> hello, <shout>"}],
        params={"negative_prompt": "<say>"},
    )
    assert [each.partition(":")[0] for each in found] == ["W343 <shout>", "W343 <say>"]


def test_it_is_told_in_the_column_that_a_row_gives(tmp_path):
    (tmp_path / "t.csv").write_text("image,Product Name\np0.jpg,the {brand} shoe\n")
    prompts = [{"id": "a", "text": "pan {{ row['Product Name'] }}"}]
    (found,) = warnings(tmp_path, "W343", images=[{"table": "t.csv"}], prompts=prompts)
    assert found.startswith("W343 the {brand} shoe: '{brand}' is left in the text")
