"""Constants that are made from others and from the manifest's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import Diagnostic, ManifestError
from runner.manifest.reader import load
from runner.planning.plan import make_plan
from tests.kit import write_manifest
from tests.warned import marked


def rendered(folder: Path, text: str, **constants: object) -> str:
    """The prompt of the only cell."""
    (planned,) = make_plan(load(write_manifest(folder, prompts=[{"id": "a", "text": text}], vars=constants))).jobs
    return str(planned.job.payload["prompt"])


def diagnose(folder: Path, text: str = "still", **constants: object) -> tuple[Diagnostic, ...]:
    with pytest.raises(ManifestError) as caught:
        rendered(folder, text, **constants)
    return caught.value.diagnostics


def test_constants_are_made_from_others_in_any_order_and_from_the_name(tmp_path):
    constants = {"whole": "{{ look }} {{ name }}", "look": "{{ tone }} light", "tone": "warm"}
    assert rendered(tmp_path, "{{ whole }}", **constants) == "warm light test"


def test_an_expression_keeps_its_type_at_any_depth(tmp_path):
    constants = {"base": 0.5, "set": {"scales": ["{{ base * 2 }}", "x {{ base }}"]}}
    text = "{{ set.scales[0] + 1 }}, {{ set.scales[1] }}"
    assert rendered(tmp_path, text, **constants) == "2.0, x 0.5"


def test_fragments_serve_constants_too(tmp_path):
    (tmp_path / "brand.j2").write_text("{% macro voice(thing) %}a calm {{ thing }}{% endmacro %}")
    constants = {"what": "{% from 'brand.j2' import voice %}{{ voice(thing) }}", "thing": "shoe"}
    assert rendered(tmp_path, "{{ what }}", **constants) == "a calm shoe"


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"a": "{{ b }}", "b": "{{ a }}"}, "the constants need each other: a -> b -> a"),
        ({"x": "{{ a }}", "a": "{{ b }}", "b": ["{{ c }}"], "c": "{{ a }}"}, "a -> b -> c -> a"),
        ({"a": "{{ a }}"}, "a -> a"),
    ],
)
def test_constants_that_need_each_other(tmp_path, constants, message):
    (found,) = diagnose(tmp_path, **constants)
    assert found.code == "E319"
    assert message in found.message
    assert marked(found).strip("'") == constants["a"]


@pytest.mark.parametrize("name", ["surface", "image", "take", "model", "prompt"])
def test_a_constant_knows_no_variables_of_cells(tmp_path, name):
    (found,) = diagnose(tmp_path, c=f"{{{{ {name} }}}}", d="x")
    assert (found.code, marked(found), found.hint) == ("E311", name, "known here: d, name")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("{{ d", "E301", "d"),
        ("{{ 1 / 0 }}", "E313", "1 / 0"),
        ("x {{ [1] }}", "E316", "[1]"),
        ("{{ dd }}", "E311", "dd"),
    ],
)
def test_a_constant_that_cannot_be_rendered_is_told_once_at_its_place(tmp_path, text, code, place):
    (found,) = diagnose(tmp_path, "{{ c }} and {{ d }}", c=text, d=1)
    assert (found.code, marked(found)) == (code, place)
    assert "cells" not in found.message


def test_all_unknown_variables_of_constants_are_told(tmp_path):
    found = diagnose(tmp_path, a="{{ x }} {{ y }}", b=["{{ z }}"])
    assert [(each.code, marked(each)) for each in found] == [("E311", name) for name in "xyz"]


def test_what_is_no_number_is_told_at_the_constant_that_has_it(tmp_path):
    (found,) = diagnose(tmp_path, "{{ count }}", count="{{ size | int }}", size="5s")
    assert (found.code, marked(found), found.hint) == ("E320", "5s", "write 5, without 's'")
