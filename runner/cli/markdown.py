"""A plan as Markdown, fit for a pull request or the summary of a workflow (GitHub Flavored Markdown)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from runner.cli import screen
from runner.cli.plan_summary import (
    budget_of,
    changed_alike,
    cost_of,
    elided,
    elsewhere_of,
    names_of,
    orphans_of,
    prices_of,
    set_in,
    size_of,
    value_told,
    whole_cost,
)
from runner.diagnostics.words import money, printable
from runner.model import Action, Change, Planned
from runner.planning.changes import Piece, words
from runner.planning.plan import Plan
from runner.planning.prompt_texts import PromptText, prompt_texts
from runner.review.comparing.plan_outlook import plan_outlook

# GitHub cuts a comment at 65,536 characters.
_MOST_ROWS = 100
# Of so many submissions at most the prompts are compared.
_MOST_READ = 5000
_MOST_CHARACTERS = 60_000
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#!|~@$])")


def summary(planned: Plan, *, every_prompt: bool = False) -> str:
    """The size, the table of actions and reasons, what changed, and the submissions with their prompts.

    With `every_prompt`, also the prompts of jobs that are not submitted.
    """
    top = (*_heading(planned), *_table(planned), *_notes(planned))
    jobs = (*_changes(planned), *_submissions(planned))
    prompts = prompt_texts(planned.jobs if every_prompt else islice(planned.submits, _MOST_READ))
    for rest in ((*jobs, *_prompts(prompts)), jobs, ("", "The jobs are too many to list here.")):
        text = "\n".join((*top, *rest))
        if len(text) <= _MOST_CHARACTERS:
            break
    return text


def _heading(planned: Plan) -> Iterator[str]:
    submits = planned.totals[Action.SUBMIT]
    cost = "" if planned.cost is None else f", {money(planned.cost, planned.manifest.budget.currency)}"
    name = f"{planned.manifest.name}{set_in(planned)}"
    yield f"### {_escaped(name)}: {screen.count(submits, 'submission')}{_escaped(cost)}"
    yield ""
    yield f"{_escaped(', '.join(planned.manifest.models))}: {size_of(planned)}."
    budget = budget_of(planned)
    if budget:
        yield f"{_escaped(budget)}."
    yield ""


def _table(planned: Plan) -> Iterator[str]:
    yield "| action | jobs | why | cost |"
    yield "|:--|--:|:--|--:|"
    for each in planned.groups:
        cost = _escaped(cost_of(each, planned.manifest))
        yield f"| {each.action} | {each.jobs:,} | {_escaped(each.reason)} | {cost} |"
    if planned.orphaned:
        yield f"| removed | {len(planned.orphaned):,} | {orphans_of(planned)} | |"
    yield f"| **in all** | **{len(planned.jobs):,}** | | **{_escaped(whole_cost(planned)) or '-'}** |"


def _notes(planned: Plan) -> Iterator[str]:
    for each in (
        *(f"Price: {each}" for each in prices_of(planned)),
        *_outlook(planned),
        *names_of(planned),
        *(elsewhere_of(planned) or ()),
    ):
        yield from ("", f"{_escaped(each)}.")


def _outlook(planned: Plan) -> Iterator[str]:
    found = plan_outlook(planned)
    if found:
        yield f"What votes could find out: {'; '.join(found)}"


def _changes(planned: Plan) -> Iterator[str]:
    alike = changed_alike(planned)
    if not alike:
        return
    yield from ("", "#### Changed", "", "| job | what | old and new |", "|:--|:--|:--|")
    for jobs in alike[:_MOST_ROWS]:
        who = _code(jobs[0].job.key) + (f" and {len(jobs) - 1:,} more" if len(jobs) > 1 else "")
        for change in jobs[0].changes:
            yield f"| {who} | {_escaped(change.name)} | {_old_and_new(change)} |"
            who = ""
    yield from _left_out(len(alike))


def _submissions(planned: Plan) -> Iterator[str]:
    submits = planned.totals[Action.SUBMIT]
    if not submits:
        return
    yield from ("", f"<details><summary>{screen.count(submits, 'submission')}</summary>", "")
    yield from ("| job | why | cost |", "|:--|:--|--:|")
    for each in islice(planned.submits, _MOST_ROWS):
        yield f"| {_code(each.job.key)} | {_escaped(each.reason)} | {_price(each, planned)} |"
    yield from _left_out(submits)
    yield from ("", "</details>")


def _prompts(texts: Sequence[PromptText]) -> Iterator[str]:
    if not texts:
        return
    yield from ("", f"<details><summary>{screen.count(len(texts), 'distinct text')}</summary>", "")
    yield from ("| text | jobs | before |", "|:--|:--|:--|")
    for each in texts[:_MOST_ROWS]:
        more = f" and {len(each.keys) - 1:,} more" if len(each.keys) > 1 else ""
        former = "<br>".join(_old_and_new(Change("prompt", old, each.text)) for old in each.former)
        text = "<br>".join(map(_escaped, each.text.split("\n")))
        yield f"| {_escaped(each.name)}: {text} | {_code(each.keys[0])}{more} | {former} |"
    yield from _left_out(len(texts))
    yield from ("", "</details>")


def _left_out(count: int) -> Iterator[str]:
    if count > _MOST_ROWS:
        yield f"| ... and {count - _MOST_ROWS:,} more | | |"


def _price(planned: Planned, plan: Plan) -> str:
    return "" if planned.price is None else _escaped(money(planned.price, plan.manifest.budget.currency))


def _old_and_new(change: Change) -> str:
    if isinstance(change.old, str) and isinstance(change.new, str) and change.name.endswith("prompt"):
        pieces = words(change.old, change.new)
        return "".join(_piece(each, index, len(pieces)) for index, each in enumerate(pieces))
    return f"{_code(value_told(change.old))} → {_code(value_told(change.new))}"


def _piece(piece: Piece, index: int, count: int) -> str:
    """Removed text is struck out, added text is bold. HTML tags are used: Markdown's own marks fail inside of words."""
    if piece.is_kept:
        return _escaped(elided(piece.new, is_first=index == 0, is_last=index == count - 1))
    old = f"<del>{_escaped(piece.old)}</del>" if piece.old else ""
    return old + (f"<ins><b>{_escaped(piece.new)}</b></ins>" if piece.new else "")


def _escaped(text: str) -> str:
    """Text escaped for Markdown: it cannot make a table, link, tag, mention or formula."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def _code(text: str) -> str:
    """Text as code. A `|` is escaped: it would end a table cell even inside of code."""
    shown = printable(text).replace("|", "\\|")
    fence = "``" if "`" in shown else "`"
    pad = " " if "`" in shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
