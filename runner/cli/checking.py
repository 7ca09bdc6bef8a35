"""`validate` and `plan`: what is wrong with a manifest, and what a run of it would do."""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from runner.cli import screen
from runner.cli.inputs import command_line, manifest_of, selection_of
from runner.errors import Exit, ManifestError, Severity
from runner.manifest.reader import read
from runner.model import Action, Manifest
from runner.planning.plan import Plan, Selection, make_plan

_FIRST_JOBS = 5
# What may be wrong only because a picture or prompt that has an error is left out.
_FOLLOWING = ("E502", "E504")


def validate(options: argparse.Namespace) -> int:
    """Check a manifest and everything that it names."""
    reading = read(Path(options.manifest), fetch=_fetcher() if options.check_urls else None)
    found, planned = reading.diagnostics, None
    if reading.manifest is not None:
        try:
            planned = make_plan(reading.manifest, warnings=found)
            found = planned.diagnostics
        except ManifestError as error:
            follows = _FOLLOWING if reading.has_errors else ()
            found = tuple(each for each in error.diagnostics if each.code not in follows)
    errors = any(each.severity is Severity.ERROR for each in found)
    if options.json:
        screen.document({"diagnostics": [each.as_json() for each in found]})
    else:
        screen.diagnostics(found)
        if planned is not None and not errors:
            jobs = screen.count(len(planned.jobs), "job")
            screen.show(f"{options.manifest} is sound: {jobs}. Next: reelrun plan {options.manifest}")
    return Exit.INVALID if errors else Exit.DONE


def _fetcher() -> Callable[[str], bytes]:
    """Fetches a picture of a manifest, which may name any address, bounded in size."""
    import requests

    from runner.api.files import BadLinkError, Files

    files = Files(trusted=True)

    def fetch(url: str) -> bytes:
        try:
            with files.open(url, {}) as response:
                response.raise_for_status()
                content = b""
                for block in response.iter_content(1 << 16):
                    content += block
                    if len(content) > 32 << 20:
                        raise OSError("it is larger than 32 MB")
                return content
        except (BadLinkError, requests.RequestException) as error:
            raise OSError(str(error)) from error

    return fetch


def plan(options: argparse.Namespace) -> int:
    """Show what a run would do."""
    from runner import campaign

    manifest, warnings = manifest_of(options)
    planned = campaign.plan(manifest, selection_of(options), warnings)
    if options.json:
        screen.document(plan_document(planned))
        return Exit.DONE
    screen.diagnostics(planned.diagnostics)
    show_plan(planned, every=options.jobs)
    warn_of_nothing(planned, options.only)
    submits = planned.totals[Action.SUBMIT]
    if submits or planned.totals[Action.ATTACH] or planned.totals[Action.FETCH]:
        told = _asked(planned, submits)
        again = [f"--{name}" for name in ("retry-failed", "resubmit-unknown") if vars(options)[name.replace("-", "_")]]
        screen.show(f"\nNext: {command_line(options, 'run', *again)}        ({told})")
    elif any(each.action is Action.SKIP and selection_of(options).has(each.job.key) for each in planned.jobs):
        screen.show(f"\nNext: {command_line(options, 'run', '--retry-failed')}        (nothing else is left to do)")
    else:
        screen.show("\nNothing is left to do.")
    return Exit.DONE


def _asked(planned: Plan, submits: int) -> str:
    told = screen.count(submits, "submission")
    budget = planned.manifest.budget
    if planned.cost is None:
        return told
    told += f", {screen.money(planned.cost, budget.currency)}"
    if budget.max_cost is not None:
        whole = screen.money(planned.spent + planned.cost, budget.currency)
        told += f"; {whole} of the budget of {screen.money(budget.max_cost, budget.currency)} when done"
    return told


def warn_of_nothing(planned: Plan, only: Sequence[str]) -> None:
    """Say so where --only selects no job: a mistyped glob looks like a finished run."""
    selection = Selection(only=tuple(only))
    if only and not any(selection.has(each.job.key) for each in planned.jobs):
        screen.say(f"No job's key matches --only; the first key is {planned.jobs[0].job.key}")


