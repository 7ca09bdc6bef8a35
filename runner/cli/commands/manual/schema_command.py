"""`schema`: the JSON Schemas that ship with reelrun, for editors and other programs."""

from __future__ import annotations

import argparse
import json

from runner.cli import screen
from runner.diagnostics.suggestions import closest, did_you_mean
from runner.errors import Exit, UsageError
from runner.shipped import SUFFIX, shipped, shipped_document, shipped_models

FORMATS = ("manifest", "index", "lockfile")


def schema(options: argparse.Namespace) -> int:
    """Print the schema of a file of ours, or of a model: a file on its own. Raises UsageError for any other name."""
    name = options.document
    if name in FORMATS:
        screen.verbatim((shipped("schemas") / f"{name}{SUFFIX}").read_text(encoding="utf-8"))
    elif name in shipped_models():
        screen.verbatim(json.dumps(shipped_document(name), ensure_ascii=False, indent=2) + "\n")
    else:
        known = f"it is one of {', '.join(FORMATS)}, or a model (reelrun models --shipped)"
        hint = did_you_mean(closest(name, (*FORMATS, *shipped_models())), more=known)
        raise UsageError(f"there is no schema {name!r}", hint)
    return Exit.DONE
