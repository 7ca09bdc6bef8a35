"""Diagnostics as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

The format and its escapes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from pathlib import Path

from runner.diagnostics.locations import path_from
from runner.diagnostics.words import printable
from runner.errors import Diagnostic


def annotation(diagnostic: Diagnostic, folder: Path, root: Path) -> str:
    """The command of one diagnostic, on one line.

    Files of diagnostics are named from `folder`, those of annotations from `root`, that of the checkout.
    """
    place = diagnostic.position
    properties = {
        "file": path_from(root, str(folder / place.file)) or place.file,
        "line": str(place.line),
        "col": str(place.column),
        # The last column itself: left out, it would be the first.
        "endColumn": str(place.column + max(place.length, 1) - 1),
        "title": diagnostic.code,
    }
    told = ",".join(f"{name}={_property(printable(value))}" for name, value in properties.items())
    message = f"{diagnostic.message}\nhelp: {diagnostic.hint}" if diagnostic.hint else diagnostic.message
    return f"::{diagnostic.severity} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
