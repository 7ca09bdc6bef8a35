"""The plan: every job of a manifest, with what a run would do about it and why. Computed; it writes nothing."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from runner.errors import Diagnostic, ManifestError
from runner.model import Action, Budget, Job, Json, Manifest, ModelSchema, Orphan, Planned, Variables, folded
from runner.planning.cells import Cell, Expansion
from runner.planning.comparison import compared
from runner.planning.faults import Faults, Place
from runner.planning.keys import told_apart
from runner.planning.paths import safe_path
from runner.planning.prices import has_price, price_of
from runner.planning.selection import EVERYTHING, Selection
from runner.state.store import Store


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs with which the same is done for the same reason. `price` is None where that of one is not known."""

    action: Action
    reason: str
    jobs: int
    price: Decimal | None
    spent: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """Every job of a manifest, in its order.

    `duplicates` holds the keys of cells that render to one request, `cells` is how many there are before that.
    `spent` is what the state's attempts cost so far. `digest` names the jobs with all that people call them. `orphaned`
    are the submitted jobs of the state that the manifest no longer has.
    """

    manifest: Manifest
    jobs: tuple[Planned, ...]
    cells: int
    duplicates: tuple[tuple[str, ...], ...]
    diagnostics: tuple[Diagnostic, ...]
    spent: Decimal = Decimal(0)
    digest: str = field(default="", repr=False)
    orphaned: tuple[Orphan, ...] = ()

    @property
    def totals(self) -> dict[Action, int]:
        counted = Counter(planned.action for planned in self.jobs)
        return {action: counted[action] for action in Action}

    @property
    def groups(self) -> tuple[Group, ...]:
        """The jobs by what is done with them and why, in the order of actions."""
        return grouped(self.jobs)

    @property
    def cost(self) -> Decimal | None:
        """What the submissions of this plan cost, None where the price of one is not known."""
        if not has_price(self.manifest.budget):
            return None
        prices = [each.price for each in self.jobs if each.action is Action.SUBMIT]
        known = [price for price in prices if price is not None]
        return sum(known, Decimal(0)) if len(known) == len(prices) else None


def make_plan(
    manifest: Manifest,
    store: Store | None = None,
    selection: Selection = EVERYTHING,
    warnings: Sequence[Diagnostic] = (),
) -> Plan:
    """Expand, render, check and compare with the state. Raises ManifestError with every problem found.

    `warnings` are those of reading the manifest; they are handed on in the plan.
    """
    faults = Faults(manifest)
    expansion = Expansion(manifest, faults)
    jobs, duplicates = _jobs(manifest, expansion, faults)
    _check_budget(manifest.budget, jobs, faults)
    if not jobs and not faults.has_errors:
        faults.add(
            "E504", Place(("matrix",), key=True), "nothing is left to make: every cell is excluded", "loosen exclude"
        )
    diagnostics = (*warnings, *faults.diagnostics(expansion.seen))
    if faults.has_errors:
        raise ManifestError(diagnostics)
    present = {job.id for job in jobs}
    digest = hashlib.sha256()
    for job in jobs:
        digest.update(json.dumps((job.id, job.key, job.aliases, job.image, job.prompt_id, job.variables)).encode())
    return Plan(
        manifest,
        tuple(compared(manifest, jobs, present, store, selection)),
        expansion.seen,
        duplicates,
        diagnostics,
        store.spent(manifest.budget)[0] if store else Decimal(0),
        digest.hexdigest(),
        tuple(each for each in store.submitted() if each.id not in present) if store else (),
    )


