"""`models --shipped`: which model, for how much."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from runner.cli import screen
from runner.diagnostics.suggestions import suggestion
from runner.errors import Exit, UsageError
from runner.manifest.schema.catalogue import ModelSummary, shipped_summaries

TAKES = ("text", "first", "last", "reference", "video", "sound")
_COLUMNS = ("model", "takes", "seconds", "ratios", "resolutions", "sound", "list price")


def show_catalogue(options: argparse.Namespace) -> int:
    """List the shipped models that fit. Raises UsageError for a word that no model takes, and where none fits."""
    wanted = _wanted(options.takes)
    found = [each for each in shipped_summaries() if options.model in (None, each.id)]
    fitting = [each for each in found if each.has(wanted, options.seconds)]
    if not fitting and not options.json:
        raise UsageError("no shipped model fits", "reelrun models --shipped lists all of them")
    if options.json:
        screen.document({"models": [asdict(each) for each in fitting]})
    else:
        screen.show(*lines(fitting))
    return Exit.DONE


def _wanted(text: str | None) -> list[str]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    for name in names:
        if name not in TAKES:
            hint = suggestion(name, TAKES, f"it is one of {', '.join(TAKES)}")
            raise UsageError(f"--takes {name}: no model takes that", hint)
    return names


def lines(models: Iterable[ModelSummary]) -> list[str]:
    """The table, a model a line."""
    table = [_COLUMNS, *map(row, models)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(each, widths, strict=True)).rstrip() for each in table]


def markdown(models: Iterable[ModelSummary]) -> list[str]:
    """The same as a table in Markdown, for the README."""
    rows = [f"| {' | '.join(row(each))} |" for each in models]
    return [f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}", *rows]


def row(model: ModelSummary) -> tuple[str, ...]:
    """The cells of a model. A star says that its page contradicts itself there, or is not whole."""
    return (
        model.id + ("*" if model.uncertain else ""),
        ", ".join(model.takes) or "-",
        _span(model.seconds),
        ", ".join(model.aspect_ratios) or "-",
        ", ".join(model.resolutions) or "-",
        "yes" if model.sound else "-",
        model.price or "-",
    )


def _span(seconds: Sequence[float]) -> str:
    """`2-15` for a run of whole numbers, else each of them."""
    whole = [int(each) for each in seconds]
    if len(whole) > 3 and whole == list(range(whole[0], whole[-1] + 1)):
        return f"{whole[0]}-{whole[-1]}"
    return ", ".join(f"{each:g}" for each in seconds) or "-"
