"""`init`: a folder that runs as it stands."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from runner.cli import screen
from runner.diagnostics.suggestions import suggestion
from runner.diagnostics.words import command
from runner.errors import Exit, UsageError
from runner.manifest.json_values import items, mapping
from runner.media import media_replaced, parameters_of
from runner.model import Json, ModelSchema
from runner.shipped import shipped, shipped_models
from runner.state.disk import disk_errors, unfollowed

_MODELINE = re.compile(r"^# yaml-language-server: \$schema=.*$", re.MULTILINE)
_SCHEMA = ".reelrun/manifest.schema.json"
# The pictures of a manifest for one model: those to begin with, and one to end on.
_PICTURES, _LAST = ("images/coast.jpg", "images/interior.jpg"), "images/ridges.jpg"
# What may be in the folder before, and what of ours is no text for git.
_OF_GIT, _IGNORED = (".git", ".gitignore"), ("outputs/", "outputs-sandbox/")
_PROMPT = "Mist drifts past, slow push-in"


def init(options: argparse.Namespace) -> int:
    """Make the example campaign, or with --model a manifest for that model; with the schema for the editor."""
    folder = Path(options.folder)
    if folder.exists() and (not folder.is_dir() or any(each.name not in _OF_GIT for each in folder.iterdir())):
        raise UsageError(f"{folder} is there already", "name a new folder; nothing was changed")
    manifest, text = folder / "campaign.yaml", "" if options.model is None else _manifest_of(options.model)
    with disk_errors(f"make {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        made = _copy_campaign(folder) if options.model is None else _write_manifest(folder, text)
        (folder / _SCHEMA).parent.mkdir()
        shutil.copyfile(shipped("schemas") / "manifest.schema.json", folder / _SCHEMA)
        added = _ignore_results(folder / ".gitignore")
    screen.report(f"Made {folder} with {made}.")
    screen.report(f"{'Added to' if added else 'Nothing to add to'} .gitignore: {' '.join(added or _IGNORED)}")
    screen.report(f"Next: {command('run', manifest, '--sandbox')}        (no key, no cost)")
    return Exit.DONE


def _ignore_results(path: Path) -> list[str]:
    """Keep results out of git, and nothing else: verdicts and the lockfile are text for it. What is there stays."""
    with open(path, "a+", encoding="utf-8", errors="surrogateescape", opener=unfollowed) as file:
        file.seek(0)
        text = file.read()
        missing = [each for each in _IGNORED if each not in map(str.strip, text.splitlines())]
        if missing:
            file.write("\n" * (bool(text) and not text.endswith("\n")) + "\n".join((*missing, "")))
    return missing


def _copy_campaign(folder: Path) -> str:
    """The example campaign; what was copied."""
    examples = shipped("manifests")
    for name in ("images", "prompts"):
        shutil.copytree(examples / name, folder / name, copy_function=shutil.copyfile)
    shutil.copyfile(examples / "products.csv", folder / "products.csv")
    text = (examples / "campaign.yaml").read_text(encoding="utf-8")
    (folder / "campaign.yaml").write_text(adapted(text), encoding="utf-8")
    return "campaign.yaml, its pictures, prompts and product table"


def _write_manifest(folder: Path, text: str) -> str:
    """A manifest, and the pictures that it names; what was written."""
    (folder / "campaign.yaml").write_text(text, encoding="utf-8")
    named = [each for each in (*_PICTURES, _LAST) if each in text]
    for each in named:
        (folder / each).parent.mkdir(exist_ok=True)
        shutil.copyfile(shipped("manifests") / each, folder / each)
    return "campaign.yaml and its pictures" if named else "campaign.yaml"


def _manifest_of(model: str) -> str:
    """A manifest that fits a shipped model: the example of its schema. Raises UsageError for a model without one."""
    import yaml

    from runner.manifest.schema.catalogue import page_price
    from runner.manifest.schema.model_schemas import shipped_schema
    from runner.media import first_picture

    if model not in shipped_models():
        hint = suggestion(model, shipped_models(), "reelrun models --shipped lists all of them")
        raise UsageError(f"no schema of {model} ships with reelrun", hint)
    schema = shipped_schema(model)
    picture = first_picture(schema)
    example = dict(mapping(items(schema.document.get("examples"))[0]))
    takes_pictures = picture is not None and example.pop(picture.name, None) is not None
    prompt = example.pop("prompt", _PROMPT)
    lines = {
        "version": 1,
        "model": model,
        **({"images": [{"file": each} for each in _PICTURES]} if takes_pictures else {}),
        "prompts": [{"id": "plain", "text": prompt}],
        "params": _with_pictures(example, schema),
        "takes": 1,
    }
    text = yaml.safe_dump({name: each for name, each in lines.items() if each != {}}, sort_keys=False, width=100)
    return "\n".join([*_comments(schema, page_price(schema)), "", text])


def _comments(schema: ModelSchema, price: str) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={_SCHEMA}"
    yield f"# {schema.document.get('description', schema.name)}"
    yield f"# Its page: {schema.document.get('x-source', 'not known')}{f' - {price} when it was read' if price else ''}"
    yield "# reelrun plan campaign.yaml shows what would be bought; run --sandbox is a rehearsal that costs nothing."
    if any(each.inline is None for each in parameters_of(schema)):
        yield "# This model takes addresses alone. uploads: {to: service} agrees that files of yours are put where"
        yield "# everybody with the address can read them."


def _with_pictures(example: dict[str, Json], schema: ModelSchema) -> dict[str, Json]:
    """The parameters with a picture of ours as the last one. Videos and sounds stay addresses: put yours there."""
    lasts = tuple(each for each in parameters_of(schema) if each.role == "last")
    return media_replaced(example, lasts, lambda medium: _LAST)


def adapted(text: str) -> str:
    """The example manifest for a folder of its own: it names the copied schema, and results go below that folder."""
    text = _MODELINE.sub(f"# yaml-language-server: $schema={_SCHEMA}", text)
    return text.replace("../outputs/", "outputs/")
