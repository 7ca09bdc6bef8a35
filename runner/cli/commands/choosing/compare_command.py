"""`compare`: which arm wins, how sure that is, and what it would take to know."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.cli import screen
from runner.cli.options import command_line, manifest_of, selection_of, state_of
from runner.errors import Exit, StateError
from runner.model import Manifest
from runner.review.comparing.campaign_comparison import CampaignComparison, compare_campaign
from runner.review.comparing.sentences import (
    folded_words,
    headline,
    of_interaction,
    of_measures,
    of_pair,
    of_reviewers,
    percent,
)
from runner.verdicts.votes import Verdicts, verdicts_on

_SHOWN = 20


def compare(options: argparse.Namespace) -> int:
    """Compare the arms of a campaign by what reviewers said of its clips."""
    manifest, _ = manifest_of(options)
    selection = selection_of(options, manifest)
    store = state_of(manifest)
    if store is None:
        hint = command_line(options, "run") + " makes it"
        raise StateError(f"there is no state at {manifest.output.state} yet", hint)
    with store:
        verdicts = verdicts_on(manifest, store)
        found = compare_campaign(manifest, store, verdicts, selection.at(store), by=options.by, on=options.on)
    if options.json:
        screen.document(found.document)
    else:
        _show(options, manifest, found, verdicts)
    return Exit.DONE


def _show(options: argparse.Namespace, manifest: Manifest, found: CampaignComparison, verdicts: Verdicts) -> None:
    document: Mapping[str, Any] = found.document
    on = "" if document["on"] == "votes" else f", by {document['on']}"
    screen.show(f"{manifest.name} · {document['by']}: {screen.count(len(document['arms']), 'arm')}{on}")
    screen.show(headline(document), "")
    if len(found.board.a):
        _show_arms(document["arms"])
        _show_pairs(document)
    _show_rest(found)
    for each in document["warnings"]:
        screen.show(f"  warning[{each['code']}]: {each['message']}")
    _show_uncounted(verdicts)
    if not len(found.board.a):
        screen.show(f"Next: {command_line(options, 'review')}")


def _show_arms(arms: Sequence[Mapping[str, Any]]) -> None:
    """A line an arm, the strongest first."""
    rows = [("", "votes", "won", "lost", "tied", "both bad", "strength", "95 %", "best")]
    for arm in sorted(arms, key=lambda arm: -arm["strength"]):
        counts = [f"{arm[name]:,}" for name in ("votes", "wins", "losses", "ties", "both_bad")]
        interval = f"{arm['low']:+.2f} to {arm['high']:+.2f}"
        rows.append((arm["name"], *counts, f"{arm['strength']:+.2f}", interval, percent(arm["best"])))
    screen.show(*_aligned(rows))


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines: the first column to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *figures in rows:
        cells = (f"{figure:>{width}}" for figure, width in zip(figures, widths[1:], strict=True))
        yield f"  {first:<{widths[0]}}  {'  '.join(cells)}"


def _show_pairs(document: Mapping[str, Any]) -> None:
    """A sentence a pair: those that are decided first."""
    screen.show("")
    pairs = sorted(document["pairs"], key=lambda pair: (pair["verdict"] == "not-enough", -pair["votes"]))
    for pair in pairs[:_SHOWN]:
        screen.show(f"  {of_pair(pair, document['unit'])}")
    if len(pairs) > _SHOWN:
        screen.show(f"  ... and {len(pairs) - _SHOWN:,} more pairs; --json has all")


def _show_rest(found: CampaignComparison) -> None:
    told, folded = of_measures(found.effects)
    lines = [*map(of_interaction, found.interactions), *of_reviewers(found.document), *told]
    lines += [folded_words(folded)] if folded else []
    if lines:
        screen.show("", *(f"  {line}" for line in lines))


def _show_uncounted(verdicts: Verdicts) -> None:
    for each in verdicts.uncounted[:_SHOWN]:
        line = f":{each.line}" if each.line else ""
        screen.say(f"Not counted: {each.file}{line}: {each.why}")
    if len(verdicts.uncounted) > _SHOWN:
        screen.say(f"... and {len(verdicts.uncounted) - _SHOWN:,} more")
