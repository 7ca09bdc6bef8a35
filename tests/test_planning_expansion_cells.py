from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from runner.errors import ManifestError
from runner.manifest.reader import load
from runner.planning.expansion.cells import Expansion
from runner.planning.plan import make_plan
from runner.planning.plan_diagnostics import PlanDiagnostics
from runner.planning.templates.template import Templates
from runner.planning.templates.watch import TICK
from tests.kit import MODEL, picture_bytes, write_manifest


def planned(folder: Path, **keys):
    return [each.job for each in make_plan(load(write_manifest(folder, **keys))).jobs]


def wrong(folder: Path, **keys):
    return diagnose(write_manifest(folder, **keys))


def diagnose(path: Path):
    with pytest.raises(ManifestError) as caught:
        make_plan(load(path))
    return caught.value.diagnostics


def marked(found, text: str) -> str:
    """What the caret is under."""
    line = text.split("\n")[found.position.line - 1]
    return line[found.position.column - 1 : found.position.column - 1 + found.position.length]


def prompt(text: str, **more):
    return [{"id": "plain", "text": text, **more}]


def test_defaults_are_in_the_payload(tmp_path):
    (job,) = planned(tmp_path)
    assert {**job.payload, "image": None} == {
        "image": None,
        "prompt": "A slow push-in",
        "negative_prompt": "",
        "duration": "5",
        "cfg_scale": 0.5,
    }
    assert str(job.payload["image"]).startswith("sha256:")
    assert job.seconds == 5.0


def test_none_leaves_a_parameter_out(tmp_path):
    (job,) = planned(tmp_path, params={"negative_prompt": "{{ none }}", "cfg_scale": None, "duration": "{{ none }}"})
    assert set(job.payload) == {"image", "prompt"}
    assert job.seconds == 5.0, "the service makes its default length"


def test_a_template_that_is_one_expression_keeps_its_type(tmp_path):
    jobs = planned(tmp_path, matrix={"cfg": [0, 0.3, 1.0]}, params={"cfg_scale": "{{ cfg }}"}, prompts=prompt("x"))
    assert [job.payload["cfg_scale"] for job in jobs] == [0, 0.3, 1.0]
    (found,) = wrong(tmp_path, matrix={"cfg": [0.3]}, params={"cfg_scale": " {{ cfg }}"}, prompts=prompt("{{ cfg }}"))
    assert found.code == "E204"


def test_text_that_looks_like_a_number_stays_text(tmp_path):
    (job,) = planned(tmp_path, vars={"length": "10"}, params={"duration": "{{ length }}"})
    assert job.payload["duration"] == "10"
    assert job.seconds == 10.0


def test_params_of_an_arm_win(tmp_path):
    arms = [{"id": "a", "text": "x"}, {"id": "b", "text": "x", "params": {"cfg_scale": 0.9}}]
    jobs = planned(tmp_path, prompts=arms, params={"cfg_scale": 0.2, "duration": "10"})
    assert [(job.payload["cfg_scale"], job.payload["duration"]) for job in jobs] == [(0.2, "10"), (0.9, "10")]


def test_what_a_template_knows(tmp_path):
    names = (
        "{{ image.id }} {{ image.width }}x{{ image.height }} {{ prompt.id }} {{ model }} {{ take }} {{ name }} {{ a }}"
    )
    (job,) = planned(tmp_path, prompts=prompt(names + " {{ b }} {{ c }}"), vars={"a": 1}, matrix={"b": [2]}, images=[
        {"file": "p0.jpg", "vars": {"c": 3}}
    ])  # fmt: skip
    assert job.payload["prompt"] == f"p0 320x320 plain {MODEL} 1 test 1 2 3"


def test_names_of_an_include_may_be_missing_elsewhere(tmp_path):
    matrix = {"s": ["a", "b"], "include": [{"s": "a", "extra": "E"}]}
    texts = [
        job.payload["prompt"]
        for job in planned(tmp_path, matrix=matrix, prompts=prompt("{{ s }}{{ extra | default('-') }}"))
    ]
    assert texts == ["aE", "b-"]
    (found,) = wrong(tmp_path, matrix=matrix, prompts=prompt("{{ s }}{{ extra }}"))
    assert found.code == "E311"
    assert "'extra'" in found.message


def test_variables_are_those_of_the_variant(tmp_path):
    matrix = {"s": ["a", "b"], "include": [{"s": "a", "extra": "E"}]}
    jobs = planned(tmp_path, matrix=matrix, vars={"constant": 1}, prompts=prompt("{{ s }}"))
    assert [job.variables for job in jobs] == [{"s": "a", "extra": "E"}, {"s": "b"}]


