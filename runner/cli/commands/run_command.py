"""`run`: start or resume."""

from __future__ import annotations

import argparse
import select
import sys

from runner import campaign
from runner.api.service import Connection
from runner.buckets.bucket_address import is_bucket_address
from runner.campaign import Result
from runner.cli import error_handler as ending
from runner.cli import screen
from runner.cli.commands.plan_command import say_differences, show_plan, show_some_prompts
from runner.cli.commands.status_command import removed, run_document, why, without
from runner.cli.options import command_line, manifest_of, retry_flags, selection_of
from runner.cli.plan_summary import elsewhere_of
from runner.cli.service_session import connection_of, interruptible, progress_of, to_sandbox
from runner.cli.set_flag import ways_on, what_differs
from runner.diagnostics.words import money
from runner.engine.asks import Again
from runner.errors import NotConfirmedError, UsageError
from runner.manifest.overrides import differing
from runner.model import Action, Manifest, Status, Uploads
from runner.planning.comparison import RESUBMITTED
from runner.planning.plan import Plan
from runner.verdicts.reviewer import reviewer_of

_SHOWN = 5
# Seconds between two checks for Ctrl-C while the question waits for its answer.
_GLANCE = 0.2


def run(options: argparse.Namespace) -> int:
    """Do what is left to do."""
    to_sandbox(options)
    manifest, warnings = manifest_of(options)
    selection = selection_of(options, manifest)
    connection = connection_of(options, manifest)
    _tell_the_last_set(options, manifest, connection)
    if options.take_over and options.state is None:
        raise UsageError("--take-over is for a state in a bucket, and none is named", "add --state s3://BUCKET/PREFIX")
    if options.new_state:
        _renew(manifest)
    if manifest.output.home is not None and not manifest.output.state.exists():
        screen.say(f"There is no state at {manifest.output.home.address} yet: a new one begins")
    again = _asked_for(options, manifest)
    progress = progress_of(options, manifest)

    def confirm(plan: Plan) -> bool:
        screen.diagnostics(plan.diagnostics)
        _say_what_may_be_paid_twice(plan)
        _say_where_it_was_bought(options, plan)
        return _confirmed(options, manifest, plan, connection)

    try:
        result = campaign.run(
            manifest,
            connection,
            selection,
            confirm=confirm,
            progress=progress,
            dry=options.dry_run,
            on_start=interruptible,
            warnings=warnings,
            locked=options.locked,
            strict=options.locked_strict,
            limits_memory=True,
            attach=options.attach,
            allow_uploads=lambda plan: options.allow_uploads or _is_asked(options, plan),
            again=again,
            takes_over=options.take_over,
        )
    finally:
        if progress is not None:
            progress.close()
    _tell(options, manifest, result)
    return int(result.exit_code)


def _asked_for(options: argparse.Namespace, manifest: Manifest) -> Again | None:
    """What --again asks for. Raises UsageError where it cannot be asked for."""
    if not options.again:
        if options.reviewer is not None:
            raise UsageError("--as says who rejects a take, and none is named", "add --again KEY")
        return None
    against = [
        flag for flag in ("--locked", "--locked-strict", "--dry-run") if vars(options)[flag[2:].replace("-", "_")]
    ]
    if against:
        hint = "leave one of them out"
        raise UsageError(f"--again asks for a new take, and {against[0]} buys none", hint)
    return Again(tuple(options.again), reviewer_of(options.reviewer, manifest.path.parent), screen.say)


def _renew(manifest: Manifest) -> None:
    if manifest.output.home is not None:
        raise UsageError(
            "--new-state is for a state on this disk", "name another prefix in --state: it begins a new one"
        )
    moved = campaign.renew_state(manifest)
    for path in moved:
        screen.say(f"Set aside: {screen.shown_path(path)}")
    if not moved:
        screen.say("The state is in order: --new-state was not needed, and nothing was set aside")


