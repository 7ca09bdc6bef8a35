"""What the README shows is what there is: its command lines, its manifest, and its workflow, run as it stands."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft202012Validator

import runner
from runner.cli.arguments import parser
from runner.errors import Exit
from runner.manifest.structure import schema
from tests.command import ROOT, environment
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import few_frames, picture_bytes, write_manifest
from tests.store_proxies import shared

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
YAML = [text for language, text in BLOCKS if language == "yaml"]
(WORKFLOW,) = (yaml.safe_load(text) for text in YAML if ".github/workflows" in text)
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def commands(text):
    """The words of every `reelrun ...` in lines of a shell: up to an operator, without comments."""
    for line in text.splitlines():
        reader = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
        reader.whitespace_split = True
        words: list[str] = []
        for token in [*reader, ";"]:
            if set(token) <= set("&|;<>"):
                if words[:1] == ["reelrun"]:
                    yield words
                words = []
            elif token != "$TAKE_OVER":
                # Which is nothing, or a flag.
                words.append(token)


SHOWN = [
    *(words for language, text in BLOCKS if language == "sh" for words in commands(text)),
    *(words for step in STEPS for words in commands(step.get("run", ""))),
]


def test_there_is_something_to_check():
    assert len(SHOWN) >= 6
    assert {"validate", "plan", "run"} <= {words[1] for words in SHOWN}


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_every_command_line_is_understood(words):
    assert parser().parse_args(words[1:]).command == words[1]


def test_a_command_line_that_is_not_would_be_noticed():
    (words,) = commands('reelrun plan campaign.yaml --output "$OUTPUT" --marktdown >> x  # words')
    assert words == ["reelrun", "plan", "campaign.yaml", "--output", "$OUTPUT", "--marktdown"]
    with pytest.raises(Exception, match="plan has no flag --marktdown"):
        parser().parse_args(words[1:])


def test_the_manifest_fits_its_schema():
    (manifest,) = (yaml.safe_load(text) for text in YAML if "yaml-language-server" in text)
    assert [error.message for error in Draft202012Validator(schema()).iter_errors(manifest)] == []


def test_a_model_is_a_file_and_nothing_else(tmp_path):
    """The schema that the README shows, and the manifest that uses it, against the queue."""
    (written,) = (text for language, text in BLOCKS if language == "json")
    (manifest,) = (text for text in YAML if "wan2.5-i2v-preview" in text)
    assert len(written.splitlines()) == 10
    for folder in ("schemas", "images"):
        (tmp_path / folder).mkdir()
    (tmp_path / "schemas" / "wan2.5-i2v-preview.schema.json").write_text(written)
    (tmp_path / "images" / "shoe.jpg").write_bytes(picture_bytes(1, 800, 800))
    (tmp_path / "campaign.yaml").write_text(manifest)
    with FaultyService(few_frames()) as service:
        result = run(tmp_path / "campaign.yaml", service)
        assert (result.exit_code, len(service.kept())) == (Exit.DONE, 1)
        (sent,) = (each.payload for each in service.accepted if each.model == "wan2.5-i2v-preview")
        assert service.stored(sent.pop("img_url")) == picture_bytes(1, 800, 800)
    assert (sent.pop("prompt")[:12], sent) == ("A trail shoe", {"duration": 5, "resolution": "720P"})
    assert float(result.spent) == pytest.approx(0.25 + 0.15 + 0.5)
    assert [each.code for each in runner.plan(runner.load(tmp_path / "campaign.yaml")).diagnostics] == []


def test_the_workflow_runs_one_run_at_a_time_with_a_key_that_nothing_else_sees():
    # YAML reads the key `on` as true.
    assert list(WORKFLOW[True]) == ["pull_request", "push", "workflow_dispatch"]
    assert WORKFLOW[True]["push"] == {"branches": ["main"]}
    review, run = WORKFLOW["jobs"]["review"], WORKFLOW["jobs"]["run"]
    assert (review["if"], run["if"]) == ("github.event_name == 'pull_request'", "github.ref == 'refs/heads/main'")
    assert run["concurrency"] == {"group": "videos", "cancel-in-progress": False}
    with_key = [step["run"].split()[1] for step in STEPS if "GMI_API_KEY" in step.get("env", {})]
    assert with_key == ["run"]
    assert "secrets" not in str(review)
    (upload,) = (step for step in run["steps"] if "upload-artifact" in step.get("uses", ""))
    assert upload["if"] == "always()"


@pytest.fixture
def checkout(tmp_path):
    """A repository with a manifest, its lockfile, and the command on the path."""
    folder, programs = tmp_path / "checkout", tmp_path / "bin"
    output = {"previews": "none", "mirror": "s3://my-bucket/clips"}
    write_manifest(folder, pictures=2, takes=2, budget={"price_per_job": 0.25}, output=output)
    programs.mkdir()
    program = programs / "reelrun"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner "$@"\n')
    program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def buckets():
    """The environment in which the bucket of the workflow is there."""
    store = shared("moto")
    store.make_bucket("my-bucket")
    return store.environment


def run_steps(job, folder, service, **more):
    """The steps of a job that are ours, in the shell of GitHub's runners; how each ended, and the summary.

    Each has a checkout of its own, which is thrown away after it.
    """
    summary = folder.parent / "summary.md"
    summary.write_text("")
    told = environment(
        PATH=f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
        TAKE_OVER="",
        GITHUB_STEP_SUMMARY=str(summary),
        GMI_API_KEY="sk-key",
        GMI_BASE_URL=service.base_url,
        **{**WORKFLOW["env"], **more},
    )
    lines = [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "reelrun " in step.get("run", "")]
    ended = []
    for line in lines:
        if not line.startswith("pip "):
            machine = shutil.copytree(folder, folder.parent / "machine" / folder.name)
            ended.append(
                subprocess.run(["bash", "-e", "-c", line], cwd=machine, env=told, capture_output=True, text=True)
            )
            shutil.rmtree(machine.parent)
    return ended, summary.read_text()


def test_the_workflow_as_it_stands(checkout, buckets):
    with FaultyService(few_frames()) as service:
        lock = [sys.executable, "-m", "runner", "plan", "campaign.yaml", "--lock"]
        subprocess.run(lock, cwd=checkout, env=environment(), check=True, capture_output=True)
        ended, summary = run_steps("review", checkout, service, **buckets)
        assert [each.returncode for each in ended] == [0, 0, 0], ended[-1].stderr
        assert "$1.00" in summary
        assert service.posts == 0

        for _ in range(2):
            (bought,), _ = run_steps("run", checkout, service, **buckets)
            assert bought.returncode == 0, bought.stderr
            assert service.posts == 4, "merging again buys nothing"
        assert service.calls.count("download") == 4, "the mirror has the clips"
        _, summary = run_steps("review", checkout, service, **buckets)
        assert "done" in summary

        path = checkout / "campaign.yaml"
        path.write_text(path.read_text().replace("A slow push-in", "A slow pan left"))
        ended, summary = run_steps("review", checkout, service, **buckets)
        assert [each.returncode for each in ended] == [0, 0, 2], "the lockfile is that of another prompt"
        (refused,), _ = run_steps("run", checkout, service, **buckets)
        assert (refused.returncode, service.posts) == (2, 4)


def test_a_wrong_manifest_ends_the_review_with_annotations(checkout):
    path = checkout / "campaign.yaml"
    path.write_text(path.read_text() + "params: {duration: 5}\n")
    with FaultyService(b"") as service:
        ended, _ = run_steps("review", checkout, service)
    assert [each.returncode for each in ended] == [2, 2, 2]
    assert ended[0].stdout.startswith("::error file=campaign.yaml,line=")


def test_github_takes_the_workflow(tmp_path):
    (text,) = (text for text in YAML if ".github/workflows" in text)
    (tmp_path / "videos.yaml").write_text(text)
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    for changed, code in ((text, 0), (text.replace("runs-on:", "runs_on:"), 1)):
        (tmp_path / "videos.yaml").write_text(changed)
        done = subprocess.run([*check, tmp_path / "videos.yaml"], capture_output=True, text=True)
        assert done.returncode == code, done.stdout


def test_the_settings_of_the_editor_name_what_schema_writes():
    (settings,) = (json.loads(text.partition("\n")[2]) for language, text in BLOCKS if language == "jsonc")
    assert list(settings["yaml.schemas"]) == ["manifest.schema.json"]
    assert "`reelrun schema > manifest.schema.json`" in README


def test_every_command_has_a_line():
    rows = re.findall(r"^\| (`[a-z].*?) \| ", README, re.MULTILINE)
    named = {each for row in rows for each in re.findall(r"`([a-z-]+)[^`]*`", row)}
    assert parser().commands.keys() - named == set()