def test_every_model_is_rendered_for_itself(tmp_path):
    other = "Kling-Image2Video-V1.6-Pro"
    jobs = planned(tmp_path, model=[MODEL, other], prompts=prompt("{{ model }}"))
    assert [(job.model, job.payload["prompt"]) for job in jobs] == [(MODEL, MODEL), (other, other)]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"vars": {"s": 1}, "matrix": {"s": [1]}}, "vars:\n  s: 1"),
        ({"images": [{"file": "p0.jpg", "vars": {"s": 1}}], "matrix": {"s": [1]}}, "    s: 1"),
        ({"images": [{"file": "p0.jpg", "vars": {"s": 1}}], "vars": {"s": 1}}, "    s: 1"),
        ({"vars": {"s": 1}, "matrix": {"t": [1], "include": [{"s": 2}]}}, "vars:\n  s: 1"),
        ({"vars": {"take": 1}}, "  take: 1"),
        ({"vars": {"name": "x"}}, "  name: x"),
        ({"matrix": {"image": ["a"]}}, "  image:"),
        ({"matrix": {"s": ["a"], "include": [{"take": 2}]}}, "  - take: 2"),
        ({"images": [{"file": "p0.jpg", "vars": {"model": "m"}}]}, "    model: m"),
    ],
)
def test_a_name_set_twice_is_told_at_its_key(tmp_path, keys, line):
    path = write_manifest(tmp_path, **keys)
    text = path.read_text()
    (found,) = diagnose(path)
    assert found.code == "E312"
    assert text.count(line) == 1
    wanted = line.split("\n")[-1].strip("- ")
    assert marked(found, text) == wanted.split(":")[0]
    assert found.position.line == text[: text.index(line) + len(line)].count("\n") + 1


def test_a_name_that_only_includes_share_is_no_fault(tmp_path):
    include = [{"s": "a", "extra": 1}, {"s": "b", "extra": 2}]
    assert len(planned(tmp_path, matrix={"s": ["a", "b"], "include": include}, prompts=prompt("{{ s }}"))) == 2


def test_a_column_that_is_an_axis_is_told_once(tmp_path):
    (tmp_path / "t.csv").write_text("image,id,s\n" + "".join(f"p0.jpg,r{row},x\n" for row in range(30)))
    (found,) = wrong(tmp_path, images=[{"table": "t.csv"}], matrix={"s": ["a"]})
    assert (found.code, found.position.file.split("/")[-1], found.position.line) == ("E312", "t.csv", 1)
    assert "in 30" not in found.message


def test_an_include_that_names_what_is_outside_is_told_once(tmp_path):
    (found,) = wrong(tmp_path, matrix={"s": ["a"], "include": [{"image": "p0"}]})
    assert found.code == "E503"


BLOCK = """version: 1
model: {model}
images:
- file: p0.jpg
prompts:
- id: folded
  text: |
    The first line stands,
    and the second has {{{{ surfce }}}} in it.
- id: sound
  text: {{{{ surface }}}} is quoted below
matrix:
  surface: [wet rock, warm sand]
"""


def test_a_block_scalar_has_its_own_lines(tmp_path):
    path = write_manifest(tmp_path)
    text = BLOCK.format(model=MODEL).replace("{{ surface }} is", "'{{ surface }} is").replace("below", "below'")
    path.write_text(text)
    (found,) = diagnose(path)
    assert (found.code, found.position.line, marked(found, text)) == ("E311", 9, "surfce")
    assert "'surface'" in found.hint
    assert found.message.endswith("(in 2 of 4 cells; the first is p0/folded/surface=wet-rock/take-1)")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_prompt_file_has_its_own_lines(tmp_path, newline):
    (tmp_path / "mood.j2").write_bytes(f"Line one{newline}and {{{{ nope }}}} here{newline}".encode())
    (found,) = wrong(tmp_path, prompts=[{"id": "mood", "file": "mood.j2"}])
    assert found.position.file.endswith("mood.j2")
    assert (found.code, found.position.line, found.position.column, found.position.length) == ("E311", 2, 8, 4)
    assert found.source == "and {{ nope }} here"


def test_syntax_in_common_params_is_told_once_for_all_arms(tmp_path):
    arms = [{"id": name, "text": "x"} for name in "abc"]
    (found,) = wrong(tmp_path, prompts=arms, params={"negative_prompt": "{{ x "})
    assert found.code == "E301"
    assert "cells" not in found.message


def test_a_template_inside_a_list_is_told_at_its_own_place(tmp_path):
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"image": {"type": "string"}, "prompt": {"type": "string"}, "tags": {"type": "array"}},
    }
    (tmp_path / "own.json").write_text(json.dumps(schema))
    path = write_manifest(
        tmp_path, model="own", models={"own": "own.json"}, params={"tags": ["fine", "not {{ this }}"]}
    )
    (found,) = diagnose(path)
    assert (found.code, marked(found, path.read_text())) == ("E311", "this")