def _say_what_may_be_paid_twice(plan: Plan) -> None:
    unknown = sum(group.jobs for group in plan.groups if group.reason == RESUBMITTED)
    if unknown:
        screen.alert(
            f"{screen.count(unknown, 'unknown job')}: looked for once more; what is not found is submitted again,"
            " and may be paid for a second time"
        )


def _say_where_it_was_bought(options: argparse.Namespace, plan: Plan) -> None:
    """Under --yes nobody reads it: then the manifest must say which folder is meant, or --new-state that it is new."""
    elsewhere = elsewhere_of(plan)
    if elsewhere is None or options.new_state:
        return
    is_decided = options.output is not None or plan.manifest.source.has(("output", "dir"))
    if options.yes and not is_decided:
        raise NotConfirmedError(f"{elsewhere[0]}; nothing was sent", elsewhere[1])
    if not sys.stdin.isatty():
        screen.say(*elsewhere)


def _confirmed(options: argparse.Namespace, manifest: Manifest, plan: Plan, connection: Connection) -> bool:
    """Ask before anything is paid for."""
    if options.yes or not connection.is_paid():
        return True
    submits = plan.totals[Action.SUBMIT]
    cost = "" if plan.cost is None else f" for {money(plan.cost, plan.manifest.budget.currency)}"
    is_last = not options.set and bool(differing(manifest))
    last = f", as in the last run with {what_differs(manifest)}" if is_last else ""
    files = f", and put {screen.count(len(plan.uploads), 'file')} {_where_to(manifest)}" if plan.uploads else ""
    question = f"Submit {screen.count(submits, 'job')}{cost} to {connection.name}{last}{files}?"
    if not _is_somebody_here():
        hint = "add --yes to submit without asking"
        raise NotConfirmedError(f"{question} Nobody is here to answer; nothing was sent", hint)
    show_plan(plan, show=screen.alert)
    show_some_prompts(plan, screen.alert)
    screen.ask(f"{question} [y/N]")
    # Python would handle a Ctrl-C that comes just before a read only after that read.
    while not select.select([sys.stdin], [], [], _GLANCE)[0]:
        pass
    is_confirmed = sys.stdin.readline().strip().lower() in ("y", "yes")
    if is_last and not is_confirmed:
        raise NotConfirmedError("not confirmed: nothing was sent", ways_on(manifest))
    return is_confirmed


def _where_to(manifest: Manifest) -> str:
    to = (manifest.uploads or Uploads()).to
    return f"into {to}" if is_bucket_address(to) else "where anybody with the address can read"


def _is_asked(options: argparse.Namespace, plan: Plan) -> bool:
    """Whether the question of the run tells of the uploads of a plan."""
    return bool(plan.uploads) and _is_somebody_here() and not options.yes


def _tell_the_last_set(options: argparse.Namespace, manifest: Manifest, connection: Connection) -> None:
    """Tell which values `--set` gave in the last run. Raises NotConfirmedError where nobody can say which are meant.

    On a terminal the question before anything is paid for has them.
    """
    if options.set or not differing(manifest):
        return
    told = f"the last run had {what_differs(manifest)}"
    is_certain = options.dry_run or (_is_somebody_here() and not options.yes) or not connection.is_paid()
    if not is_certain:
        raise NotConfirmedError(f"{told}; which is meant?", ways_on(manifest))
    screen.say(f"As {told}")


def _is_somebody_here() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _tell(options: argparse.Namespace, manifest: Manifest, result: Result) -> None:
    screen.say_aside(result.aside)
    say_differences(result.differences)
    screen.say(*result.notes)
    if options.json:
        screen.document(_document(manifest, result))
    elif result.exit_code or not screen.is_quiet():
        _summary(options, manifest, result)
    if result.error is not None:
        ending.tell(result.error, as_json=False)


def _document(manifest: Manifest, result: Result) -> dict[str, object]:
    document = run_document(manifest, result.totals, result.submitted, result.spent, result.index)
    if result.error is not None:
        document["error"] = ending.as_document(result.error)
    if result.mirror is not None:
        document["mirror"] = {"missing": result.mirror.missing, "reason": result.mirror.reason or None}
    return document


