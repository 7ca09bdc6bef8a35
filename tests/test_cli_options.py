from __future__ import annotations

import shlex

import pytest

from runner.cli.arguments import parser
from runner.cli.options import command_line, manifest_of, selection_of
from runner.errors import ManifestError, UsageError
from tests.command import call
from tests.kit import write_manifest


def options(*words: object):
    return parser().parse_args([str(word) for word in words])


def test_flags_lower_limits_and_nothing_else(tmp_path):
    path = write_manifest(tmp_path, budget={"max_jobs": 5, "max_cost": 4, "price_per_job": 1})
    manifest, warnings = manifest_of(options("run", path, "--max-jobs", 9, "--max-cost", "2.50", "--concurrency", 3))
    assert (manifest.budget.max_jobs, str(manifest.budget.max_cost)) == (5, "2.50")
    assert manifest.run.concurrency == 3
    assert warnings == ()
    lower, _ = manifest_of(options("run", path, "--max-jobs", 2, "--max-cost", "9"))
    assert (lower.budget.max_jobs, lower.budget.max_cost) == (2, 4)


@pytest.mark.parametrize("text", ["abc", "-1", "nan", "inf", "", "1,5", "1e300", "1000000001", "0.0000000001"])
def test_a_cost_that_is_no_amount(tmp_path, text):
    path = write_manifest(tmp_path)
    with pytest.raises(UsageError, match="no amount of money"):
        manifest_of(options("run", path, f"--max-cost={text}"))


def test_a_manifest_with_errors_is_refused_with_all_of_them(tmp_path):
    path = write_manifest(tmp_path, takes=0, params={"duration": 5}, colour="red")
    with pytest.raises(ManifestError) as caught:
        manifest_of(options("plan", path))
    assert len(caught.value.diagnostics) >= 2


def test_the_selection(tmp_path):
    said = options(
        "run", write_manifest(tmp_path), "--only", "a*", "--only", "*/b/*", "--skip", "*-2", "--retry-failed"
    )
    manifest, _ = manifest_of(said)
    chosen = selection_of(said, manifest)
    assert (chosen.only, chosen.skip, chosen.retry_failed) == (("a*", "*/b/*"), ("*-2",), True)
    assert not chosen.resubmit_unknown
    assert list(chosen.pictures) == ["p0"]


def test_the_command_that_goes_on_keeps_what_was_said():
    flags = ("--allow-outside", "a", "--allow-outside", "b", "--output", "o", "--only", "*/a/*", "--max-cost", "3")
    said = options("plan", "my file.yaml", "--sandbox", *flags)
    words = command_line(said, "run", "--retry-failed")
    assert shlex.split(words) == [
        *("reelrun", "run", "my file.yaml", "--sandbox", *flags, "--retry-failed"),
    ]
    assert "'my file.yaml'" in words
    kept = "--allow-outside a --allow-outside b --output o --only '*/a/*'"
    assert command_line(said, "status") == f"reelrun status 'my file.yaml' --sandbox {kept}"


def test_a_value_that_looks_like_a_flag_stays_a_value():
    said = options("plan", "c.yaml", "--only=-x*", "--where", "a b=$(rm c)")
    words = shlex.split(command_line(said, "run"))
    assert words == ["reelrun", "run", "c.yaml", "--only=-x*", "--where", "a b=$(rm c)"]
    assert options(*words[1:]).only == ["-x*"]


def test_a_folder_named_as_only_a_shell_reads_it_is_not_made(tmp_path, monkeypatch):
    path = write_manifest(tmp_path)
    monkeypatch.chdir(tmp_path)
    ended = call("plan", path, "--output", "~/videos")
    assert ended.code == 2
    assert "--output ~/videos would make a folder of that name" in ended.err
    assert "folders are separated by /" in call("plan", path, "--output", "..\\videos").err
    (tmp_path / "~").mkdir()
    assert call("plan", path, "--output", "~").code == 0


@pytest.mark.parametrize("command", ["plan", "run"])
def test_max_jobs_is_a_manifest_error(tmp_path, command):
    path = write_manifest(tmp_path, takes=3)
    ended = call(command, path, "--max-jobs", 2)
    assert ended.code == 2
    assert "error[E507]: there are more than 2 jobs" in ended.err
    assert call(command, path, "--max-jobs", 2, "--json").document["error"]["code"] == "manifest"


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_the_manifests_own_max_jobs_holds_in_every_command(tmp_path, command):
    path = write_manifest(tmp_path, takes=3, budget={"max_jobs": 2})
    ended = call(command, path)
    assert ended.code == 2
    assert "error[E507]" in ended.err
