from __future__ import annotations

import json

import pytest

from runner.shipped import shipped_models
from tests.kit import MODEL
from tests.warned import diagnostics, marked, warnings

STILL = "the prompt says neither what moves nor what the camera does"


def prompt(text, **params):
    return [{"id": "plain", "text": text, **({"params": params} if params else {})}]


@pytest.fixture
def hints(tmp_path):
    def of(code, **keys):
        return [each.hint for each in diagnostics(tmp_path, **keys) if each.code == code]

    return of


def test_a_manifest_that_follows_all_tips(tmp_path):
    assert warnings(tmp_path) == []


# Motion


def test_a_prompt_without_motion(tmp_path):
    assert warnings(tmp_path, prompts=prompt("The shoe on rock")) == [f"W801 The shoe on rock: {STILL}"]


def test_the_motion_may_come_from_the_matrix(tmp_path):
    keys = {"prompts": prompt("The shoe, {{ camera }}"), "matrix": {"camera": ["push-in", "static camera"]}}
    assert warnings(tmp_path, **keys) == []


def test_cells_without_motion_are_counted(tmp_path):
    keys = {
        "prompts": prompt("The shoe, {{ camera }}"),
        "matrix": {"camera": ["push-in", "close-up", "wide angle"]},
        "takes": 2,
    }
    (found,) = warnings(tmp_path, **keys)
    assert found == (
        f"W801 The shoe, {{{{ camera }}}}: {STILL} (in 4 of 6 cells; the first is p0/plain/camera=close-up/take-1)"
    )


def test_the_only_cell_without_motion_is_named(tmp_path):
    keys = {"prompts": prompt("The shoe, {{ camera }}"), "matrix": {"camera": ["push-in", "close-up"]}}
    (found,) = warnings(tmp_path, **keys)
    assert found.endswith(f"{STILL} (in 1 of 2 cells: p0/plain/camera=close-up/take-1)")


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("The shoe {{ how }}", {"vars": {"how": "spins"}}),
        ("The shoe {{ how }}", {"images": [{"file": "p0.jpg", "vars": {"how": "spins"}}]}),
        ("The shoe {{ how }}", {"matrix": {"include": [{"how": "spins"}, {"how": "turns"}]}}),
        ("The shoe {{ 'spi' ~ 'ns' }}", {}),
        ("The shoe {% if take == 1 %}spins{% else %}turns{% endif %}", {"takes": 2}),
        ("静かな湖の上の小舟 {{ 'x' }}", {}),
        ("静かな湖の上の小舟", {}),
    ],
)
def test_motion_is_found_wherever_it_comes_from(tmp_path, text, more):
    assert warnings(tmp_path, prompts=prompt(text), **more) == []


def test_a_word_that_only_some_renders_hold_is_looked_for_in_each(tmp_path):
    text = "The shoe {% if take == 2 %}spins{% endif %}"
    (found,) = warnings(tmp_path, prompts=prompt(text), takes=3)
    assert "(in 2 of 3 cells; the first is p0/plain/take-1)" in found


# Ranges


def test_a_value_in_no_range(tmp_path):
    keys = {"params": {"negative_prompt": "blurry", "cfg_scale": 0.6}}
    assert warnings(tmp_path, **keys) == [
        "W803 0.6: cfg_scale is 0.6; the vendor advises 0.3 to 0.5 (creative) or 0.7 to 1 (strict adherence)"
    ]


@pytest.mark.parametrize("value", [0.3, 0.4, 0.5, 0.7, 1, 1.0, None, "{{ 0.5 }}", "{{ none }}"])
def test_values_in_a_range_or_left_out(tmp_path, value):
    assert warnings(tmp_path, params={"negative_prompt": "blurry", "cfg_scale": value}) == []


def test_the_values_of_an_axis_are_marked_where_they_stand(tmp_path):
    keys = {
        "params": {"negative_prompt": "blurry", "cfg_scale": "{{ cfg }}"},
        "matrix": {"cfg": [0.1, 0.3, 0.6], "include": [{"cfg": 0.65}]},
        "takes": 2,
    }
    advice = "the vendor advises 0.3 to 0.5 (creative) or 0.7 to 1 (strict adherence)"
    assert warnings(tmp_path, **keys) == [
        f"W803 0.1: cfg_scale is 0.1; {advice} (in 2 of 8 cells; the first is p0/plain/cfg=0.1/take-1)",
        f"W803 0.6: cfg_scale is 0.6; {advice} (in 2 of 8 cells; the first is p0/plain/cfg=0.6/take-1)",
        f"W803 0.65: cfg_scale is 0.65; {advice} (in 2 of 8 cells; the first is p0/plain/cfg=0.65/take-1)",
    ]


def test_a_value_that_no_cell_has_is_not_told(tmp_path):
    keys = {
        "prompts": [*prompt("Slow push-in", cfg_scale=0.5)],
        "params": {"negative_prompt": "blurry", "cfg_scale": "{{ cfg }}"},
        "matrix": {"cfg": [0.1, 0.3]},
    }
    assert warnings(tmp_path, "W803", **keys) == []


