"""`status` and `index`: where the jobs stand, read from the state."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

from runner.cli import screen
from runner.cli.options import command_line, manifest_of, retry_flags, selection_of
from runner.diagnostics.words import money, printable
from runner.errors import Exit, StateError
from runner.model import JobRecord, Manifest, Status
from runner.planning.selection import Selection, known_variable, text_of, value_of
from runner.results.atomic_files import index_path
from runner.results.unfinished import Unfinished, unfinished
from runner.state.store import Store


@dataclass(slots=True)
class _Standing:
    """How many of the selected jobs have which status, what they cost, and which are not done."""

    totals: dict[Status, int]
    spent: Decimal
    unfinished: Unfinished


def status(options: argparse.Namespace) -> int:
    """Show where the jobs stand."""
    manifest, _ = manifest_of(options)
    selection = selection_of(options, manifest)
    if options.by is not None:
        known_variable(options.by, manifest, "--by")
    store = Store.read(manifest.output.state, index_path(manifest.output.dir))
    if store is None:
        standing, groups = _Standing(dict.fromkeys(Status, 0), Decimal(0), Unfinished()), {}
    else:
        with store:
            manifest = _as_counted(manifest, store)
            standing = _standing(store, manifest, selection)
            groups = _groups(store, manifest, selection, options.by) if options.by is not None else {}
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
    left = unfinished(store, selection)
    if selection.is_everything:
        return _Standing(store.totals(), store.spent(manifest.budget)[0], left)
    totals, spent = dict.fromkeys(Status, 0), Decimal(0)
    for record in filter(selection.has, store.records()):
        totals[record.status] += 1
        spent += record.cost or Decimal(0)
    return _Standing(totals, spent, left)


def _groups(store: Store, manifest: Manifest, selection: Selection, name: str) -> dict[str, Counter[Status]]:
    """The totals for each value of a variable, in the order in which the values occur."""
    groups: dict[str, Counter[Status]] = {}
    for record in filter(selection.has, store.records()):
        found, value = value_of(record, name, selection.pictures)
        groups.setdefault(text_of(value) if found else "(without)", Counter())[record.status] += 1
    return groups


def _status_document(
    options: argparse.Namespace, manifest: Manifest, standing: _Standing, groups: dict[str, Counter[Status]]
) -> dict[str, object]:
    document = run_document(manifest, standing.totals, 0, standing.spent)
    if options.by is not None:
        totals_by_value = {value: {str(each): counts[each] for each in Status} for value, counts in groups.items()}
        document["groups"] = {options.by: totals_by_value}
    return document


def _show(
    options: argparse.Namespace, manifest: Manifest, standing: _Standing, groups: dict[str, Counter[Status]]
) -> None:
    screen.show(f"{manifest.name} · {screen.count(sum(standing.totals.values()), 'job')}", "")
    for each, number in standing.totals.items():
        if number:
            screen.show(f"  {each:<10}{number:>6,}")
    if groups:
        _show_groups(options.by, groups)
    if standing.spent:
        budget = manifest.budget
        most = "" if budget.max_cost is None else f" of the budget of {money(budget.max_cost, budget.currency)}"
        screen.show("", f"  {money(standing.spent, budget.currency)}{most} spent")
    _show_unfinished(options, standing.unfinished)
    if any(not each.is_final for each in standing.unfinished.totals):
        screen.show("", f"Next: {command_line(options, 'run')}")
    elif standing.unfinished:
        screen.show("", f"Next: {command_line(options, 'run', *retry_flags(standing.unfinished.totals))}")


def _show_groups(name: str, groups: dict[str, Counter[Status]]) -> None:
    """One line for each value, one column for each status that occurs."""
    columns = [each for each in Status if any(counts[each] for counts in groups.values())]
    width = max(map(len, (name, *groups)))
    screen.show("", f"  {name:<{width}}" + "".join(f"  {each:>9}" for each in columns))
    for value, counts in groups.items():
        screen.show(f"  {printable(value):<{width}}" + "".join(f"  {counts[each] or '-':>9}" for each in columns))


def _show_unfinished(options: argparse.Namespace, left: Unfinished) -> None:
    if left:
        screen.show("")
    for record in left.first:
        screen.show(f"  {record.status:<10}{record.key}: {why(record)}")
    if left.others:
        # A run that has not ended, or a dry one, has not written the index.
        screen.show(f"  ... and {left.others:,} more; index.json has all after {command_line(options, 'index')}")


def why(record: JobRecord) -> str:
    """Why a job has not succeeded."""
    words = "not submitted yet" if record.status is Status.PENDING else str(record.status)
    return record.error or record.reason or words


def index(options: argparse.Namespace) -> int:
    """Write the index again from the state."""
    from runner import campaign

    manifest, _ = manifest_of(options)
    selection = selection_of(options, manifest)
    store = Store.read(manifest.output.state, index_path(manifest.output.dir))
    if store is None:
        raise StateError(
            f"there is no state at {manifest.output.state} yet", command_line(options, "run") + " makes it"
        )
    with store:
        written = campaign.write_index(manifest, store, time.time(), selection)
        standing = _standing(store, manifest, selection)
    if options.json:
        screen.document(run_document(manifest, standing.totals, 0, standing.spent))
    else:
        of = "" if selection.is_everything else f" of {screen.count(sum(standing.totals.values()), 'selected job')}"
        screen.show(f"Wrote {screen.shown_path(written)}, index.csv and index.html beside it{of}.")
    return Exit.DONE


def run_document(manifest: Manifest, totals: dict[Status, int], submitted: int, spent: Decimal) -> dict[str, object]:
    """Where the jobs stand, for programs. The cost is what was spent so far; null if no price was ever known."""
    budget = manifest.budget
    return {
        "manifest": str(manifest.path),
        "totals": {str(each): number for each, number in totals.items()},
        "submitted": submitted,
        "cost": screen.cost_document(spent if spent or budget.has_price else None, budget.currency),
        "index": str(index_path(manifest.output.dir)),
        "output_dir": str(manifest.output.dir),
    }
