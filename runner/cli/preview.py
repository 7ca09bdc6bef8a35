"""`plan`: what a run would do with every job, why, and for how much; and what changed since the last time."""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable

from runner.cli import screen
from runner.cli.inputs import command_line, manifest_of, selection_of
from runner.errors import Exit
from runner.manifest.words import literal, printable, shortened
from runner.model import Action, Change, Job, Json, Manifest, Planned, Status
from runner.planning.changes import Piece, edits, words
from runner.planning.plan import Group, Plan
from runner.planning.selection import Selection, text_of, value_of

_FIRST_JOBS = 5
_NARROWEST_REASON = 24
# Of text that did not change, this much stands around what did.
_CONTEXT = 30


def plan(options: argparse.Namespace) -> int:
    """Show what a run would do."""
    from runner import campaign

    manifest, warnings = manifest_of(options)
    selection = selection_of(options, manifest)
    planned = campaign.plan(manifest, selection, warnings)
    if options.json:
        screen.document(plan_document(planned))
        return Exit.DONE
    screen.diagnostics(planned.diagnostics)
    show_plan(planned, every=options.jobs)
    warn_of_nothing(planned, selection)
    screen.show(f"\n{_next(options, planned, selection)}")
    return Exit.DONE


def _next(options: argparse.Namespace, planned: Plan, selection: Selection) -> str:
    submits = planned.totals[Action.SUBMIT]
    if submits or planned.totals[Action.ATTACH] or planned.totals[Action.FETCH]:
        again = [f"--{name}" for name in ("retry-failed", "resubmit-unknown") if vars(options)[name.replace("-", "_")]]
        return f"Next: {command_line(options, 'run', *again)}        ({_asked(planned, submits)})"
    if any(each.action is Action.SKIP and selection.has(each.job) for each in planned.jobs):
        return f"Next: {command_line(options, 'run', '--retry-failed')}        (nothing else is left to do)"
    return "Nothing is left to do."


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


def warn_of_nothing(planned: Plan, selection: Selection) -> None:
    """Say so where nothing is selected: a mistyped glob looks like a finished run."""
    if not selection.is_everything and not any(selection.has(each.job) for each in planned.jobs):
        first = planned.jobs[0].job
        values = "".join(f"; its {name} is {_value_of(first, name, selection)}" for name in selection.where)
        screen.say(f"No job is selected; the first key is {first.key}{values}")


def _value_of(job: Job, name: str, selection: Selection) -> str:
    found, value = value_of(job, name, selection.pictures)
    return text_of(value) if found else "not set"


def show_plan(planned: Plan, *, every: bool = False, show: Callable[[str], None] = screen.show) -> None:
    """The plan for people: its size, what is done with how many jobs and why, what changed, the first jobs or all."""
    manifest = planned.manifest
    show(f"{manifest.name} · {', '.join(manifest.models)}")
    show(size_of(planned) + "\n")
    _show_groups(planned, show)
    _show_changes(planned, show)
    _show_jobs(planned, every, show)
    _show_duplicates(planned, show)


def _show_groups(planned: Plan, show: Callable[[str], None]) -> None:
    """A line for each thing that is done, and why, with what it costs, and one for all."""
    rows = [(str(each.action), each.jobs, each.reason, cost_of(each, planned.manifest)) for each in planned.groups]
    rows.append(("in all", len(planned.jobs), "", whole_cost(planned)))
    width = max(_NARROWEST_REASON, *(len(reason) for _, _, reason, _ in rows))
    for action, jobs, reason, cost in rows:
        show(f"  {action:<8}{jobs:>6,}   {reason:<{width}}  {cost}".rstrip())
    if planned.orphaned:
        show(f"  {'orphaned':<8}{len(planned.orphaned):>6,}   {orphans_of(planned)}")


def _show_jobs(planned: Plan, every: bool, show: Callable[[str], None]) -> None:
    submits = planned.totals[Action.SUBMIT]
    shown = [each for each in planned.jobs if every or each.action is Action.SUBMIT]
    shown = shown if every else shown[:_FIRST_JOBS]
    if shown:
        show(f"\n{'All jobs' if every else 'The first submissions'}:")
    for each in shown:
        show(f"  {each.action:<7} {each.job.id}  {each.job.key}" + (f"  ({each.reason})" if every else ""))
    if not every and submits > len(shown):
        show(f"  ... {submits - len(shown):,} more; --jobs lists all")
    for orphan in planned.orphaned if every else ():
        show(f"  orphan  {orphan.id}  {orphan.key}  (no longer in the manifest: {orphan.status})")


