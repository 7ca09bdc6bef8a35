"""All that was published in one ZIP, the same bytes for the same files."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

# The first time that ZIP has: a real one would make each archive another.
_TIME = (1980, 1, 1, 0, 0, 0)


def write_archive(target: Path, files: Mapping[str, Path | bytes]) -> None:
    """Each file or content under its name. Media are not compressed: they are already."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            if isinstance(content, bytes):
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)
            else:
                with content.open("rb") as file, archive.open(entry, "w", force_zip64=True) as inner:
                    shutil.copyfileobj(file, inner, 1 << 20)
