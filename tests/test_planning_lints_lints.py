from __future__ import annotations

import pytest

from runner.errors import ManifestError
from runner.manifest.reader import load, read
from runner.planning.plan import make_plan
from tests.command import call
from tests.kit import write_manifest
from tests.warned import diagnostics, warnings

# One manifest with every warning that planning knows.
EVERY = {
    "prompts": [
        {"id": "still", "text": "Rock"},
        {"id": "spaced", "text": " Rock"},
        {"id": "again", "text": "Rock"},
    ],
    "params": {"cfg_scale": 0.6, "duration": "10"},
    "vars": {"season": "spring"},
    "matrix": {"lens": ["wide"], "exclude": [{"lens": "tele"}], "include": [{"lens": "wide"}]},
    "lint": {},
}
CODES = ["W802", "W801", "W805", "W801", "W805", "W806", "W521", "W801", "W805", "W804", "W803", "W332", "W331"]
CODES += ["W511", "W512"]


def codes(folder, **keys):
    return [each.code for each in diagnostics(folder, **keys)]


def test_all_warnings_are_told_at_once_by_place(tmp_path):
    found = diagnostics(tmp_path, **EVERY)
    assert [each.code for each in found] == CODES
    assert [each.position for each in found] == sorted(each.position for each in found)
    assert all(each.hint for each in found)


@pytest.mark.parametrize("code", sorted(set(CODES)))
def test_each_can_be_switched_off(tmp_path, code):
    assert codes(tmp_path, **{**EVERY, "lint": {"ignore": [code]}}) == [each for each in CODES if each != code]


def test_all_can_be_switched_off(tmp_path):
    assert codes(tmp_path, **{**EVERY, "lint": {"ignore": sorted(set(CODES))}}) == []


def diagnose(folder, **keys):
    reading = read(write_manifest(folder, **keys))
    assert reading.manifest is not None
    with pytest.raises(ManifestError) as caught:
        make_plan(reading.manifest, warnings=reading.diagnostics)
    return [each.code for each in caught.value.diagnostics]


def test_with_an_error_only_what_cannot_follow_from_it_is_told(tmp_path):
    assert diagnose(tmp_path, **{**EVERY, "params": {"cfg_scale": "{{ 7 }}"}}) == ["E205", "W511", "W512"]
    assert diagnose(tmp_path, **{**EVERY, "budget": {"max_jobs": 1}}) == ["W511", "W512", "E507"]
    exclude = [{"lens": "tele"}, {"lense": "wide"}]
    assert diagnose(tmp_path, **{**EVERY, "matrix": {"lens": ["wide"], "exclude": exclude}}) == ["E502"]


def test_a_value_that_is_doubtful_is_not_judged_as_well(tmp_path):
    path = write_manifest(
        tmp_path,
        prompts=[{"id": "plain", "text": "Slow push-in"}],
        params={"cfg_scale": "{{ cfg / 20 }}", "negative_prompt": "blurry"},
        lint={"ignore": ["W802"]},
        matrix={"cfg": ["VALUE"]},
    )
    path.write_text(path.read_text().replace("VALUE", "014").replace("{{ cfg / 20 }}", "{{ cfg }}"))
    reading = read(path)
    assert reading.manifest is not None
    assert [each.code for each in reading.diagnostics] == ["W901"]


def test_an_excluded_arm_is_not_judged(tmp_path):
    arms = [{"id": "plain", "text": "Slow push-in"}, {"id": "still", "text": "Rock"}]
    assert warnings(tmp_path, prompts=arms, matrix={"exclude": [{"prompt": "still"}]}) == []


def test_every_command_that_plans_shows_them(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": "still", "text": "Rock"}], lint={"ignore": ["W802", "W804"]})
    for command in (["validate"], ["plan"], ["run", "--sandbox", "--sandbox-seconds", "0.1"]):
        ended = call(*command, path)
        assert ended.code == 0
        assert "warning[W801]: the prompt says neither what moves nor what the camera does\n" in ended.err
        assert "1 warning." in ended.err


def test_a_plan_from_python_has_them(tmp_path):
    plan = make_plan(load(write_manifest(tmp_path, vars={"season": "spring"})))
    assert [each.code for each in plan.diagnostics] == ["W332"]