def test_the_values_of_other_templates_share_a_place(tmp_path):
    keys = {
        "params": {"negative_prompt": "blurry", "cfg_scale": "{{ cfg / 10 }}"},
        "matrix": {"cfg": [1, 3, 6]},
    }
    (found,) = warnings(tmp_path, **keys)
    assert found.startswith("W803 '{{ cfg / 10 }}': cfg_scale is 0.1; ")
    assert found.endswith("(in 2 of 3 cells; the first is p0/plain/cfg=1/take-1)")


# The negative prompt


@pytest.mark.parametrize("value", ["", "  ", "{% if take > 1 %}x{% endif %}", "{# nothing #}"])
def test_an_empty_negative_prompt(tmp_path, value):
    (found,) = diagnostics(tmp_path, params={"negative_prompt": value})
    assert (found.code, found.message) == ("W804", "the negative prompt is empty")
    assert marked(found).strip("'") == value
    assert found.hint == "name what should not be seen, such as blurry, distorted"


def test_a_negative_prompt_that_is_missing(tmp_path, hints):
    assert warnings(tmp_path, params={"duration": "5"}) == ["W804 params: the negative prompt is empty"]
    assert hints("W804", params={"duration": "5"}) == ['add negative_prompt: "blurry, distorted"']
    assert warnings(tmp_path, params={}) == ["W804 prompts: the negative prompt is empty"]
    assert hints("W804", params={}) == ['add params: {negative_prompt: "blurry, distorted"}']


def test_a_negative_prompt_that_is_left_out_on_purpose(tmp_path):
    assert warnings(tmp_path, params={"negative_prompt": None}) == []
    assert warnings(tmp_path, params={"negative_prompt": "{{ none }}"}) == []


def test_cells_with_an_empty_negative_prompt_are_counted(tmp_path):
    keys = {"params": {"negative_prompt": "{{ avoid }}"}, "matrix": {"avoid": ["blurry", "", " "]}}
    (found,) = warnings(tmp_path, **keys)
    assert found.startswith("W804 '{{ avoid }}': the negative prompt is empty (in 2 of 3 cells; the first is ")


def test_arms_that_lack_one_are_one_warning(tmp_path):
    arms = [{"id": name, "text": f"Slow push-in {name}"} for name in "abc"]
    assert warnings(tmp_path, prompts=arms, params={}) == ["W804 prompts: the negative prompt is empty"]


def model_of(folder, **properties):
    path = folder / "own.schema.json"
    path.write_text(
        json.dumps({"properties": {"image": {"type": "string"}, "prompt": {"type": "string"}, **properties}})
    )
    return {"model": "own", "models": {"own": path.name}, "params": {}}


def test_a_model_that_takes_none_is_not_asked_for_one(tmp_path):
    assert warnings(tmp_path, **model_of(tmp_path)) == []


# Length


BRIEF = 'duration is "10", and the prompt has 5 words or fewer'


@pytest.mark.parametrize(
    ("text", "duration", "is_told"),
    [
        ("Slow push-in", "10", True),
        ("A slow push-in - on rock", "10", True),
        ("A slow push-in on wet rock", "10", False),
        ("Slow push-in", "5", False),
        ("Slow push-in", None, False),
        ("Slow {{ 'push-in' }}", "10", True),
        ("Slow push-in", "{{ '10' }}", True),
        ("Slow push-in", "{{ '5' }}", False),
        ("{{ 'A slow push-in over wet rock' }}", "10", False),
        ("Slow push-in, " + "x" * 80, "10", False),
        ("静かな湖の上の小舟", "10", False),
    ],
)
def test_a_long_video_of_a_short_prompt(tmp_path, text, duration, is_told):
    keys = {"prompts": prompt(text), "params": {"negative_prompt": "blurry", "duration": duration}}
    found = warnings(tmp_path, **keys)
    assert len(found) == is_told
    assert all(each.startswith("W805 ") and BRIEF in each for each in found)


def test_a_short_prompt_is_fine_where_there_is_one_length(tmp_path):
    seconds = {"enum": ["8"], "default": "8", "x-seconds": True}
    assert warnings(tmp_path, **model_of(tmp_path, seconds=seconds)) == []


def test_the_longest_length_may_be_the_default(tmp_path):
    seconds = {"enum": ["4", "8"], "default": "8", "x-seconds": True}
    (found,) = warnings(tmp_path, **model_of(tmp_path, seconds=seconds))
    assert found == 'W805 A slow push-in: seconds is "8", and the prompt has 5 words or fewer'


def test_models_share_a_warning_and_count_together(tmp_path):
    keys = {
        "model": [MODEL, next(each for each in shipped_models() if each != MODEL)],
        "prompts": prompt("The shoe, {{ camera }}"),
        "matrix": {"camera": ["push-in", "close-up"]},
    }
    (found,) = warnings(tmp_path, **keys)
    assert "(in 2 of 4 cells; the first is p0/plain/" in found
