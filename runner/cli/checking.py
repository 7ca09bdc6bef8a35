"""`validate`: what is wrong with a manifest."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from runner.cli import screen
from runner.errors import Exit, ManifestError, Severity
from runner.manifest.reader import read
from runner.planning.plan import make_plan

# What may be wrong only because a picture or prompt that has an error is left out.
_FOLLOWING = ("E502", "E504")


def validate(options: argparse.Namespace) -> int:
    """Check a manifest and everything that it names."""
    reading = read(Path(options.manifest), fetch=_fetcher() if options.check_urls else None)
    found, planned = reading.diagnostics, None
    if reading.manifest is not None:
        try:
            planned = make_plan(reading.manifest, warnings=found)
            found = planned.diagnostics
        except ManifestError as error:
            follows = _FOLLOWING if reading.has_errors else ()
            found = tuple(each for each in error.diagnostics if each.code not in follows)
    errors = any(each.severity is Severity.ERROR for each in found)
    if options.json:
        screen.document({"diagnostics": [each.as_json() for each in found]})
    else:
        screen.diagnostics(found)
        if planned is not None and not errors:
            jobs = screen.count(len(planned.jobs), "job")
            screen.show(f"{options.manifest} is sound: {jobs}. Next: reelrun plan {options.manifest}")
    return Exit.INVALID if errors else Exit.DONE


def _fetcher() -> Callable[[str], bytes]:
    """Fetches a picture of a manifest, which may name any address, bounded in size."""
    import requests

    from runner.api.files import BadLinkError, Files

    files = Files(trusted=True)

    def fetch(url: str) -> bytes:
        try:
            with files.open(url, {}) as response:
                response.raise_for_status()
                content = b""
                for block in response.iter_content(1 << 16):
                    content += block
                    if len(content) > 32 << 20:
                        raise OSError("it is larger than 32 MB")
                return content
        except (BadLinkError, requests.RequestException) as error:
            raise OSError(str(error)) from error

    return fetch
