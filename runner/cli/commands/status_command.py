"""`status` and `index`: where the jobs stand, read from the state."""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from runner.cli import screen
from runner.cli.options import command_line, manifest_of, retry_flags, selection_of, state_of
from runner.diagnostics.words import money, printable
from runner.errors import Diagnostic, Exit, StateError
from runner.model import JobRecord, Manifest, Status
from runner.planning.comparison import gone_clips
from runner.planning.matches import Matches
from runner.planning.selection import Selection, known_variable, text_of, value_of
from runner.results.atomic_files import index_path
from runner.results.clip_reports import WARNING_CODES, ClipTotals
from runner.results.clip_verdicts import ClipVerdicts, VerdictTotals
from runner.results.unfinished import Unfinished, unfinished
from runner.shipped import install_line
from runner.state.store import Store
from runner.verdicts.verdict_files import told
from runner.video.defects import names as defect_names

# How many jobs have which status, by the values of the variables that --by names.
_Groups: TypeAlias = dict[tuple[str, ...], Counter[Status]]
_SHOWN = 20


@dataclass(slots=True)
class _Standing:
    """How many of the selected jobs have which status, what they cost, which are not done, and whose clips are gone."""

    totals: dict[Status, int]
    removed: Mapping[Status, int]
    spent: Decimal
    unfinished: Unfinished
    index: Path
    gone: list[str] = field(default_factory=list)
    clips: ClipTotals = field(default_factory=ClipTotals)
    verdicts: VerdictTotals | None = None
    notes: list[str] = field(default_factory=list)
    uncopied: int = 0


def status(options: argparse.Namespace) -> int:
    """Show where the jobs stand."""
    manifest, _ = manifest_of(options)
    selection = selection_of(options, manifest)
    for name in options.by:
        known_variable(name, manifest, "--by")
    store = state_of(manifest)
    if store is None:
        nothing = dict.fromkeys(Status, 0)
        standing, groups = _Standing(nothing, {}, Decimal(0), Unfinished(), index_path(manifest.output.dir)), {}
    else:
        with store:
            manifest, selection = _as_counted(manifest, store), selection.at(store)
            standing = _standing(store, manifest, selection)
            standing.clips = ClipTotals.of(manifest, store, selection)
            found = ClipVerdicts.of(manifest, store)
            standing.verdicts, standing.notes = found.totals(store, selection), told(found.verdicts.uncounted)
            groups = _groups(store, selection, options.by) if options.by else {}
            standing.uncopied = store.uncopied(manifest.output.mirror) if manifest.output.mirror else 0
    if options.json:
        screen.document(_status_document(options, manifest, standing, groups))
    elif store is None:
        screen.show(f"{manifest.name}: no run yet. Next: {command_line(options, 'run')}")
    else:
        _show(options, manifest, standing, groups)
    return Exit.DONE


def _as_counted(manifest: Manifest, store: Store) -> Manifest:
    """The manifest with the currency in which the state counts, which may have changed in the manifest since."""
    currency = store.currency() or manifest.budget.currency
    return replace(manifest, budget=replace(manifest.budget, currency=currency))


def _standing(store: Store, manifest: Manifest, selection: Selection) -> _Standing:
    left, index = unfinished(store, selection), store.index_in(manifest.output.dir)
    gone = gone_clips(store, manifest.output)
    if selection.is_everything:
        keys = list(store.keys_of(gone)) if gone else []
        return _Standing(store.totals(), store.removed_totals(), store.spent(manifest.budget)[0], left, index, keys)
    totals, spent, keys, matches = dict.fromkeys(Status, 0), Decimal(0), [], Matches(selection)
    left_over: Counter[Status] = Counter()
    for record in store.records():
        matches.see((record,))
        if selection.has(record):
            totals[record.status] += 1
            left_over[record.status] += record.orphaned
            spent += record.cost or Decimal(0)
            if record.status is Status.SUCCEEDED and int(record.id, 16) in gone:
                keys.append(record.key)
    matches.check()
    return _Standing(totals, left_over, spent, left, index, keys)


def _groups(store: Store, selection: Selection, names: Sequence[str]) -> _Groups:
    """The totals for each combination of values of these variables, in the order in which they occur."""
    groups: _Groups = {}
    for record in filter(selection.has, store.records()):
        values = (value_of(record, name, selection.pictures) for name in names)
        texts = tuple(text_of(value) if found else "(without)" for found, value in values)
        groups.setdefault(texts, Counter())[record.status] += 1
    return groups


