"""What a manifest is warned of, for the tests of what warns."""

from __future__ import annotations

from pathlib import Path

from runner.errors import Diagnostic
from runner.manifest.reader import read
from runner.planning.plan import make_plan
from tests.kit import write_manifest

# A manifest that has no warning at all, beside that of its small pictures.
QUIET = {"params": {"negative_prompt": "blurry"}, "lint": {"ignore": ["W802"]}}


def diagnostics(folder: Path, **keys: object) -> tuple[Diagnostic, ...]:
    """The warnings of a manifest without errors, in their order."""
    reading = read(write_manifest(folder, **{**QUIET, **keys}))
    assert reading.manifest is not None
    return make_plan(reading.manifest, warnings=reading.diagnostics).diagnostics


def warnings(folder: Path, *codes: str, **keys: object) -> list[str]:
    """Code, marked text and message of each warning; of these codes where some are named."""
    return [
        f"{each.code} {marked(each)}: {each.message}"
        for each in diagnostics(folder, **keys)
        if not codes or each.code in codes
    ]


def marked(found: Diagnostic) -> str:
    """What the caret is under."""
    start = found.position.column - 1
    return found.source[start : start + found.position.length]
