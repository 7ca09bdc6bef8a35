"""`status` and `index`: where the jobs stand, read from the state."""

from __future__ import annotations

import argparse
import time
from decimal import Decimal

from runner.cli import screen
from runner.cli.inputs import command_line, manifest_of
from runner.errors import Exit, StateError
from runner.model import JobRecord, Manifest, Status
from runner.state.store import Store

_SHOWN = 20


def status(options: argparse.Namespace) -> int:
    """Show where the jobs stand."""
    manifest, _ = manifest_of(options)
    store = Store.read(manifest.output.state)
    if store is None:
        totals, spent, unfinished = dict.fromkeys(Status, 0), Decimal(0), list[JobRecord]()
    else:
        with store:
            totals, spent = store.totals(), store.spent(manifest.budget)[0]
            unfinished = [] if options.json else list(store.unfinished())
    if options.json:
        screen.document(run_document(manifest, totals, 0, spent))
    elif store is None:
        screen.show(f"{manifest.name}: no run yet. Next: {command_line(options, 'run')}")
    else:
        _show(options, manifest, totals, spent, unfinished)
    return Exit.DONE


def _show(
    options: argparse.Namespace,
    manifest: Manifest,
    totals: dict[Status, int],
    spent: Decimal,
    unfinished: list[JobRecord],
) -> None:
    screen.show(f"{manifest.name} · {screen.count(sum(totals.values()), 'job')}\n")
    for each, number in totals.items():
        if number:
            screen.show(f"  {each:<10}{number:>6,}")
    if spent:
        budget = manifest.budget
        most = "" if budget.max_cost is None else f" of the budget of {screen.money(budget.max_cost, budget.currency)}"
        screen.show(f"\n  {screen.money(spent, budget.currency)}{most} spent")
    if unfinished:
        screen.show("")
    for record in unfinished[:_SHOWN]:
        screen.show(f"  {record.status:<10}{record.key}: {why(record)}")
    if len(unfinished) > _SHOWN:
        screen.show(f"  ... and {len(unfinished) - _SHOWN:,} more; --json and index.json have all")
    if any(not record.status.is_final for record in unfinished):
        screen.show(f"\nNext: {command_line(options, 'run')}")
    elif unfinished:
        screen.show(f"\nNext: {command_line(options, 'run', '--retry-failed')}")


def why(record: JobRecord) -> str:
    """Why a job that did not succeed stands where it does."""
    words = "not submitted yet" if record.status is Status.PENDING else str(record.status)
    return record.error or record.reason or words


def index(options: argparse.Namespace) -> int:
    """Write the index anew from the state."""
    from runner import campaign

    manifest, _ = manifest_of(options)
    store = Store.read(manifest.output.state)
    if store is None:
        raise StateError(
            f"there is no state at {manifest.output.state} yet", command_line(options, "run") + " makes it"
        )
    with store:
        written = campaign.write_index(manifest, store, time.time())
        totals, spent = store.totals(), store.spent(manifest.budget)[0]
    if options.json:
        screen.document(run_document(manifest, totals, 0, spent))
    else:
        screen.show(f"Wrote {screen.shown_path(written)}, index.csv and index.html beside it.")
    return Exit.DONE


def run_document(manifest: Manifest, totals: dict[Status, int], submitted: int, spent: Decimal) -> dict[str, object]:
    """Where the jobs stand, for programs. The cost is what was spent so far, null where no price was ever known."""
    budget = manifest.budget
    has_price = bool(spent) or budget.price_per_job is not None or budget.price_per_second is not None
    return {
        "manifest": str(manifest.path),
        "totals": {str(each): number for each, number in totals.items()},
        "submitted": submitted,
        "cost": screen.cost_document(spent if has_price else None, budget.currency),
        "index": str(manifest.output.dir / "index.json"),
        "output_dir": str(manifest.output.dir),
    }
