"""`plan`: what a run would do with every job, why, and for how much; and what changed since the last time."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from itertools import islice

from runner.cli import markdown, screen
from runner.cli.options import command_line, manifest_of, selection_of, service_of
from runner.cli.plan_summary import (
    budget_of,
    changed_alike,
    cost_of,
    elided,
    elsewhere_of,
    names_of,
    orphans_of,
    price_document,
    prices_of,
    set_in,
    size_of,
    value_told,
    whole_cost,
)
from runner.diagnostics.words import command, joined, money, printable, shortened
from runner.errors import Exit, ReelrunError
from runner.model import Action, Change
from runner.planning import lockfile
from runner.planning.changes import Piece, words
from runner.planning.comparison import GONE
from runner.planning.plan import Plan
from runner.planning.prices import AskPrice, nobody
from runner.planning.prompt_texts import prompt_texts, spread
from runner.review.comparing.plan_outlook import plan_outlook

_FIRST_JOBS = 5
_SHOWN_DIFFERENCES = 10
_NARROWEST_REASON = 24
# Of the prompts that the question of a run shows: how many, how long, and of how many jobs at most.
_SOME = 3
_LONGEST = 400
_MOST_READ = 5000


def plan(options: argparse.Namespace) -> int:
    """Show what a run would do."""
    from runner import campaign

    manifest, warnings = manifest_of(options)
    selection = selection_of(options, manifest)
    ask_price = _asked_prices(options)
    planned = campaign.plan(
        manifest,
        selection,
        warnings,
        limits_memory=True,
        sandbox=options.sandbox,
        ask_price=ask_price,
        is_locked=options.locked or options.locked_strict,
    )
    screen.say(*planned.notes)
    if options.locked or options.locked_strict:
        say_differences(lockfile.check(planned.manifest, planned.each(), strict=options.locked_strict))
    if options.json:
        screen.document({**plan_document(planned), **(_prompts_document(planned) if options.prompts else {})})
    elif options.markdown:
        screen.diagnostics(planned.diagnostics)
        screen.show(*markdown.summary(planned, every_prompt=options.prompts).split("\n"))
    else:
        screen.diagnostics(planned.diagnostics)
        show_plan(planned, every=options.jobs)
        if options.prompts:
            _show_prompts(planned, every=options.jobs)
        screen.report("", _next(options, planned))
    if options.lock:
        written = campaign.lock(planned, ask_price)
        frozen = len(planned.jobs) - planned.retakes
        screen.say(f"Wrote {screen.shown_path(written)}: {screen.count(frozen, 'job')}. Commit it.")
    return Exit.DONE


def _asked_prices(options: argparse.Namespace) -> AskPrice:
    """Who tells the prices that the manifest does not: the service, where there is a key or a lockfile is written."""
    if options.sandbox or not (options.lock or os.environ.get("GMI_API_KEY")):
        return nobody
    from runner.api.client import Client
    from runner.api.models.model_records import ServicePrices, patient_for_price

    def client() -> Client | None:
        try:
            service = service_of(options)
            service.require_key()
            return Client(patient_for_price(service))
        except ReelrunError:
            # A plan needs no service.
            return None

    return ServicePrices(client)


def say_differences(found: Sequence[str]) -> None:
    """Tell differences from the lockfile that buy nothing else: --locked-strict refuses them."""
    for each in found[:_SHOWN_DIFFERENCES]:
        screen.say(f"The lockfile differs: {printable(each)}")
    if len(found) > _SHOWN_DIFFERENCES:
        screen.say(f"... and {len(found) - _SHOWN_DIFFERENCES:,} more; --lock writes it anew")


def _next(options: argparse.Namespace, planned: Plan) -> str:
    submits = planned.totals[Action.SUBMIT]
    if submits or planned.totals[Action.ATTACH] or planned.totals[Action.FETCH]:
        names = ("retry-failed", "retry-rejected", "resubmit-unknown")
        again = [f"--{name}" for name in names if vars(options)[name.replace("-", "_")]]
        return f"Next: {command_line(options, 'run', *again)}        ({_submissions(planned, submits)})"
    flags = ("--retry-failed", "--retry-rejected")
    left = [flag for flag in flags if any(f"; {flag}" in each.reason for each in planned.groups)]
    if left:
        return f"Next: {command_line(options, 'run', *left)}        (nothing else is left to do)"
    if any(each.reason == GONE for each in planned.groups):
        return f"Next: {command_line(options, 'verify', '--repair')}        (nothing is left to submit)"
    return "Nothing is left to do."


def _submissions(planned: Plan, submits: int) -> str:
    text = screen.count(submits, "submission")
    budget = planned.manifest.budget
    if planned.cost is None:
        return text
    text += f", {money(planned.cost, budget.currency)}"
    whole = budget_of(planned)
    return f"{text}; {whole}" if whole else text


def show_plan(planned: Plan, *, every: bool = False, show: Callable[..., None] = screen.show) -> None:
    """Show a plan to people: its size, the actions and their reasons, what changed, and the first jobs or all."""
    manifest = planned.manifest
    show(f"{manifest.name} · {', '.join(manifest.models)}{set_in(planned)}")
    show(size_of(planned), "")
    _show_groups(planned, show)
    _show_prices(planned, show)
    _show_changes(planned, show)
    _show_jobs(planned, every, show)
    _show_duplicates(planned, show)
    _show_names(planned, show)


def _show_groups(planned: Plan, show: Callable[..., None]) -> None:
    """One line for each action and reason, with the cost, and one line for all."""
    rows = [(str(each.action), each.jobs, each.reason, cost_of(each, planned.manifest)) for each in planned.groups]
    rows.append(("in all", len(planned.jobs), "", whole_cost(planned)))
    width = max(_NARROWEST_REASON, *(len(reason) for _, _, reason, _ in rows))
    # A space remains before the longest number.
    digits = max(6, 1 + len(f"{max(len(planned.jobs), len(planned.orphaned)):,}"))
    for action, jobs, reason, cost in rows:
        show(f"  {action:<8}{jobs:>{digits},}   {reason:<{width}}  {cost}".rstrip())
    if planned.uploads:
        media = planned.manifest.media
        names = joined((media[each].written or media[each].id for each in planned.uploads), "and", limit=3)
        show(f"  {'upload':<8}{len(planned.uploads):>{digits},}   {names}")
    if planned.orphaned:
        show(f"  {'removed':<8}{len(planned.orphaned):>{digits},}   {orphans_of(planned)}")


def _show_prices(planned: Plan, show: Callable[..., None]) -> None:
    """What a job costs, and what votes on the clips could find out."""
    for each in prices_of(planned):
        show(f"  {'price':<8}{each}")
    for place, each in enumerate(plan_outlook(planned)):
        show(f"  {'' if place else 'votes':<8}{each}")


def _command(planned: Plan, flags: str) -> str:
    """`run` shows a plan, too: what tells more is `plan`."""
    return command("plan", screen.shown_path(planned.manifest.path), *flags.split())


def _show_jobs(planned: Plan, every: bool, show: Callable[..., None]) -> None:
    submits = planned.totals[Action.SUBMIT]
    if every:
        show("", "All jobs:")
        for each in planned.jobs:
            show(f"  {each.action:<7} {each.job.id}  {each.job.key}  ({each.reason})")
    elif submits:
        show("", "The first submissions:")
        for each in islice(planned.submits, _FIRST_JOBS):
            show(f"  {each.action:<7} {each.job.id}  {each.job.key}")
    if not every and submits > _FIRST_JOBS:
        show(f"  ... {submits - _FIRST_JOBS:,} more; {_command(planned, '--jobs')} lists all")
    for orphan in planned.orphaned if every else ():
        show(f"  removed {orphan.id}  {orphan.key}  (no longer in the manifest: {orphan.status})")


def _show_duplicates(planned: Plan, show: Callable[..., None]) -> None:
    if planned.duplicates:
        show("", "One request each:")
    for keys in planned.duplicates[:_FIRST_JOBS]:
        show(f"  {' = '.join(keys)}")
    if len(planned.duplicates) > _FIRST_JOBS:
        show(f"  ... {len(planned.duplicates) - _FIRST_JOBS:,} more; {_command(planned, '--json')} lists all")


def _show_prompts(planned: Plan, *, every: bool) -> None:
    """Each distinct text, the jobs that have it, and what was sent in its place before."""
    texts, whole = prompt_texts(planned.jobs), _command(planned, "--prompts --jobs")
    screen.show("", f"{screen.count(len(texts), 'distinct text')}:")
    for each in texts:
        screen.show("", *(f"  {line}" for line in each.text.split("\n") or [""]))
        keys = each.keys if every else each.keys[:_FIRST_JOBS]
        more = f" and {len(each.keys) - len(keys):,} more; {whole} lists all" if len(keys) < len(each.keys) else ""
        submits = f", {each.submits:,} to submit" if each.submits else ""
        screen.show(f"    {each.name} of {screen.count(len(each.keys), 'job')}{submits}: {', '.join(keys)}{more}")
        for former in each.former:
            screen.show(f"    before: {_old_and_new(Change('prompt', former, each.text))}")


def show_some_prompts(planned: Plan, show: Callable[..., None]) -> None:
    """Three of the prompts that would be submitted."""
    texts = [each for each in prompt_texts(islice(planned.submits, _MOST_READ)) if each.name == "prompt"]
    some = spread(texts, _SOME)
    show("", f"{len(some)} of {screen.count(len(texts), 'prompt')} ({_command(planned, '--prompts')} shows all):")
    for each in some:
        show(f"  {shortened(' '.join(each.text.split()), _LONGEST)}")


def _prompts_document(planned: Plan) -> dict[str, object]:
    texts = prompt_texts(planned.jobs)
    return {
        "prompts": [
            {"name": each.name, "text": each.text, "jobs": each.keys, "submit": each.submits, "former": [*each.former]}
            for each in texts
        ]
    }


def _show_names(planned: Plan, show: Callable[..., None]) -> None:
    """What is to be said of the names of clips, and of where the jobs were bought before."""
    for lines in (names_of(planned), elsewhere_of(planned)):
        if lines:
            show("", *(f"  {each}" for each in lines))


def _show_changes(planned: Plan, show: Callable[..., None]) -> None:
    """What changed in which jobs. Equal changes are shown once."""
    alike = changed_alike(planned)
    if alike:
        show("", "Changed:")
    for jobs in alike[:_FIRST_JOBS]:
        more = f"  (and {len(jobs) - 1:,} more, changed alike)" if len(jobs) > 1 else ""
        show(f"  {jobs[0].job.key}{more}")
        width = max(len(each.name) for each in jobs[0].changes)
        for change in jobs[0].changes:
            show(f"    {change.name:<{width}}  {_old_and_new(change)}")
    if len(alike) > _FIRST_JOBS:
        more = screen.count(len(alike) - _FIRST_JOBS, "more kind")
        show(f"  ... {more} of changes; {_command(planned, '--markdown')} tells of them")


def _old_and_new(change: Change) -> str:
    if isinstance(change.old, str) and isinstance(change.new, str) and change.name.endswith("prompt"):
        pieces = words(change.old, change.new)
        return "".join(_piece(each, index, len(pieces)) for index, each in enumerate(pieces))
    return f"{value_told(change.old)} -> {value_told(change.new)}"


def _piece(piece: Piece, index: int, count: int) -> str:
    """A piece in the notation of a word diff, `[-old-]{+new+}`, which is clear without colour."""
    if piece.is_kept:
        return printable(elided(piece.new, is_first=index == 0, is_last=index == count - 1))
    coloured = screen.has_colour(sys.stdout)
    old = f"[-{printable(piece.old)}-]" if piece.old else ""
    new = f"{{+{printable(piece.new)}+}}" if piece.new else ""
    return screen.painted(old, "31", coloured) + screen.painted(new, "32", coloured)


def plan_document(planned: Plan) -> dict[str, object]:
    """A plan as JSON, for programs. `set`, `elsewhere` and `prices` are there only where they have something to say."""
    found = planned.elsewhere
    elsewhere = {} if found is None else {"elsewhere": {"output_dir": str(found.folder), "jobs": found.jobs}}
    document: dict[str, object] = {
        "manifest": str(planned.manifest.path),
        "totals": {str(action): number for action, number in planned.totals.items()},
        "cost": screen.cost_document(planned.cost, planned.manifest.budget.currency),
        "jobs": [
            {
                "id": each.job.id,
                "key": each.job.key,
                "image": each.job.image or None,
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
        **elsewhere,
        **({"prices": price_document(planned)} if planned.manifest.service_prices else {}),
    }
    return {**document, "set": planned.manifest.set} if planned.manifest.set else document