def _show_duplicates(planned: Plan, show: Callable[[str], None]) -> None:
    if planned.duplicates:
        show("\nOne request each:")
    for keys in planned.duplicates[:_FIRST_JOBS]:
        show(f"  {' = '.join(keys)}")
    if len(planned.duplicates) > _FIRST_JOBS:
        show(f"  ... {len(planned.duplicates) - _FIRST_JOBS:,} more; --json lists all")


def _show_changes(planned: Plan, show: Callable[[str], None]) -> None:
    """What changed in which jobs; those that changed alike are told once."""
    alike = changed_alike(planned)
    if alike:
        show("\nChanged:")
    for jobs in alike[:_FIRST_JOBS]:
        more = f"  (and {len(jobs) - 1:,} more, changed alike)" if len(jobs) > 1 else ""
        show(f"  {jobs[0].job.key}{more}")
        width = max(len(each.name) for each in jobs[0].changes)
        for change in jobs[0].changes:
            show(f"    {change.name:<{width}}  {_told(change)}")
    if len(alike) > _FIRST_JOBS:
        rest = sum(map(len, alike[_FIRST_JOBS:]))
        show(f"  ... {screen.count(rest, 'more changed job')}; --markdown tells of each")


def changed_alike(planned: Plan) -> list[list[Planned]]:
    """The changed jobs, those of one edit together."""
    alike: dict[tuple[object, ...], list[Planned]] = {}
    for each in planned.jobs:
        if each.changes:
            alike.setdefault(tuple(map(edits, each.changes)), []).append(each)
    return list(alike.values())


def _told(change: Change) -> str:
    if isinstance(change.old, str) and isinstance(change.new, str) and change.name.endswith("prompt"):
        pieces = words(change.old, change.new)
        return "".join(_piece(each, index, len(pieces)) for index, each in enumerate(pieces))
    return f"{value_told(change.old)} -> {value_told(change.new)}"


def value_told(value: Json) -> str:
    """A value of a parameter, short: of a digest the beginning tells enough."""
    if value is None:
        return "(left out)"
    if isinstance(value, str) and value.startswith("sha256:"):
        return value[:19]
    return literal(value)


def _piece(piece: Piece, index: int, count: int) -> str:
    """A piece in the signs of a word diff, `[-old-]{+new+}`, which need no colour."""
    if piece.is_kept:
        return printable(elided(piece.new, is_first=index == 0, is_last=index == count - 1))
    coloured = screen.has_colour(sys.stdout)
    old = f"[-{printable(piece.old)}-]" if piece.old else ""
    new = f"{{+{printable(piece.new)}+}}" if piece.new else ""
    return screen.painted(old, "31", coloured) + screen.painted(new, "32", coloured)


def elided(text: str, *, is_first: bool, is_last: bool) -> str:
    """Text that did not change, as far as it stands near what did."""
    if (is_first and is_last) or len(text) <= 2 * _CONTEXT:
        return text if len(text) <= 2 * _CONTEXT else shortened(text, 2 * _CONTEXT)
    head, tail = text[:_CONTEXT], text[-_CONTEXT:]
    return f"…{tail}" if is_first else f"{head}…" if is_last else f"{head}…{tail}"


def cost_of(group: Group, manifest: Manifest) -> str:
    """What a group costs: what its submissions would, or what its jobs did."""
    currency = manifest.budget.currency
    if group.action is Action.SUBMIT:
        return screen.money(group.price, currency) if group.price is not None else ""
    return f"{screen.money(group.spent, currency)} spent" if group.spent else ""


def whole_cost(planned: Plan) -> str:
    currency = planned.manifest.budget.currency
    parts = [f"{screen.money(planned.cost, currency)} to spend" if planned.cost is not None else ""]
    parts.append(f"{screen.money(planned.spent, currency)} spent" if planned.spent else "")
    return ", ".join(filter(None, parts))


def orphans_of(planned: Plan) -> str:
    """`no longer in the manifest: 3 succeeded, 1 waiting (carried through)`."""
    counted = Counter(each.status for each in planned.orphaned)
    told = ", ".join(f"{counted[status]:,} {status}" for status in Status if counted[status])
    carried = " (what is open is carried through)" if counted[Status.WAITING] or counted[Status.UNKNOWN] else ""
    return f"no longer in the manifest: {told}{carried}"


def size_of(planned: Plan) -> str:
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