def _status_document(
    options: argparse.Namespace, manifest: Manifest, standing: _Standing, groups: _Groups
) -> dict[str, object]:
    """`groups` has a level for each --by: the values of the first variable, in each those of the next one."""
    document = run_document(manifest, standing.totals, 0, standing.spent, standing.index)
    if options.by:
        tree: dict[str, Any] = {}
        for values, counts in groups.items():
            branch = tree
            for value in values:
                branch = branch.setdefault(value, {})
            branch.update({str(each): counts[each] for each in Status})
        document["groups"] = {",".join(options.by): tree}
    if standing.gone:
        document["gone"] = standing.gone
    if standing.verdicts is not None:
        document["verdicts"] = asdict(standing.verdicts)
    if manifest.output.mirror is not None:
        document["mirror"] = {"missing": standing.uncopied}
    has_clips = standing.clips.measured or standing.clips.unmeasured
    return document | (clips_document(manifest, standing.clips) if has_clips else {})


def clips_document(manifest: Manifest, clips: ClipTotals) -> dict[str, object]:
    """How many clips have which defect and warning, for programs, and how many are not measured."""
    return {
        "defects": {name: clips.defects[name] for name in defect_names(manifest.thresholds)},
        "warnings": {code: clips.warnings[code] for code in WARNING_CODES},
        "unmeasured": clips.unmeasured,
    }


def _show(options: argparse.Namespace, manifest: Manifest, standing: _Standing, groups: _Groups) -> None:
    jobs = without(standing.totals, standing.removed)
    screen.show(f"{manifest.name} · {screen.count(sum(jobs.values()), 'job')}", "")
    for each, number in jobs.items():
        if number:
            screen.show(f"  {each:<10}{number:>6,}")
    screen.show(*removed(standing.removed))
    if groups:
        _show_groups(options.by, groups)
    if standing.spent:
        budget = manifest.budget
        most = "" if budget.max_cost is None else f" of the budget of {money(budget.max_cost, budget.currency)}"
        screen.show("", f"  {money(standing.spent, budget.currency)}{most} spent")
    _show_unfinished(options, standing.unfinished)
    _show_gone(options, standing.gone)
    if standing.uncopied:
        screen.show("", f"  {screen.count(standing.uncopied, 'file')} not in {manifest.output.mirror} yet")
    show_clips(options, standing.clips)
    _show_verdicts(standing)
    if standing.uncopied or any(not each.is_final for each in standing.unfinished.totals):
        screen.show("", f"Next: {command_line(options, 'run')}")
    elif standing.unfinished:
        screen.show("", f"Next: {command_line(options, 'run', *retry_flags(standing.unfinished))}")


def without(totals: Mapping[Status, int], removed: Mapping[Status, int]) -> dict[Status, int]:
    """The totals of the jobs that the manifest has."""
    return {status: number - removed.get(status, 0) for status, number in totals.items()}


def removed(totals: Mapping[Status, int]) -> list[str]:
    """A line about jobs that are no longer in the manifest, if there are any."""
    counts = ", ".join(f"{totals[status]:,} {status}" for status in Status if totals.get(status))
    return [f"  removed   {sum(totals.values()):>6,}   no longer in the manifest: {counts}"] if counts else []


def _show_groups(names: Sequence[str], groups: _Groups) -> None:
    """One line for each combination of values, one column for each status that occurs."""
    columns = [each for each in Status if any(counts[each] for counts in groups.values())]
    shown = {tuple(map(printable, values)): counts for values, counts in groups.items()}
    widths = [max(map(len, column)) for column in zip(names, *shown, strict=True)]
    screen.show("", _row(names, widths) + "".join(f"  {each:>9}" for each in columns))
    for values, counts in shown.items():
        screen.show(_row(values, widths) + "".join(f"  {counts[each] or '-':>9}" for each in columns))


def _row(values: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"  {value:<{width}}" for value, width in zip(values, widths, strict=True))


def _show_unfinished(options: argparse.Namespace, left: Unfinished) -> None:
    if left:
        screen.show("")
    for record in left.first:
        screen.show(f"  {record.status:<10}{record.key}: {why(record)}")
    if left.others:
        # A run that has not ended, or a dry one, has not written the index.
        screen.show(f"  ... and {left.others:,} more; index.json has all after {command_line(options, 'index')}")


