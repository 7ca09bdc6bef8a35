"""`--set`: other values for constants, given now or in the last run."""

from __future__ import annotations

import argparse
import shlex

from runner import campaign
from runner.cli import screen
from runner.diagnostics.words import flow
from runner.errors import DamagedStateError, Diagnostic
from runner.manifest.overrides import differing, with_set, with_values
from runner.model import Manifest, Variables


def with_flags(options: argparse.Namespace, manifest: Manifest) -> tuple[Manifest, tuple[Diagnostic, ...]]:
    """The manifest with the values that are given, else with those of the last run, and warnings about them.

    Values of the last run are told; `run` asks about them.
    """
    if options.set:
        return with_set(manifest, options.set)
    last = _last(options, manifest)
    kept = {name: value for name, value in last.items() if name in manifest.constants}
    for name in last.keys() - kept.keys():
        screen.say(f"The last run had {flags({name: last[name]})}; it is not under vars any more, and left out")
    manifest = with_values(manifest, kept) if kept else manifest
    if differing(manifest) and options.command != "run":
        screen.say(f"As in the last run: {what_differs(manifest)}")
    return manifest, ()


def _last(options: argparse.Namespace, manifest: Manifest) -> Variables:
    try:
        return campaign.last_set(manifest)
    except DamagedStateError:
        if getattr(options, "new_state", False):
            return {}
        raise


def what_differs(manifest: Manifest) -> str:
    """`--set season=winter (the manifest has spring)`."""
    values = differing(manifest)
    own = ", ".join(flow(manifest.constants[name]) for name in values)
    return f"{flags(values)} (the manifest has {own})"


def ways_on(manifest: Manifest) -> str:
    """The flags that go on with the values of the last run, and those that go back to the manifest's."""
    values = differing(manifest)
    own = {name: manifest.constants[name] for name in values}
    return f"{flags(values)} goes on with it, {flags(own)} takes what the manifest has"


def flags(values: Variables) -> str:
    return shlex.join(word for name, value in values.items() for word in ("--set", f"{name}={flow(value)}"))
