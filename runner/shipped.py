"""What ships with the project: the schemas and the example manifests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

_DISTRIBUTION = "reelrun"
_FOR_DEVELOPERS = ("bench", "test", "lint")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_PACKAGE = Path(__file__).parent
SUFFIX = ".schema.json"
# What several models share stands once, in a file of its own.
_PARTS = "urn:reelrun:model-parts#/$defs/"
_PARTS_FILE = "model-parts.schema.json"


def shipped(name: str) -> Path:
    """The folder `schemas` or `manifests`: inside an installed wheel, else beside the package in a checkout."""
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


@cache
def shipped_models() -> dict[str, Path]:
    """The schema files that ship with the project, by model."""
    folder = shipped("schemas") / "models"
    return {path.name.removesuffix(SUFFIX): path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def shipped_document(model: str) -> dict[str, object]:
    """The schema of a model that ships with the project, whole. Raises KeyError for one that does not."""
    found = with_parts(json.loads(shipped_models()[model].read_text("utf-8")))
    assert isinstance(found, dict)
    return found


def with_parts(document: object) -> object:
    """A schema with the parts that it shares with others written in. What it says itself wins."""
    if isinstance(document, list):
        return [with_parts(each) for each in document]
    if not isinstance(document, Mapping):
        return document
    reference = document.get("$ref")
    rest = {name: with_parts(each) for name, each in document.items()}
    if isinstance(reference, str) and reference.startswith(_PARTS):
        del rest["$ref"]
        return {**_parts()[reference.removeprefix(_PARTS)], **rest}
    return rest


@cache
def _parts() -> Mapping[str, Mapping[str, object]]:
    document = json.loads((shipped("schemas") / _PARTS_FILE).read_text("utf-8"))
    parts: Mapping[str, Mapping[str, object]] = document["$defs"]
    return parts


def install_line(extra: str) -> str:
    """The command that installs the packages of an extra: what was installed from a file cannot be had by its name."""
    names = packages_of(extra)
    return "pip install " + " ".join(f"'{name}'" for name in names) if names else f"pip install '.[{extra}]'"


def packages_of(extra: str = "") -> list[str]:
    """What an extra needs, such as `openpyxl>=3.1`; without a name, what everything needs. Empty in a mere checkout."""
    try:
        needed = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    marked = (each.partition(";") for each in needed)
    return [name.strip() for name, _, marker in marked if extra == "".join(_EXTRA.findall(marker))]


def extras() -> list[str]:
    """The extras that users may want. Empty in a mere checkout."""
    try:
        named = metadata(_DISTRIBUTION).get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []
    return [each for each in named if each not in _FOR_DEVELOPERS]
