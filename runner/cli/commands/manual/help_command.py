"""`help`: what `--help` prints."""

from __future__ import annotations

import argparse

from runner.cli import screen
from runner.cli.arguments import parser
from runner.diagnostics.suggestions import closest, did_you_mean
from runner.errors import Exit, UsageError


def help(options: argparse.Namespace) -> int:
    """Print the help of one command, or of all. Raises UsageError for a command that there is not."""
    whole = parser()
    found = whole if options.topic is None else whole.commands.get(options.topic)
    if found is None:
        hint = did_you_mean(closest(options.topic, whole.commands), more="reelrun help lists all of them")
        raise UsageError(f"there is no command {options.topic!r}", hint)
    screen.verbatim(found.format_help())
    return Exit.DONE
