"""Other values for constants."""

from __future__ import annotations

import pytest

from runner.errors import ManifestError, UsageError
from runner.manifest.overrides import differing, with_set
from runner.manifest.reader import load
from runner.planning.plan import digest_of, make_plan
from tests.kit import write_manifest

KEYS = {
    "prompts": [{"id": "plain", "text": "{{ line }} {{ size }} {{ camera }} {{ product }}"}],
    "vars": {"season": "spring", "line": "In {{ season }}", "size": 5},
    "matrix": {"camera": ["pan"]},
}


@pytest.fixture
def manifest(tmp_path):
    path = write_manifest(tmp_path, **KEYS)
    path.write_text(path.read_text().replace("- file: p0.jpg", "- {file: p0.jpg, vars: {product: shoe}}"))
    return load(path)


def prompt_of(manifest):
    (planned,) = make_plan(manifest).jobs
    return planned.job.payload["prompt"]


@pytest.mark.parametrize(
    ("texts", "prompt"),
    [
        (["season=winter"], "In winter 5 pan shoe"),
        (["season=wet = rock"], "In wet = rock 5 pan shoe"),
        (["size=7", "line='{{ season }} {{ size }}'"], "spring 7 7 pan shoe"),
        (['season="#ff0000"'], "In #ff0000 5 pan shoe"),
        (["season="], None),
    ],
)
def test_a_value_is_read_as_yaml_and_rendered_as_constants_are(manifest, texts, prompt):
    changed, found = with_set(manifest, texts)
    assert found == ()
    assert changed.constants == manifest.constants
    if prompt is None:
        assert changed.set == {"season": None}
    else:
        assert prompt_of(changed) == prompt
    assert digest_of(make_plan(manifest).manifest, ()) == digest_of(manifest, ())


def test_only_what_differs_differs(manifest):
    changed, _ = with_set(manifest, ["season=spring", "size=5.0", "line=x"])
    assert differing(changed) == {"line": "x"}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("season", "'season' sets nothing", "write NAME=VALUE"),
        ("=x", "sets nothing", "write NAME=VALUE"),
        ("sesaon=x", "'sesaon', which is not under vars", "did you mean 'season'?"),
        ("camera=tilt", "it is an axis", "--where camera=VALUE"),
        ("product=bag", "it is a variable of pictures", "change it where"),
        ("season=#ff0000", "# begins a comment", "'season=\"#ff0000\"'"),
    ],
)
def test_what_cannot_be_set(manifest, text, message, hint):
    with pytest.raises(UsageError) as caught:
        with_set(manifest, [text])
    assert message in caught.value.message
    assert hint in caught.value.hint
    with pytest.raises(UsageError, match="twice"):
        with_set(manifest, ["season=a", "season=b"])


def test_a_value_that_is_not_yaml_or_not_json_is_told_at_the_flag(manifest):
    for text, code in (("season=[a", "E102"), ("season=2024-05-01", "E106"), ("season={{ x }}", "E106")):
        with pytest.raises(ManifestError) as caught:
            with_set(manifest, [text])
        (found,) = caught.value.diagnostics
        assert (found.code, found.position.file) == (code, "--set season")


def test_a_doubtful_value_is_warned_of(manifest):
    _, found = with_set(manifest, ["season=no", "line=blue #1"])
    assert [(each.code, each.position.file, each.position.column) for each in found] == [
        ("W901", "--set season", 1),
        ("W341", "--set line", 1),
    ]


def test_what_is_wrong_with_a_template_is_told_at_the_flag(manifest):
    changed, _ = with_set(manifest, ["line='{{ sesaon }}'"])
    with pytest.raises(ManifestError) as caught:
        make_plan(changed)
    (found,) = caught.value.diagnostics
    assert (found.code, found.position.file, found.position.column) == ("E311", "--set line", 4)
    assert found.source == "{{ sesaon }}"
