"""All that was published in one ZIP, the same bytes for the same files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

# The first time that ZIP has: a real one would make each archive another.
_TIME = (1980, 1, 1, 0, 0, 0)
# The bytes, or what yields them.
Content: TypeAlias = bytes | Callable[[], Iterator[bytes]]


def write_archive(target: Path, files: Mapping[str, Content]) -> None:
    """Each content under its name. Media are not compressed: they are already."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            if isinstance(content, bytes):
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)
            else:
                with archive.open(entry, "w", force_zip64=True) as inner:
                    for block in content():
                        inner.write(block)
