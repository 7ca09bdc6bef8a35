"""`explain`: what a code of a diagnostic means, and how to fix it."""

from __future__ import annotations

import argparse

from runner.cli import screen
from runner.diagnostics.codes import CODES
from runner.diagnostics.suggestions import closest, did_you_mean
from runner.errors import Exit, UsageError


def explain(options: argparse.Namespace) -> int:
    """Tell about one code, or list all of them."""
    if options.code is None:
        for name, each in CODES.items():
            screen.show(f"{name}  {each.title}")
        return Exit.DONE
    found = CODES.get(options.code.upper())
    if found is None:
        hint = did_you_mean(closest(options.code, CODES), more="reelrun explain lists all of them")
        raise UsageError(f"there is no code {options.code!r}", hint)
    screen.show(f"{options.code.upper()}: {found.title}", "", found.text, "")
    screen.show(*(f"    {line}" for line in found.example.splitlines()))
    return Exit.DONE