def _summary(options: argparse.Namespace, manifest: Manifest, result: Result) -> None:
    screen.show(_counted(options, manifest, result))
    if screen.is_quiet():
        if result.mirror is not None and result.mirror.missing:
            _show_mirror(result)
        return
    screen.show(*removed(result.removed))
    if result.interrupted:
        screen.show(_in_flight(result))
    else:
        _show_unfinished(options, result)
    if not options.dry_run:
        page = screen.shown_path(result.index.with_suffix(".html"))
        screen.show(f"Videos: {screen.shown_path(result.output_dir / 'videos')}   Page: {page}")
        _show_mirror(result)
    step = _next(options, result)
    if step:
        screen.show(f"Next: {step}")


def _show_mirror(result: Result) -> None:
    mirror = result.mirror
    if mirror is None:
        return
    if not mirror.missing:
        screen.show(f"Mirror: {mirror.address} has every file")
        return
    reason = f": {mirror.reason}" if mirror.reason else ""
    screen.show(f"Mirror: {mirror.address} lacks {screen.count(mirror.missing, 'file')}{reason}")
    if mirror.hint:
        screen.show(f"  help: {mirror.hint}")


def _counted(options: argparse.Namespace, manifest: Manifest, result: Result) -> str:
    """The run in a line."""
    jobs = without(result.totals, result.removed)
    parts = [f"{number:,} {status}" for status, number in jobs.items() if number]
    submitted = f"{result.submitted:,} submitted now" if result.submitted else "Nothing was submitted"
    whole = money(result.spent, manifest.budget.currency)
    cost = f", {whole} had it been real" if options.sandbox else f", {whole} spent in all"
    spent = cost if result.spent else ""
    return f"{screen.count(sum(jobs.values()), 'job')}: {', '.join(parts) or 'none'}. {submitted}{spent}."


def _in_flight(result: Result) -> str:
    """What an interruption left unfinished."""
    waiting, unknown = result.totals[Status.WAITING], result.totals[Status.UNKNOWN]
    parts = [f"{screen.count(waiting, 'request')} in flight at the service" if waiting else ""]
    parts.append(f"{screen.count(unknown, 'job')} whose answer did not come" if unknown else "")
    left = " and ".join(part for part in parts if part)
    return f"Interrupted, with {left}: the next run takes them up." if left else "Interrupted, with nothing in flight."


def _show_unfinished(options: argparse.Namespace, result: Result) -> None:
    for each in result.unfinished.first[:_SHOWN]:
        screen.show(f"  {each.status:<9} {each.key}: {why(each)}")
    if len(result.unfinished) > _SHOWN:
        screen.show(f"  ... and {len(result.unfinished) - _SHOWN:,} more: {command_line(options, 'status')}")


def _next(options: argparse.Namespace, result: Result) -> str:
    statuses = set(result.unfinished.totals)
    if result.later and not statuses:
        return (
            f"{command_line(options, 'run')}        (goes on with {screen.count(result.later, 'job')} left for later)"
        )
    if options.dry_run or statuses & {Status.PENDING, Status.WAITING}:
        retry = [f"--{name}" for name in ("retry-failed", "retry-rejected") if vars(options)[name.replace("-", "_")]]
        return f"{command_line(options, 'run', *retry)}        (goes on from here)"
    if Status.UNKNOWN in statuses:
        again = command_line(options, "run", "--resubmit-unknown")
        return f"{command_line(options, 'run')}        (looks for them again; {again} pays for them again)"
    if statuses:
        return command_line(options, "run", *retry_flags(result.unfinished))
    if result.mirror is not None and result.mirror.missing:
        return f"{command_line(options, 'run')}        (copies what the mirror lacks)"
    return f"open {screen.shown_path(result.index.with_suffix('.html'))}"