def test_values_of_many_cells_that_the_api_refuses_are_one_diagnostic(tmp_path):
    path = write_manifest(tmp_path, matrix={"cfg": [0.5, 2, 3]}, params={"cfg_scale": "{{ cfg }}"}, prompts=prompt("x"))
    (found,) = diagnose(path)
    assert found.code == "E205"
    assert "(in 2 of 3 cells; the first is p0/plain/cfg=2/take-1)" in found.message
    assert marked(found, path.read_text()) == "'{{ cfg }}'"


def test_all_problems_come_in_one_run(tmp_path):
    found = wrong(
        tmp_path,
        prompts=[{"id": "a", "text": "{{ nope }}"}, {"id": "b", "text": "x" * 2501}],
        params={"cfg_scale": "{{ 7 }}"},
    )
    assert sorted(each.code for each in found) == ["E205", "E206", "E311"]
    assert [each.position for each in found] == sorted(each.position for each in found)


def test_an_output_template_that_leaves_the_folder(tmp_path):
    path = write_manifest(tmp_path, output={"dir": "out", "file": "../{{ image.id }}"})
    (found,) = diagnose(path)
    assert (found.code, marked(found, path.read_text())) == ("E601", "../{{ image.id }}")


def test_what_a_variable_holds_is_made_safe(tmp_path):
    hostile = ["../../x", "/abs", "a/b", "👨‍👩‍👧", "y" * 300, "CON"]
    jobs = planned(tmp_path, matrix={"s": hostile}, prompts=prompt("{{ s }}"), output={"dir": "out", "file": "{{ s }}"})
    assert [job.output for job in jobs[:4]] == ["x", "abs", "a/b", "👨-👩-👧"]
    assert len(jobs[4].output) == 160
    assert jobs[5].output == "_CON"


def test_cells_come_image_by_image(tmp_path):
    jobs = planned(tmp_path, pictures=2, matrix={"s": ["a", "b"]}, takes=2, prompts=prompt("{{ s }}"))
    assert [job.key for job in jobs] == [
        f"{image}/plain/s={value}/take-{take}" for image in ("p0", "p1") for value in "ab" for take in (1, 2)
    ]


def test_cells_of_a_table_have_its_columns(tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture_bytes(7))
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "id", "weight"], ["a.jpg", "one", "1.5"], ["a.jpg", "two", ""]])
    jobs = planned(tmp_path, images=[{"table": "t.csv"}], prompts=prompt("{{ weight | float(2) }} of {{ weight }}"))
    assert [job.payload["prompt"] for job in jobs] == ["1.5 of 1.5", "2 of "]


def test_a_prompt_is_made_with_its_pictures_alone(tmp_path):
    arms = [{"id": "a", "text": "pan", "images": ["p1"]}, {"id": "b", "text": "tilt"}]
    jobs = planned(tmp_path, pictures=2, prompts=arms)
    assert [job.key for job in jobs] == ["p0/b/take-1", "p1/a/take-1", "p1/b/take-1"]


def test_what_is_no_number_is_told_at_the_value(tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture_bytes(7))
    (tmp_path / "t.csv").write_text('image,id,weight,cfg\na.jpg,one,1.5,\na.jpg,two,"0,7",x\n')
    found = wrong(
        tmp_path,
        images=[{"table": "t.csv"}],
        prompts=prompt("{{ weight | float }} {{ cfg | float(1) }} {{ size | int }} {{ (size ~ 'x') | int }}"),
        matrix={"size": ["5", "5s"]},
        params={"cfg_scale": "{{ cfg | float }}"},
    )
    assert set(codes(found)) == {"E320"}
    assert "- 5s" in [each.source.strip() for each in found]
    by_place = [(each.position.line, each.position.column) for each in found if each.position.file.endswith("t.csv")]
    assert by_place == [(2, 15), (3, 11), (3, 17)]
    assert "in 2 of 4 cells" in found[-1].message


def codes(found):
    return [each.code for each in found]


def test_all_unknown_variables_of_a_template_are_told(tmp_path):
    text = "{{ a }} and {{ b }}, {{ a }} again, {{ c | default('') }}{% if d %}{{ e }}{% endif %}"
    path = write_manifest(tmp_path, prompts=prompt(text))
    found = diagnose(path)
    assert [(each.code, marked(each, path.read_text())) for each in found] == [("E311", name) for name in "abd"]
    # What is assumed to go on is not offered as a name.
    assert {each.hint for each in found} == {"known here: image, model, name, prompt, take"}


