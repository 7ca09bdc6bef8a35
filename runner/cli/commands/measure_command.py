"""`measure`: look at the clips that nobody looked at yet."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from runner import campaign
from runner.cli import screen
from runner.cli.commands.status_command import clips_document, show_clips
from runner.cli.options import command_line, manifest_of, selection_of
from runner.errors import Exit, StateError
from runner.model import Manifest
from runner.results.clip_reports import ClipTotals
from runner.results.measuring import MeasuringResult
from runner.results.workers.cluster import cluster
from runner.results.workers.local_pool import local_pool
from runner.results.workers.workforce import Hire

if TYPE_CHECKING:
    from tqdm import tqdm

_SHOWN = 20


def measure(options: argparse.Namespace) -> int:
    """Measure clips, make their previews, and write the index."""
    manifest, _ = manifest_of(options)
    selection = selection_of(options, manifest)
    if not manifest.output.state.exists():
        raise StateError(
            f"there is no state at {manifest.output.state} yet", command_line(options, "run") + " makes it"
        )
    bar = _Bar()
    try:
        result, clips, index = campaign.measure(manifest, selection, _hire(options), bar)
    finally:
        bar.close()
    if options.json:
        screen.document(_document(manifest, result, clips, index))
    else:
        _show(options, result, clips, index)
    return Exit.JOBS_FAILED if result.failed else Exit.DONE


def _hire(options: argparse.Namespace) -> Hire:
    if options.cluster:
        return cluster(options.cluster, screen.say)
    return local_pool(options.processes or os.cpu_count() or 1)


class _Bar:
    """How many clips are done, on a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, done: int, total: int) -> None:
        if screen.is_loud():
            screen.moment(f"{done:,} of {screen.count(total, 'clip')}")
            return
        if not total or screen.is_quiet() or not sys.stderr.isatty():
            return
        if self._bar is None:
            # Imported here: where there is no terminal, no bar is needed.
            from tqdm import tqdm

            form = "{n_fmt:>5}/{total_fmt} {bar:24} {remaining} left"
            self._bar = tqdm(total=total, leave=False, file=sys.stderr, dynamic_ncols=True, bar_format=form)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _document(manifest: Manifest, result: MeasuringResult, clips: ClipTotals, index: Path) -> dict[str, object]:
    return {
        "manifest": str(manifest.path),
        "measured": result.measured,
        "previewed": result.previewed,
        "kept": result.kept,
        "failed": [{"id": e.record.id, "key": e.record.key, "reason": e.reason} for e in result.failed],
        **clips_document(manifest, clips),
        "index": str(index),
    }


def _show(options: argparse.Namespace, result: MeasuringResult, clips: ClipTotals, index: Path) -> None:
    for each in result.failed[:_SHOWN]:
        screen.show(f"  not measured: {each.record.key}: {each.reason}")
    if len(result.failed) > _SHOWN:
        screen.show(f"  ... and {len(result.failed) - _SHOWN:,} more; --json lists all")
    if screen.is_quiet():
        return
    made = f", {screen.count(result.previewed, 'clip')} got previews" if result.previewed else ""
    before = f", {result.kept:,} had all before" if result.kept else ""
    screen.show(f"{screen.count(result.measured, 'clip')} measured{made}{before}.")
    screen.show(f"Page: {screen.shown_path(index.with_suffix('.html'))}")
    show_clips(options, clips)
    if result.failed:
        screen.show("", f"Next: {_next(options, result)}")


def _next(options: argparse.Namespace, result: MeasuringResult) -> str:
    if all(each.is_whole for each in result.failed):
        return f"{command_line(options, 'measure')}        (looks at them on this machine)"
    return f"{command_line(options, 'verify', '--repair')}        (fetches what the service still has)"