def _jobs(manifest: Manifest, expansion: Expansion, faults: Faults) -> tuple[list[Job], tuple[tuple[str, ...], ...]]:
    """The distinct jobs: cells with equal requests are one, under the first cell's key."""
    first: dict[str, Cell] = {}
    aliases: dict[str, list[str]] = {}
    for cell in expansion.cells():
        if cell.id not in first:
            first[cell.id] = cell
            if len(first) > manifest.budget.max_jobs:
                _too_many(manifest, faults)
                break
        elif cell.key != first[cell.id].key:
            aliases.setdefault(cell.id, []).append(cell.key)
    counted = Counter(folded(cell.key) for cell in first.values())
    jobs = []
    for cell in first.values():
        key = told_apart(cell.key, cell.id) if counted[folded(cell.key)] > 1 else cell.key
        jobs.append(_job(cell, key, tuple(dict.fromkeys(aliases.get(cell.id, ())))))
    _check_paths(jobs, faults)
    return jobs, tuple((job.key, *job.aliases) for job in jobs if job.aliases)


def _job(cell: Cell, key: str, aliases: tuple[str, ...]) -> Job:
    return Job(
        id=cell.id,
        fingerprint=cell.fingerprint,
        take=cell.take,
        key=key,
        model=cell.schema.name,
        image=cell.image.id,
        prompt_id=cell.prompt.id,
        variables=cell.variables,
        payload=cell.payload,
        output=cell.output or safe_path(key),
        seconds=_seconds(cell.schema, cell.payload),
        aliases=aliases,
    )


def _seconds(schema: ModelSchema, payload: Variables) -> float | None:
    """The asked length: the value of the parameter that the schema marks with x-seconds, its default where left out."""
    for name, rules in schema.properties.items():
        if isinstance(rules, Mapping) and rules.get("x-seconds") is True:
            return _length(payload.get(name, rules.get("default")))
    return None


def _length(value: Json) -> float | None:
    try:
        seconds = float(value) if isinstance(value, (str, int, float)) else math.nan
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None


def _too_many(manifest: Manifest, faults: Faults) -> None:
    place = Place(("budget", "max_jobs"))
    limit = manifest.budget.max_jobs
    hint = "make the matrix smaller, or raise budget.max_jobs (--max-jobs only lowers it)"
    faults.add("E507", place, f"there are more than {limit:,} jobs", hint)


def _check_paths(jobs: Sequence[Job], faults: Faults) -> None:
    holders: dict[str, Job] = {}
    for job in jobs:
        holder = holders.setdefault(folded(job.output), job)
        if holder is not job:
            message = f"two jobs would write videos/{job.output}.mp4: {holder.key} and {job.key}"
            hint = "name in output.file what tells them apart, such as {{ prompt.id }}, a variable or {{ take }}"
            faults.add("E602", Place(("output", "file")), message, hint, cell=holder.key, about="")


def _check_budget(budget: Budget, jobs: Sequence[Job], faults: Faults) -> None:
    """A limit on the cost holds only where the price of every job is known."""
    if budget.max_cost is None:
        return
    place = Place(("budget", "max_cost"), key=True)
    if not has_price(budget):
        faults.add("E701", place, "max_cost needs a price", "add price_per_job or price_per_second under budget")
    for job in jobs:
        if has_price(budget) and price_of(budget, job) is None:
            message = f"max_cost needs a price, and {job.model} has no length that price_per_second could multiply"
            faults.add("E701", place, message, "add price_per_job under budget", cell=job.key)


def grouped(jobs: Iterable[Planned]) -> tuple[Group, ...]:
    found: dict[tuple[Action, str], Group] = {}
    for each in jobs:
        group = found.get((each.action, each.reason)) or Group(each.action, each.reason, 0, Decimal(0), Decimal(0))
        price = None if group.price is None or each.price is None else group.price + each.price
        found[each.action, each.reason] = Group(
            each.action, each.reason, group.jobs + 1, price, group.spent + each.spent
        )
    order = list(Action)
    return tuple(sorted(found.values(), key=lambda group: order.index(group.action)))


def lowered(manifest: Manifest, max_jobs: int | None, max_cost: Decimal | None) -> Manifest:
    """The manifest with its limits lowered by flags, which never raise them."""
    budget = manifest.budget
    jobs = budget.max_jobs if max_jobs is None else min(budget.max_jobs, max_jobs)
    costs = [cost for cost in (budget.max_cost, max_cost) if cost is not None]
    return replace(manifest, budget=replace(budget, max_jobs=jobs, max_cost=min(costs, default=None)))
