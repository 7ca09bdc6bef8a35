"""Numbers that a text holds in another spelling."""

from __future__ import annotations

import pytest

from runner.manifest.overrides import with_set
from runner.manifest.reader import read
from runner.planning.plan import make_plan
from tests.kit import write_manifest


def told(folder, written, text="{{ x }} pans", **keys):
    prompts = [{"id": "a", "text": text}]
    path = write_manifest(folder, **{"prompts": prompts, "vars": {"x": 12345}, **keys})
    path.write_text(path.read_text().replace("12345", written))
    reading = read(path)
    found = make_plan(reading.valid(), warnings=reading.diagnostics).diagnostics
    return [(each.code, each.message.partition(",")[0]) for each in found if each.code != "W332"]


@pytest.mark.parametrize(
    ("written", "number"), [("1.10", "1.1"), ("0x1F", "31"), ("1_000", "1000"), ("0b101", "5"), ("2.00", "2.0")]
)
def test_the_number_is_told_as_it_would_stand_in_the_text(tmp_path, written, number):
    assert told(tmp_path, written) == [("W342", f"YAML reads {written} as the number {number}")]


@pytest.mark.parametrize("written", ["1.5", "5", "-3", "+5", ".5", '"1.10"', "1.0", "true"])
def test_a_number_that_stays_as_it_is_written(tmp_path, written):
    text = "{{ x | string }} pans" if written == "true" else "{{ x }} pans"
    assert told(tmp_path, written, text) == []


def test_only_numbers_that_stand_in_a_text_count(tmp_path):
    assert told(tmp_path, "0.50", "pan", params={"cfg_scale": "{{ x }}"}) == []
    assert told(tmp_path, "0.50", "{% if x > 1 %}pan{% endif %} tilt", vars={"x": 12345}) == []
    assert told(tmp_path, "0.50", "{{ x }}")[0][0] == "W342"


def test_wherever_a_value_may_stand(tmp_path):
    matrix = {"x": [1, 12345], "include": [{"x": 1, "y": 12345}]}
    found = told(tmp_path, "1.10", "{{ x }} {{ y | default('') }}, pan", vars={}, matrix=matrix)
    assert [each[0] for each in found] == ["W342"]


def test_octal_numbers_have_a_warning_of_their_own(tmp_path):
    assert [code for code, _ in told(tmp_path, "0017")] == ["W901"]


def test_a_value_that_is_set_is_not_compared_with_the_manifest(tmp_path):
    manifest = read(write_manifest(tmp_path, prompts=[{"id": "a", "text": "{{ x }} pans"}], vars={"x": 1})).valid()
    changed, _ = with_set(manifest, ["x=2"])
    assert make_plan(changed).diagnostics == ()
