"""The hook for pre-commit: its manifest by pre-commit's own check, and what it calls and takes by default."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from runner.cli.arguments import parser
from tests.command import ROOT, environment
from tests.kit import write_manifest

HOOKS = ROOT / ".pre-commit-hooks.yaml"
(HOOK,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))


def checked(path, home):
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", path],
        env={**os.environ, "PRE_COMMIT_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip


def test_pre_commit_takes_the_hook(tmp_path):
    done = checked(HOOKS, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_pre_commit_would_say_so_if_it_did_not(tmp_path):
    broken = tmp_path / "hooks.yaml"
    broken.write_text(HOOKS.read_text(encoding="utf-8").replace("  entry:", "  entri:"), encoding="utf-8")
    assert checked(broken, tmp_path).returncode == 1


def test_the_hook_is_the_command():
    program, *words = HOOK["entry"].split()
    assert (HOOK["id"], HOOK["language"], program) == ("reelrun-validate", "python", "reelrun")
    options = parser().parse_args([*words, "manifests/a.yaml", "campaign.yaml"])
    assert options.manifests == ["manifests/a.yaml", "campaign.yaml"]


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("campaign.yaml", True),
        ("demo/campaign.yml", True),
        ("manifests/shoes.yaml", True),
        ("videos/manifests/shoes.yaml", True),
        ("manifests/shoes/notes.yaml", False),
        ("old-campaign.yaml", False),
        (".pre-commit-config.yaml", False),
        ("manifests/prompts.j2", False),
    ],
)
def test_files_by_default(name, is_taken):
    # pre-commit searches the pattern in the path.
    assert bool(re.search(HOOK["files"], name)) is is_taken


def test_the_hook_takes_our_own_manifests():
    assert all(re.search(HOOK["files"], f"manifests/{path.name}") for path in (ROOT / "manifests").glob("*.yaml"))


@pytest.fixture
def project(tmp_path):
    """A repository with the README's config, whose hook is ours, and two manifests."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    (config,) = (yaml.safe_load(each) for each in blocks if ".pre-commit-config.yaml" in each)
    hooks, folder = tmp_path / "hooks", tmp_path / "project"
    hooks.mkdir()
    shutil.copy(HOOKS, hooks)
    (config["repos"][0]["repo"], config["repos"][0]["rev"]) = (str(hooks), committed(hooks))
    # The command that is here: pre-commit would build the project, which python -m tests.packaging does.
    config["repos"][0]["hooks"][0]["language"] = "system"
    program = tmp_path / "bin" / "reelrun"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner "$@"\n')
    program.chmod(0o755)
    write_manifest(folder, prompts=[{"id": "a", "file": "shared/a.j2"}])
    write_manifest(folder / "manifests", name="b.yaml", prompts=[{"id": "a", "file": "../shared/a.j2"}])
    (folder / "shared").mkdir()
    (folder / "shared" / "a.j2").write_text("A slow push-in")
    (folder / "notes.yaml").write_text("is: no manifest\n")
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    committed(folder)
    return folder


def committed(folder):
    """Make a folder a repository, and its files a commit; its id."""
    name = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for words in (["init", "-q"], ["add", "."], [*name, "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_config_of_the_readme_checks_manifests_and_nothing_else(project):
    path = f"{project.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def run():
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose"], cwd=project, capture_output=True,
            text=True, env=environment(PATH=path, PRE_COMMIT_HOME=str(project.parent / "home")),
        )  # fmt: skip

    done = run()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert re.search(r"Passed\n.*2 manifests, all valid\.\n", done.stdout, re.DOTALL)
    (project / "shared" / "a.j2").write_text("A slow {{ pan }}")
    done = run()
    assert done.returncode == 1
    assert "shared/a.j2:1:" in done.stdout
    assert "unknown variable 'pan'" in done.stdout