def test_what_fails_because_a_variable_is_unknown_is_not_told(tmp_path):
    found = wrong(tmp_path, prompts=prompt("{{ a + 1 }}"), params={"duration": "{{ b }}", "cfg_scale": "{{ b }}"})
    assert codes(found) == ["E311"] * 3


def test_unknown_variables_of_the_output_are_told_with_all_else(tmp_path):
    found = wrong(
        tmp_path,
        prompts=prompt("{{ a }}"),
        params={"duration": "{{ 5 }}"},
        output={"dir": "out", "file": "{{ b }}-{{ c }}"},
    )
    assert sorted(codes(found)) == ["E204", "E311", "E311", "E311"]


def test_a_template_that_cannot_be_read_hides_nothing_else(tmp_path):
    arms = [{"id": "a", "text": "{{ x", "params": {"duration": "{{ 5 }}"}}, {"id": "b", "text": "{{ y }}"}]
    found = wrong(tmp_path, prompts=arms, params={"cfg_scale": "{{ 1 +", "negative_prompt": "{{ 5 }}"})
    assert sorted(codes(found)) == ["E204", "E204", "E301", "E301", "E311"]


def test_nothing_more_is_said_of_a_parameter_without_a_value(tmp_path):
    own = {"type": "object", "required": ["image", "n"], "properties": {"image": {}, "prompt": {}, "n": {}, "m": {}}}
    together = {**own, "dependentRequired": {"m": ["n"]}}
    for number, (schema, n) in enumerate([(own, "{{ n"), (own, "{{ n }}"), (together, "{{ n }}")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "own.json").write_text(json.dumps(schema))
        found = wrong(folder, model="own", models={"own": "own.json"}, params={"n": n, "m": 1})
        assert codes(found) == ["E301" if n == "{{ n" else "E311"]


def test_entries_of_the_matrix_with_problems_hide_nothing_else(tmp_path):
    axes = {"s": [1, 2], "t": [1, 2, 3]}
    entries = {"zip": [["s", "t"]], "exclude": [{"u": 1}, {"s": 2}], "include": [{"image": "p0", "v": 3}]}
    found = wrong(tmp_path, matrix={**axes, **entries}, prompts=prompt("{{ s }} {{ v }} {{ w }}"), takes=1)
    assert sorted(codes(found)) == ["E311", "E501", "E502", "E503"]
    # Nor do they invent anything: without them there are more cells than were meant.
    limited = {"budget": {"max_jobs": 1}, "output": {"dir": "out", "file": "same"}}
    found = wrong(tmp_path, matrix={**axes, **entries}, prompts=prompt("{{ s }} {{ v }}"), **limited)
    assert sorted(codes(found)) == ["E501", "E502", "E503"]


def test_a_product_that_is_too_large_is_not_expanded(tmp_path):
    found = wrong(tmp_path, matrix={name: list(range(100)) for name in "abcd"}, prompts=prompt("{{ x }} {{ y"))
    assert sorted(codes(found)) == ["E301", "E505"]


@pytest.mark.parametrize(
    ("seconds", "allows_slow", "made"), [(10, False, 2), (10, True, 100), (5, False, 100), (0.25, False, 100)]
)
def test_a_sweep_that_would_be_rendered_for_longer_than_anybody_waits_is_refused(tmp_path, seconds, allows_slow, made):
    """In time that passes with each cell: 100 of 10 s are more than 10 minutes. The takes of a cell come together."""
    manifest = load(write_manifest(tmp_path, matrix={"n": list(range(50))}, takes=2, prompts=prompt("{{ n }}")))
    diagnostics, templates = PlanDiagnostics(manifest), Templates()
    jobs = []
    for job in Expansion(manifest, templates, diagnostics, allows_slow=allows_slow).jobs():
        jobs.append(job)
        templates.watch.ticks += int(seconds / TICK)
    assert len(jobs) == made
    found = diagnostics.ordered(100)
    assert codes(found) == ([] if made == 100 else ["E318"])
    for each in found:
        assert each.message == "rendering takes too long: 20 s for 2 of 100 cells"
        assert "validate --slow" in each.hint
        assert marked(each, manifest.path.read_text()) == "prompts"


def test_a_column_that_is_no_number_is_told_at_its_cell(tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture_bytes(7))
    (tmp_path / "t.csv").write_text("image,Unit Price\na.jpg,5 EUR\n")
    (found,) = wrong(tmp_path, images=[{"table": "t.csv"}], prompts=prompt("{{ row['Unit Price'] | float }}, pan"))
    assert (found.code, found.position.line, found.position.column) == ("E320", 2, 7)
