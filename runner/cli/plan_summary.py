"""Texts about a plan that the screen and the Markdown summary share."""

from __future__ import annotations

import math
from itertools import islice

from runner.cli import screen
from runner.cli.set_flag import flags
from runner.diagnostics.words import literal, money, shortened
from runner.model import Action, Json, Manifest, Planned, Status
from runner.planning.changes import edits
from runner.planning.expansion.matrix import product_size, variants
from runner.planning.plan import Group, Plan

# The characters of unchanged text that are shown next to a change.
_CONTEXT = 30
# The most changed jobs that are compared.
_MOST_CHANGES = 5000


def changed_alike(planned: Plan) -> list[list[Planned]]:
    """The changed jobs, grouped by equal edits. Only the first `_MOST_CHANGES` are compared."""
    changed = sum(group.jobs for group in planned.groups if group.reason.startswith("changed:"))
    alike: dict[tuple[object, ...], list[Planned]] = {}
    found = (each for each in planned.submits if each.changes)
    for each in islice(found, min(changed, _MOST_CHANGES)):
        alike.setdefault(tuple(map(edits, each.changes)), []).append(each)
    return list(alike.values())


def value_told(value: Json) -> str:
    """The value of a parameter as a short text. Of a digest, only the beginning is shown."""
    if value is None:
        return "(left out)"
    if isinstance(value, str) and value.startswith("sha256:"):
        return value[:19]
    return literal(value)


def elided(text: str, *, is_first: bool, is_last: bool) -> str:
    """Unchanged text, cut to what is next to a change."""
    if (is_first and is_last) or len(text) <= 2 * _CONTEXT:
        return text if len(text) <= 2 * _CONTEXT else shortened(text, 2 * _CONTEXT)
    head, tail = text[:_CONTEXT], text[-_CONTEXT:]
    return f"…{tail}" if is_first else f"{head}…" if is_last else f"{head}…{tail}"


def cost_of(group: Group, manifest: Manifest) -> str:
    """The cost of a group: what its submissions would cost, or what its jobs have cost."""
    currency = manifest.budget.currency
    if group.action is Action.SUBMIT:
        return money(group.price, currency) if group.price is not None else ""
    return f"{money(group.spent, currency)} spent" if group.spent else ""


def whole_cost(planned: Plan) -> str:
    currency = planned.manifest.budget.currency
    parts = [f"{money(planned.cost, currency)} to spend" if planned.cost is not None else ""]
    parts.append(f"{money(planned.spent, currency)} spent" if planned.spent else "")
    return ", ".join(filter(None, parts))


def budget_of(planned: Plan) -> str:
    """`$13.50 of the budget of $40.00 when done`; empty if there is no limit or no price."""
    budget = planned.manifest.budget
    if budget.max_cost is None or planned.cost is None:
        return ""
    whole = planned.spent + planned.cost
    over = ", which is over it: a run would submit nothing" if planned.cost and whole > budget.max_cost else ""
    most = money(budget.max_cost, budget.currency)
    return f"{money(whole, budget.currency)} of the budget of {most} when done{over}"


def orphans_of(planned: Plan) -> str:
    """`no longer in the manifest: 3 succeeded, 1 waiting (carried through)`."""
    counted = planned.orphaned.totals
    counts = ", ".join(f"{counted[status]:,} {status}" for status in Status if counted.get(status))
    is_open = counted.get(Status.WAITING) or counted.get(Status.UNKNOWN)
    carried = " (what is open is carried through)" if is_open else ""
    return f"no longer in the manifest: {counts}{carried}"


def set_in(planned: Plan) -> str:
    """` · --set season=winter`; empty if nothing is set."""
    return f" · {flags(planned.manifest.set)}" if planned.manifest.set else ""


def size_of(planned: Plan) -> str:
    """`3 images x 2 prompts x 5 variants x 2 takes = 60 cells, 58 jobs (2 cells render to the same request)`."""
    manifest = planned.manifest
    factors = _factors(manifest)
    size = " x ".join(screen.count(number, noun) for noun, number in factors)
    product = math.prod(number for _, number in factors)
    less = f", less {product - planned.cells:,} excluded" if product > planned.cells else ""
    same = planned.cells - len(planned.jobs)
    merged = f" ({screen.count(same, 'cell')} render{'s' if same == 1 else ''} to the same request)" if same else ""
    return f"{size}{less} = {screen.count(planned.cells, 'cell')}, {screen.count(len(planned.jobs), 'job')}{merged}"


def _factors(manifest: Manifest) -> list[tuple[str, int]]:
    factors = [("image", len(manifest.images)), ("prompt", len(manifest.prompts))]
    matrix = manifest.matrix
    is_product = not (matrix.include or matrix.exclude or matrix.sample)
    number = product_size(matrix) if is_product else sum(1 for _ in variants(matrix))
    if number > 1:
        factors.append(("variant", number))
    if manifest.axis_of_models:
        factors.append(("model", len(manifest.models)))
    if manifest.takes > 1:
        factors.append(("take", manifest.takes))
    return factors
