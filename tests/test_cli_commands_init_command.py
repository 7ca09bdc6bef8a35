from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from runner.cli.commands.init_command import adapted
from runner.manifest.reader import load
from runner.shipped import shipped, shipped_models
from tests.command import SANDBOX, call
from tests.kit import sampled


def test_what_init_makes_plans_as_it_stands(tmp_path):
    folder = tmp_path / "deep" / "demo"
    ended = call("init", folder)
    assert (ended.code, ended.err) == (0, "")
    manifest = folder / "campaign.yaml"
    assert f"Next: reelrun run {manifest} --sandbox" in ended.out
    plan = call("plan", manifest, "--json")
    assert plan.code == 0
    assert plan.document["totals"]["submit"] == len(plan.document["jobs"]) > 0


def test_results_stay_in_the_folder_and_out_of_git(tmp_path):
    call("init", tmp_path / "demo")
    output = load(tmp_path / "demo" / "campaign.yaml").output
    assert output.dir.is_relative_to((tmp_path / "demo" / "outputs").resolve())
    assert (tmp_path / "demo" / ".gitignore").read_text().split() == ["outputs/", "outputs-sandbox/"]


def test_the_editor_finds_the_schema(tmp_path):
    call("init", tmp_path / "demo")
    found = re.search(
        r"^# yaml-language-server: \$schema=(.*)$", (tmp_path / "demo" / "campaign.yaml").read_text(), re.M
    )
    assert found
    schema = tmp_path / "demo" / found.group(1)
    assert schema.read_bytes() == (shipped("schemas") / "manifest.schema.json").read_bytes()


def test_the_example_is_adapted_and_otherwise_the_same():
    text = "# yaml-language-server: $schema=../schemas/manifest.schema.json\noutput: {dir: ../outputs/x}\n"
    assert adapted(text) == "# yaml-language-server: $schema=.reelrun/manifest.schema.json\noutput: {dir: outputs/x}\n"


def test_one_job_of_it_runs(tmp_path):
    call("init", tmp_path / "demo")
    manifest = tmp_path / "demo" / "campaign.yaml"
    first = call("plan", manifest, "--json").document["jobs"][0]["key"]
    ended = call("run", manifest, *SANDBOX, "--only", first, "--json")
    assert ended.code == 0
    assert ended.document["submitted"] == 1


def test_an_empty_folder_will_do(tmp_path):
    assert call("init", tmp_path).code == 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("*.pyc", "*.pyc\noutputs/\noutputs-sandbox/\n", "Added to .gitignore: outputs/ outputs-sandbox/"),
        ("outputs/\n", "outputs/\noutputs-sandbox/\n", "Added to .gitignore: outputs-sandbox/"),
        ("outputs-sandbox/\n outputs/", None, "Nothing to add to .gitignore: outputs/ outputs-sandbox/"),
    ],
)
def test_a_gitignore_that_is_there_is_added_to(tmp_path, before, after, told):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text(before)
    ended = call("init", tmp_path)
    assert (ended.code, (tmp_path / ".gitignore").read_text()) == (0, before if after is None else after)
    assert told in ended.out


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "demo" / ".gitignore").symlink_to(tmp_path / "mine")
    assert call("init", tmp_path / "demo").code == 7
    assert (tmp_path / "mine").read_text() == "precious"


def test_verdicts_and_the_lockfile_are_text_for_git(tmp_path):
    call("init", tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "campaign.verdicts").mkdir()
    for name in ("campaign.verdicts/ann.jsonl", "campaign.lock.json", "campaign.yaml"):
        (tmp_path / name).touch()
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=tmp_path).returncode == 1
    assert subprocess.run(["git", "check-ignore", "-q", "outputs/x/state.sqlite"], cwd=tmp_path).returncode == 0


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine").write_text("precious")
    for folder in (tmp_path, tmp_path / "mine"):
        ended = call("init", folder)
        assert (ended.code, ended.out) == (2, "")
        assert "nothing was changed" in ended.err
    assert os.listdir(tmp_path) == ["mine"]
    assert (tmp_path / "mine").read_text() == "precious"


def test_places_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "x", tmp_path / ("x" * 300), Path("/proc/reelrun-demo")):
        ended = call("init", folder)
        assert (ended.code, ended.out) == (7, "")
        assert "error: " in ended.err
        assert "help: " in ended.err


@pytest.mark.parametrize("model", sampled(list(shipped_models()), 5))
def test_a_manifest_for_one_model_fits_it(tmp_path, model):
    ended = call("init", tmp_path / "demo", "--model", model)
    assert (ended.code, ended.err) == (0, "")
    plan = call("plan", tmp_path / "demo" / "campaign.yaml", "--json")
    assert plan.code == 0, plan.err
    assert {each["model"] for each in plan.document["jobs"]} == {model}


@pytest.mark.parametrize("model", ["kling-v3-text-to-video", "kling-v3-image-to-video"])
def test_what_was_made_for_one_model_runs(tmp_path, model):
    call("init", tmp_path / "demo", "--model", model)
    ended = call("run", tmp_path / "demo" / "campaign.yaml", *SANDBOX, "--json")
    assert (ended.code, ended.document["submitted"]) == (0, ended.document["totals"]["succeeded"])


def test_a_model_that_is_none(tmp_path):
    ended = call("init", tmp_path / "demo", "--model", "wan2.7-i2w")
    assert (ended.code, (tmp_path / "demo").exists()) == (2, False)
    assert "did you mean 'wan2.7-i2v'?" in ended.err