def _show_gone(options: argparse.Namespace, gone: list[str]) -> None:
    """The finished jobs whose clips were deleted. Their files are looked for by name, and not read."""
    if not gone:
        return
    more = f", and {len(gone) - 1:,} more" if len(gone) > 1 else ""
    repair = command_line(options, "verify", "--repair")
    screen.show("", f"  {screen.count(len(gone), 'clip')} not in the folder any more: {gone[0]}{more}")
    screen.show(f"  {repair}        (fetches what the service still has)")


def _show_verdicts(standing: _Standing) -> None:
    found = standing.verdicts
    if found is not None:
        screen.show("", f"  {'picked':<10}{found.picked:>6,}", f"  {'rejected':<10}{found.rejected:>6,}")
    screen.show(*(f"  {each}" for each in standing.notes))


def show_clips(options: argparse.Namespace, clips: ClipTotals) -> None:
    """The clips that people should look at, and those that nobody has looked at."""
    if clips.first:
        counts = (*clips.defects.most_common(), *clips.warnings.most_common())
        screen.show("", f"  to look at: {', '.join(f'{name} {number:,}' for name, number in counts)}")
    for key, words in clips.first:
        screen.show(f"  {key}: {words}")
    if clips.others:
        screen.show(f"  ... and {clips.others:,} more; index.json has all")
    if clips.unmeasured and options.command != "measure":
        screen.show("", f"  {screen.count(clips.unmeasured, 'clip')} not measured: {command_line(options, 'measure')}")
    if clips.without_flow:
        number = screen.count(clips.without_flow, "clip")
        again = command_line(options, "measure")
        screen.show("", f"  {number} without motion and camera: {install_line('measure')} (OpenCV), then {again}")


def why(record: JobRecord) -> str:
    """Why a job has not succeeded."""
    words = "not submitted yet" if record.status is Status.PENDING else str(record.status)
    return record.error or record.reason or words


def index(options: argparse.Namespace) -> int:
    """Write the index again from the state."""
    from runner import campaign

    manifest, warnings = manifest_of(options)
    selection = selection_of(options, manifest)
    store = state_of(manifest)
    if store is None:
        raise StateError(
            f"there is no state at {manifest.output.state} yet", command_line(options, "run") + " makes it"
        )
    if options.rename:
        store.close()
        _rename(manifest, selection, warnings)
        store = state_of(manifest)
        assert store is not None, "it was written to"
    with store:
        selection = selection.at(store)
        standing = _standing(store, manifest, selection)
        if options.json and not _is_ours(manifest):
            written = store.index_in(manifest.output.dir)
            why_not = "its folder is another user's, or cannot be written"
            screen.say(f"Not written: {screen.shown_path(written)} ({why_not})")
        else:
            written = campaign.write_index(manifest, store, time.time(), selection, for_excel=options.excel)
    if options.json:
        screen.document(run_document(manifest, standing.totals, 0, standing.spent, written))
    else:
        of = "" if selection.is_everything else f" of {screen.count(sum(standing.totals.values()), 'selected job')}"
        screen.report(f"Wrote {screen.shown_path(written)}, {written.stem}.csv and {written.stem}.html beside it{of}.")
    return Exit.DONE


def _rename(manifest: Manifest, selection: Selection, warnings: Sequence[Diagnostic]) -> None:
    """Give finished clips the names that output.file gives them today."""
    from runner import campaign

    renamed, left = campaign.rename(manifest, selection, warnings)
    for key, path in left[:_SHOWN]:
        screen.alert(f"Not renamed: {key}: something else is at {path}")
    if len(left) > _SHOWN:
        screen.alert(f"... and {len(left) - _SHOWN:,} more")
    screen.say(f"{screen.count(renamed, 'clip')} renamed")


def _is_ours(manifest: Manifest) -> bool:
    """Whether the results belong to this user: in a folder of somebody else nothing is left behind unasked."""
    folder, state = manifest.output.dir, manifest.output.state
    return os.access(folder, os.W_OK) and state.stat().st_uid == os.geteuid()


def run_document(
    manifest: Manifest, totals: dict[Status, int], submitted: int, spent: Decimal, index: Path
) -> dict[str, object]:
    """Where the jobs stand, for programs. The cost is what was spent so far; null if no price was ever known."""
    budget = manifest.budget
    return {
        "manifest": str(manifest.path),
        "totals": {str(each): number for each, number in totals.items()},
        "submitted": submitted,
        "cost": screen.cost_document(spent if spent or manifest.has_price else None, budget.currency),
        "index": str(index),
        "output_dir": str(manifest.output.dir),
    }
