"""The hook for pre-commit: its manifest by pre-commit's own check, and what it calls and takes by default."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from runner.cli.arguments import parser
from tests.command import ROOT

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
