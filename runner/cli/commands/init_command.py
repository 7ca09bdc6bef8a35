"""`init`: a folder that runs as it stands."""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from runner.cli import screen
from runner.diagnostics.words import command
from runner.errors import Exit, UsageError
from runner.shipped import shipped
from runner.state.disk import disk_errors

_MODELINE = re.compile(r"^# yaml-language-server: \$schema=.*$", re.MULTILINE)
_SCHEMA = ".reelrun/manifest.schema.json"


def init(options: argparse.Namespace) -> int:
    """Copy the example campaign, its pictures, prompts and table, with the schema for the editor."""
    folder = Path(options.folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already", "name a new folder; nothing was changed")
    examples = shipped("manifests")
    with disk_errors(f"make {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("images", "prompts"):
            shutil.copytree(examples / name, folder / name, copy_function=shutil.copyfile)
        shutil.copyfile(examples / "products.csv", folder / "products.csv")
        text = (examples / "campaign.yaml").read_text(encoding="utf-8")
        (folder / "campaign.yaml").write_text(adapted(text), encoding="utf-8")
        (folder / _SCHEMA).parent.mkdir()
        shutil.copyfile(shipped("schemas") / "manifest.schema.json", folder / _SCHEMA)
        (folder / ".gitignore").write_text("outputs/\noutputs-sandbox/\n", encoding="utf-8")
    manifest = folder / "campaign.yaml"
    screen.show(f"Made {folder} with campaign.yaml, its pictures, prompts and product table.")
    screen.show(f"Next: {command('run', manifest, '--sandbox')}        (no key, no cost)")
    return Exit.DONE


def adapted(text: str) -> str:
    """The example manifest for a folder of its own: it names the copied schema, and results go below that folder."""
    text = _MODELINE.sub(f"# yaml-language-server: $schema={_SCHEMA}", text)
    return text.replace("../outputs/", "outputs/")
