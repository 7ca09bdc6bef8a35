"""What ships with the project: the schemas and the example manifests."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

_DISTRIBUTION = "reelrun"
_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The folder `schemas` or `manifests`: inside an installed wheel, else beside the package in a checkout."""
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def install_line(extra: str) -> str:
    """The command that installs the packages of an extra: what was installed from a file cannot be had by its name."""
    try:
        needed = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        needed = []
    marked = (each.partition(";") for each in needed)
    names = [name.strip() for name, _, marker in marked if re.search(rf"extra\s*==\s*['\"]{extra}['\"]", marker)]
    return "pip install " + " ".join(f"'{name}'" for name in names) if names else f"pip install '.[{extra}]'"
