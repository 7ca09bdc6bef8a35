"""Arms: what a prompt and its parameters make of variables, and where what they cannot make was written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.manifest.reader import load
from runner.model import Prompt
from runner.planning.expansion.arms import Compiler, errors_in
from runner.planning.expansion.evaluation import PlacedTemplateError
from runner.planning.plan_diagnostics import Place, PlanDiagnostics
from runner.planning.templates.template import Templates
from tests.kit import write_manifest


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arms")
    (folder / "alone.j2").write_text("{{ thing }} pans")
    return load(write_manifest(folder))


@pytest.fixture
def arm_of(manifest):
    """The only arm of a manifest with this prompt, and the faults that compiling it found."""

    def made(text="still", common=None, **own):
        changed = replace(manifest, params=common or {}, prompts=(Prompt("a", text, own, ("prompts", 0)),))
        diagnostics = PlanDiagnostics(changed)
        (arm,) = Compiler(Templates(changed.folders), diagnostics).arms(changed).values()
        return arm, [each.code for each in diagnostics.ordered(0)]

    return made


def values(arm, **variables):
    return {each.name: each.evaluate(variables) for each in arm.parameters}


def test_the_prompt_comes_first_and_its_own_parameters_win(arm_of):
    arm, codes = arm_of("{{ thing }} pans", {"cfg_scale": 0.5, "duration": "5"}, cfg_scale=0.7)
    assert codes == []
    assert list(values(arm, thing="rock").items()) == [("prompt", "rock pans"), ("cfg_scale", 0.7), ("duration", "5")]


def test_a_lone_expression_keeps_its_type_and_text_around_it_makes_text(arm_of):
    arm, _ = arm_of("{{ n }}", cfg_scale="{{ n }}", negative_prompt="{{ n }} dogs", mode="{{ none }}")
    assert values(arm, n=2) == {"prompt": "2", "cfg_scale": 2, "negative_prompt": "2 dogs", "mode": None}


def test_templates_are_found_at_any_depth(arm_of):
    arm, _ = arm_of(camera={"moves": ["{{ move }}", 3, {"speed": "{{ speed }}"}]})
    assert values(arm, move="pan", speed=0.5)["camera"] == {"moves": ["pan", 3, {"speed": 0.5}]}
    assert arm.names == {"move", "speed"}


@pytest.mark.parametrize(
    ("value", "constant"), [("{{ a }}", False), ("fixed", True), ([1, "{{ a }}"], False), (5, True)]
)
def test_what_names_no_variable_is_constant(arm_of, value, constant):
    arm, _ = arm_of(mode=value)
    assert [each.is_constant for each in arm.parameters] == [True, constant]


def test_what_cannot_be_compiled_is_told_and_has_no_value(arm_of):
    arm, codes = arm_of("{{ thing", cfg_scale="{% if %}", duration="5")
    assert len(codes) == 2
    assert [each.is_valid for each in arm.parameters] == [False, False, True]
    assert not arm.is_valid
    assert values(arm) == {"prompt": None, "cfg_scale": None, "duration": "5"}


def test_a_fault_names_the_place_of_its_template(arm_of):
    arm, _ = arm_of(camera={"moves": ["still", "{{ move }}"]})
    with pytest.raises(PlacedTemplateError) as caught:
        values(arm)
    assert caught.value.place == Place(("prompts", 0, "params", "camera", "moves", 1))
    assert caught.value.diagnostic.unknown == "move"


def unknown_of(arm, **variables):
    """The unknown variables of the faults that an arm's prompt has."""
    evaluate = arm.parameters[0].evaluate
    with pytest.raises(PlacedTemplateError) as caught:
        evaluate(variables)
    return [each.diagnostic.unknown for each in errors_in(evaluate, variables, caught.value)]


def test_all_unknown_variables_of_a_value_are_found_and_nothing_that_follows_from_them(arm_of):
    arm, _ = arm_of("{{ one }} {{ known }} {{ two }} {{ one }} {{ two / 2 }}")
    assert unknown_of(arm, known=1) == ["one", "two"]
    assert unknown_of(arm_of("{{ 1 / zero }}")[0], zero=0) == [""]


def test_a_variable_that_a_fragment_does_not_see_is_told_once(arm_of):
    arm, _ = arm_of("{% include 'alone.j2' without context %}")
    assert unknown_of(arm, thing="rock") == ["thing"]
