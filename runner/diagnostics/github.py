"""Diagnostics as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

The format and its escapes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from pathlib import Path

from runner.diagnostics.locations import path_from
from runner.diagnostics.words import printable
from runner.errors import Diagnostic


def annotation(diagnostic: Diagnostic, folder: Path, root: Path) -> str:
    """The command for one diagnostic, on one line.

    The paths of diagnostics are relative to `folder`, those of annotations to `root`, the folder of the checkout.
    """
    place = diagnostic.position
    properties = {
        "file": path_from(root, str(folder / place.file)) or place.file,
        "line": str(place.line),
        "col": str(place.column),
        # The last marked column itself, not the one after it. Without endColumn only the first one is marked.
        "endColumn": str(place.column + max(place.length, 1) - 1),
        "title": diagnostic.code,
    }
    listed = ",".join(f"{name}={_property(printable(value))}" for name, value in properties.items())
    message = f"{diagnostic.message}\nhelp: {diagnostic.hint}" if diagnostic.hint else diagnostic.message
    return f"::{diagnostic.severity} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