def show_plan(planned: Plan, *, every: bool = False, show: Callable[[str], None] = screen.show) -> None:
    """The plan for people: its size, what is done with how many jobs and why, and the first jobs or all."""
    manifest = planned.manifest
    show(f"{manifest.name} · {', '.join(manifest.models)}")
    show(_size(planned) + "\n")
    groups = Counter((each.action, each.reason) for each in planned.jobs)
    order = list(Action)
    for (action, reason), number in sorted(groups.items(), key=lambda group: order.index(group[0][0])):
        price = _price(planned, action, reason)
        show(f"  {action:<8}{number:>6,}   {reason:<36}{price:>10}".rstrip())
    if planned.spent:
        show(f"  {'spent so far':<51}{screen.money(planned.spent, manifest.budget.currency):>10}")
    shown = [each for each in planned.jobs if every or each.action is Action.SUBMIT]
    shown = shown if every else shown[:_FIRST_JOBS]
    if shown:
        show(f"\n{'All jobs' if every else 'The first of them'}:")
    for each in shown:
        show(f"  {each.action:<7} {each.job.id}  {each.job.key}" + (f"  ({each.reason})" if every else ""))
    if not every and planned.totals[Action.SUBMIT] > len(shown):
        show(f"  ... {planned.totals[Action.SUBMIT] - len(shown):,} more; --jobs lists all")
    if planned.duplicates:
        show("\nOne request each:")
    for keys in planned.duplicates[:_FIRST_JOBS]:
        show(f"  {' = '.join(keys)}")
    if len(planned.duplicates) > _FIRST_JOBS:
        show(f"  ... {len(planned.duplicates) - _FIRST_JOBS:,} more; --json lists all")


def _price(planned: Plan, action: Action, reason: str) -> str:
    if action is not Action.SUBMIT or planned.cost is None:
        return ""
    prices = (each.price or Decimal(0) for each in planned.jobs if (each.action, each.reason) == (action, reason))
    return screen.money(sum(prices, Decimal(0)), planned.manifest.budget.currency)


def _size(planned: Plan) -> str:
    """`3 images x 2 prompts x 5 variants x 2 takes = 60 cells, 58 jobs (2 cells render to the same request)`."""
    manifest = planned.manifest
    factors = _factors(manifest)
    told = " x ".join(screen.count(number, noun) for noun, number in factors)
    product = math.prod(number for _, number in factors)
    less = f", less {product - planned.cells:,} excluded" if product > planned.cells else ""
    same = planned.cells - len(planned.jobs)
    merged = f" ({screen.count(same, 'cell')} render{'s' if same == 1 else ''} to the same request)" if same else ""
    return f"{told}{less} = {screen.count(planned.cells, 'cell')}, {screen.count(len(planned.jobs), 'job')}{merged}"


def _factors(manifest: Manifest) -> list[tuple[str, int]]:
    from runner.planning.matrix import variants

    factors = [("image", len(manifest.images)), ("prompt", len(manifest.prompts))]
    number = sum(1 for _ in variants(manifest.matrix))
    if number > 1:
        factors.append(("variant", number))
    if manifest.axis_of_models:
        factors.append(("model", len(manifest.models)))
    if manifest.takes > 1:
        factors.append(("take", manifest.takes))
    return factors


def plan_document(planned: Plan) -> dict[str, object]:
    """The plan for programs."""
    return {
        "manifest": str(planned.manifest.path),
        "totals": {str(action): number for action, number in planned.totals.items()},
        "cost": screen.cost_document(planned.cost, planned.manifest.budget.currency),
        "jobs": [
            {
                "id": each.job.id,
                "key": each.job.key,
                "image": each.job.image,
                "prompt_id": each.job.prompt_id,
                "model": each.job.model,
                "variables": each.job.variables,
                "take": each.job.take,
                "payload": each.job.payload,
                "action": str(each.action),
                "reason": each.reason,
            }
            for each in planned.jobs
        ],
        "duplicates": [list(keys) for keys in planned.duplicates],
        "diagnostics": [each.as_json() for each in planned.diagnostics],
    }
