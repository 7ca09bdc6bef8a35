"""Texts about a plan that the screen and the Markdown summary share."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from itertools import islice

from runner.cli import screen
from runner.cli.set_flag import flags
from runner.diagnostics.words import literal, money, shortened
from runner.manifest.schema.catalogue import page_price
from runner.model import Action, Json, Manifest, Planned, Price, Status
from runner.planning.changes import edits
from runner.planning.comparison import GONE
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


def prices_of(planned: Plan) -> list[str]:
    """What the models cost and who says so: `$0.25 a job (budget)`. Models of one price share a line."""
    manifest = planned.manifest
    models: dict[str, list[str]] = {}
    for model in manifest.models:
        models.setdefault(_price_told(manifest, model), []).append(model)
    return [told if len(models) == 1 else f"{told}: {', '.join(names)}" for told, names in models.items()]


def _price_told(manifest: Manifest, model: str) -> str:
    """The price of a model. What its page said is shown, and not counted."""
    price, source = manifest.price_of(model)
    if price is not None:
        return f"{price_words(price, manifest.budget.currency)} ({source})"
    page = page_price(manifest.schemas[model])
    return f"not known{f' ({page} by its page, which is not counted)' if page else ''}"


def price_words(price: Price, currency: str) -> str:
    """`$0.152 a second`, with the prices of single resolutions."""
    unit = "a second" if price.is_per_second else "a job"
    tiers = (f"{money(amount, currency)} at {name}" for name, amount in price.tiers.items())
    return f"{', '.join(tiers) if price.tiers else money(price.amount, currency)} {unit}"


def price_document(planned: Plan) -> dict[str, object]:
    """By model: the price, and who told it; nulls where it is not known."""
    found = {model: planned.manifest.price_of(model) for model in planned.manifest.models}
    return {
        model: {
            "per_job": None if price is None or price.is_per_second else float(price.amount),
            "per_second": float(price.amount) if price is not None and price.is_per_second else None,
            "tiers": {name: float(amount) for name, amount in price.tiers.items()} if price is not None else {},
            "source": None if price is None else str(source),
        }
        for model, (price, source) in found.items()
    }


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


def names_of(planned: Plan) -> list[str]:
    """What is to be said of the names of clips, and of clips that are gone."""
    kept = [each for each in planned.misplaced if each.action is Action.KEEP]
    new = [each for each in planned.misplaced if each.action is not Action.KEEP]
    gone = sum(group.jobs for group in planned.groups if group.reason == GONE)
    told = []
    if new:
        verb, what = ("gets", "its name has") if len(new) == 1 else ("get", "their names have")
        first = f"{new[0].job.output} will be {new[0].path}"
        told.append(f"{screen.count(len(new), 'new clip')} {verb} 8 digits more: {what} another holder ({first})")
    if kept:
        verb = "has another name" if len(kept) == 1 else "have other names"
        first = f"{kept[0].path} would be {kept[0].job.output}"
        told.append(
            f"{screen.count(len(kept), 'finished clip')} {verb} than output.file gives today ({first});"
            " 'reelrun index MANIFEST --rename' gives them these"
        )
    if gone:
        told.append(
            f"{screen.count(gone, 'finished clip')} {'is' if gone == 1 else 'are'} not in the folder any more;"
            " 'reelrun verify MANIFEST --repair' fetches what the service still has"
        )
    return told


def elsewhere_of(planned: Plan) -> tuple[str, str] | None:
    """That the jobs were bought before into another folder, and what decides; None if they were not."""
    found = planned.elsewhere
    if found is None:
        return None
    output = planned.manifest.output
    said = (
        f"{screen.count(found.jobs, 'job')} of this plan {'was' if found.jobs == 1 else 'were'} bought before:"
        f" {screen.shown_path(found.folder)} has them, and {screen.shown_path(output.dir)} has none"
    )
    folder = os.path.relpath(found.folder, planned.manifest.path.parent).removesuffix("-sandbox")
    return said, (
        f"write output: {{dir: {folder}}} in the manifest to go on there, or buy them once more with --new-state"
    )


def size_of(planned: Plan) -> str:
    """`3 images x 2 prompts x 5 variants x 2 takes = 60 cells, 58 jobs (2 cells render to the same request)`."""
    manifest = planned.manifest
    sizes = list(_factors(manifest))
    size = " + ".join(" x ".join(screen.count(number, noun) for noun, number in factors) for factors in sizes)
    product = sum(math.prod(number for _, number in factors) for factors in sizes)
    less = f", less {product - planned.cells:,} excluded" if product > planned.cells else ""
    same = planned.cells - (len(planned.jobs) - planned.retakes)
    merged = f" ({screen.count(same, 'cell')} render{'s' if same == 1 else ''} to the same request)" if same else ""
    jobs = f"{screen.count(len(planned.jobs), 'job')}{merged}"
    further = f", {screen.count(planned.retakes, 'retake')} among them" if planned.retakes else ""
    return f"{size}{less} = {screen.count(planned.cells, 'cell')}, {jobs}{further}"


def _factors(manifest: Manifest) -> Iterator[list[tuple[str, int]]]:
    """What is multiplied: for the models that get the images, and for those that get none."""
    matrix = manifest.matrix
    is_product = not (matrix.include or matrix.exclude or matrix.sample)
    number = product_size(matrix) if is_product else sum(1 for _ in variants(matrix))
    pictured = sum(map(manifest.gives_images, manifest.models))
    for models, images in ((pictured, [("image", len(manifest.images))]), (len(manifest.models) - pictured, [])):
        if models:
            yield [
                *images,
                ("prompt", len(manifest.prompts)),
                *([("variant", number)] if number > 1 else []),
                *([("model", models)] if manifest.axis_of_models else []),
                *([("take", manifest.takes)] if manifest.takes > 1 else []),
            ]
