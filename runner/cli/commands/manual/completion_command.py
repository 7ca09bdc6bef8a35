"""`completion`: what a shell needs to complete commands, flags, names and files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import shtab

from runner.cli import screen
from runner.cli.arguments import parser
from runner.cli.commands.manual.schema_command import FORMATS
from runner.diagnostics.codes import CODES
from runner.errors import Exit
from runner.sandbox.behaviours import BEHAVIOURS
from runner.shipped import shipped_models
from runner.verdicts.picks import RULES

_FILES = {
    "MANIFEST": shtab.glob("*.yaml", "*.yml"),
    **dict.fromkeys(("DIR", "FOLDER"), shtab.DIRECTORY),
    **dict.fromkeys(("FILE", "PEM"), shtab.FILE),
}


def completion(options: argparse.Namespace) -> int:
    """Print the script for a shell."""
    whole = parser()
    names = _names(whole.commands)
    for command in whole.commands.values():
        for action in command._actions:
            word = str(action.metavar)
            if word in _FILES:
                # The attribute that shtab looks at.
                action.complete = _FILES[word]  # type: ignore[attr-defined]
            elif action.dest in names and action.choices is None:
                action.choices = names[action.dest]
    screen.verbatim(shtab.complete(whole, shell=options.shell).rstrip() + "\n")
    return Exit.DONE


def _names(commands: Iterable[str]) -> dict[str, list[str]]:
    """By argument, what it may be beside what `choices` allow."""
    models, behaviours = [*shipped_models()], [*BEHAVIOURS]
    return {
        "model": models,
        "document": [*FORMATS, *models],
        "topic": [*commands],
        "code": [*CODES],
        "picks": [*RULES],
        "behave": behaviours,
        "sandbox_behave": behaviours,
    }
