"""Where the diagnostics of a manifest end. Nobody reads thousands of them, and to find them all may take hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.errors import Diagnostic

# The most errors of a stage, and the most warnings, that are told.
MOST = 500


class TooManyErrorsError(Exception):
    """There are more than MOST errors. What was not looked at yet is not looked at."""


def ending(found: Sequence[Diagnostic], more: str) -> tuple[Diagnostic, ...]:
    """The diagnostics, where the last one tells of those left out: `and 12 more warnings`."""
    if not found or not more:
        return tuple(found)
    return (*found[:-1], replace(found[-1], message=f"{found[-1].message} ({more})"))


def omitted(errors: int, warnings: int) -> str:
    """What is left out where there are so many."""
    if errors >= MOST:
        return f"there may be more: after {MOST} errors the rest is not looked at"
    return f"and {warnings - MOST:,} more warnings" if warnings > MOST else ""
