"""Values that look like templates would be sent with their braces."""

from __future__ import annotations

import pytest

from runner.errors import ManifestError
from runner.manifest.reader import load
from runner.planning.plan import make_plan
from tests.kit import write_manifest
from tests.warned import marked

STILL = [{"id": "a", "text": "still"}]


def diagnose(path):
    with pytest.raises(ManifestError) as caught:
        make_plan(load(path))
    return caught.value.diagnostics


@pytest.mark.parametrize("text", ["{{ season }} grass", "{% if x %}", "grass {# wet #}"])
@pytest.mark.parametrize(
    "where",
    [
        lambda text: {"matrix": {"s": ["rock", text]}},
        lambda text: {"matrix": {"s": [{"deep": ["rock", text]}]}},
        lambda text: {"matrix": {"s": ["rock"], "include": [{"s": "rock", "more": text}]}},
        lambda text: {"images": [{"file": "p0.jpg", "vars": {"s": text}}]},
    ],
    ids=["axis", "inside", "include", "picture"],
)
def test_braces_of_a_value_are_told_at_their_place(tmp_path, where, text):
    (found,) = diagnose(write_manifest(tmp_path, prompts=STILL, **where(text)))
    sign = next(each for each in ("{{", "{%", "{#") if each in text)
    assert (found.code, marked(found)) == ("E317", sign)
    assert found.message == f"a value holds {sign}, and is no template"
    assert "{% raw %}" in found.hint


def test_a_cell_of_a_table_has_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("image,id,look\np0.jpg,one,calm\np0.jpg,two,{{ mood }}\n")
    (found,) = diagnose(write_manifest(tmp_path, prompts=STILL, images=[{"table": "t.csv"}]))
    assert found.position.file.endswith("t.csv")
    assert (found.code, found.position.line, marked(found)) == ("E317", 3, "{{ mood }}")


def test_a_constant_that_renders_to_braces(tmp_path):
    constants = {"c": "{% raw %}{{ x }}{% endraw %}", "d": "{{ '{%' }}", "e": "{{ 'fine' }}"}
    found = diagnose(write_manifest(tmp_path, prompts=STILL, vars=constants))
    assert [each.code for each in found] == ["E317", "E317"]
    assert ["c:" in found[0].source, "d:" in found[1].source] == [True, True]


def test_other_braces_are_values(tmp_path):
    values = ["a { b", "}} c", "{}", "{ {", "#}", "{x}"]
    made = make_plan(load(write_manifest(tmp_path, prompts=[{"id": "a", "text": "{{ s }}"}], matrix={"s": values})))
    assert [each.job.payload["prompt"] for each in made.jobs] == values


@pytest.mark.parametrize(("text", "codes"), [("still", []), ('{{ row["image"] | length }} still', ["E317"])])
def test_columns_that_only_row_reaches_are_checked_where_a_template_uses_it(tmp_path, text, codes):
    (tmp_path / "t.csv").write_text("image;A note\np0.jpg;{{ x }}\n", encoding="utf-8")
    path = write_manifest(tmp_path, images=[{"table": "t.csv"}], prompts=[{"id": "a", "text": text}])
    found = diagnose(path) if codes else make_plan(load(path)).diagnostics
    assert [each.code for each in found] == codes
