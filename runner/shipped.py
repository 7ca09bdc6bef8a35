"""What ships with the project: the schemas, the example manifests, and the number of the version."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The folder `schemas` or `manifests`: inside an installed wheel, else beside the package in a checkout."""
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


@cache
def release() -> str:
    """The version of this tool as it is installed; 0 in a checkout that is not."""
    # Looking it up is slow, and few commands need it.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("reelrun")
    except PackageNotFoundError:
        return "0"
