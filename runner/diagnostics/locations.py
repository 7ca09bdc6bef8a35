"""The files of diagnostics, as other programs name them: relative to a folder, with forward slashes."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from runner.buckets.bucket_address import is_bucket_address


def path_from(folder: Path, file: str) -> str | None:
    """The path of a file from `folder`; None if it lies outside. `file` is relative to `folder`, or absolute."""
    if is_bucket_address(file):
        return None
    path = os.path.relpath(os.path.join(folder, file), folder)
    return None if path.split(os.sep, 1)[0] == os.pardir else Path(path).as_posix()


def uri_from(folder: Path, file: str) -> str:
    """The percent-encoded URI of a file (RFC 3986).

    It is relative if the file lies in `folder`, else absolute: `file:///...`, or `s3://...` in a bucket.
    """
    if is_bucket_address(file):
        scheme, _, rest = file.partition("://")
        return f"{scheme}://{quote(rest)}"
    path = path_from(folder, file)
    # File names are bytes, and not always UTF-8.
    return Path(os.path.abspath(folder / file)).as_uri() if path is None else quote(os.fsencode(path))
