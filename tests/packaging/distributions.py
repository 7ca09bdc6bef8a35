"""Building the project: its sdist and its wheel."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path


def built(source: Path, folder: Path) -> tuple[Path, Path]:
    """The sdist and the wheel of a source tree, made in a folder."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=source, check=True, capture_output=True
    )
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def unpacked(sdist: Path, folder: Path) -> Path:
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


def contents(wheel: Path) -> dict[str, str]:
    """The sha256 of every file in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def clean_copy(source: Path, copy: Path) -> Path:
    """The files of a checkout that git has, in another folder: nothing that lies about gets into a build."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=source, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, copy / name)
    return copy
