"""Compares jobs with the state: what a run would do with each job, why, and what changed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from runner.media import first_picture
from runner.model import (
    REFUSED_CONTENT,
    Action,
    Change,
    Job,
    Manifest,
    Output,
    Planned,
    Standing,
    Status,
    Variables,
    folded,
)
from runner.planning.changes import changes
from runner.planning.prices import Prices
from runner.planning.selection import Selection
from runner.state.names import ORPHANED, Holding, spare_paths
from runner.state.store import Store

# The reason for a job that is submitted for the first time, under a key that no other job had before.
NEW = "new"
# The reason for an unknown job that --resubmit-unknown submits again.
RESUBMITTED = "retry: unknown, looked for once more first"
# The reason for a finished job whose clip is not in the output folder any more.
GONE = "done, but its clip is gone"
# The same where the state lives in a bucket.
FETCHED_AGAIN = "done, but its clip is gone: fetched again"
# The reason for a job that the flags leave out.
NOT_SELECTED = "not selected"
# The reason for a job that is not among the first ones of those to submit.
LEFT = "left for a later run"
# So many jobs of a plan are compared by their paths, too. What is wrong with names shows in those.
_MOST_PLACES = 20_000
# The standing of a job that is not in the state.
_NOT_IN_STATE = Standing(Status.PENDING)


def gone_clips(store: Store, output: Output) -> set[int]:
    """The ids (as numbers) of the jobs whose clips are not in the output folder any more.

    Where the state lives in a bucket, those that the mirror has are as good as there: machines forget their disks.
    """
    gone = {job_id for job_id, path in store.clips() if not os.path.isfile(f"{output.dir}/{path}")}
    if gone and output.home is not None and output.mirror is not None:
        gone -= {int(job_id, 16) for job_id, _ in store.copies_of_clips(output.mirror)}
    return gone


def compared(
    manifest: Manifest,
    jobs: Sequence[Job],
    store: Store | None,
    selection: Selection,
    prices: Prices,
    place: int = 0,
    gone: Collection[int] = (),
    retakes: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Planned]:
    """Each job with its action and reason, as the state decides them. `place` is that of the first job in the plan.

    `gone` are the ids of the jobs whose clips are gone, and `retakes` the reasons of the retakes, by job id.

    A job counts as changed if another job had its key before. That other job may still be in the plan under a new key;
    `tally.with_final_names` corrects this when all jobs are known.
    """
    standing = store.standing([job.id for job in jobs], manifest.budget, place) if store else {}
    # A job that an earlier run planned but never submitted is as new as one that is not in the state.
    new = [job.key for job in jobs if standing.get(job.id, _NOT_IN_STATE).status is Status.PENDING] if store else []
    former = store.former(new) if store and new else {}
    places = _places(jobs, store) if place < _MOST_PLACES else {}
    for job in jobs:
        found = standing.get(job.id, _NOT_IN_STATE)
        action, reason = _action_of(found, selection) if selection.has(job) else (Action.SKIP, NOT_SELECTED)
        if action is Action.KEEP and int(job.id, 16) in gone:
            # A state in a bucket is for machines that forget their disks: what is nowhere is fetched by the next run.
            action, reason = (Action.KEEP, GONE) if manifest.output.home is None else (Action.FETCH, FETCHED_AGAIN)
        if reason == NEW:
            reason = retakes.get(job.id, NEW)
        price = prices.of(job) if action is Action.SUBMIT else None
        planned = Planned(job, action, reason, price, found.spent)
        if reason == NEW and former.get(job.key, (job.id,))[0] != job.id:
            planned = _changed(manifest, job, *former[job.key], price, found.spent)
        yield _placed(planned, places[job.id]) if job.id in places else planned


def _places(jobs: Sequence[Job], store: Store | None) -> Mapping[str, Holding]:
    """The places of those jobs whose path is another one, or another job's."""
    paths = {job.id: job.output for job in jobs}
    found = store.holdings(paths) if store else {}
    return {
        job_id: each
        for job_id, each in found.items()
        if each.holder or folded(each.path or paths[job_id]) != folded(paths[job_id])
    }


def _placed(planned: Planned, place: Holding) -> Planned:
    """A planned job with the path of its clip. Whether the holder is orphaned is known once all jobs are."""
    if planned.action is Action.KEEP:
        is_back_soon = place.path is None or place.path.startswith(f"{ORPHANED}/")
        return planned if is_back_soon else replace(planned, path=place.path or "")
    if planned.action is Action.SKIP or place.holder is None:
        return planned
    path = next(spare_paths(planned.job.output, planned.job.id))
    return replace(planned, path=path, holder="" if place.is_named else place.holder)


def _action_of(found: Standing, selection: Selection) -> tuple[Action, str]:
    if found.status is Status.PENDING:
        return Action.SUBMIT, NEW
    if found.status is Status.SUCCEEDED:
        return Action.KEEP, "done"
    if found.status is Status.WAITING:
        if found.remote_status == "success":
            return Action.FETCH, "finished, not downloaded yet"
        return Action.ATTACH, "in flight"
    if found.status is Status.UNKNOWN:
        if selection.resubmit_unknown:
            return Action.SUBMIT, RESUBMITTED
        return Action.ATTACH, "unknown: its answer was lost, and it is looked for"
    return _again(found, selection)


def _again(found: Standing, selection: Selection) -> tuple[Action, str]:
    """What is done with a job that ended without a video. A flag for one kind of end submits no other kind again."""
    is_rejected = found.status is Status.REJECTED or found.is_refused
    what = f"{found.status} ({REFUSED_CONTENT})" if found.is_refused else str(found.status)
    if selection.retry_rejected if is_rejected else selection.retry_failed:
        return Action.SUBMIT, f"retry: {what}"
    return Action.SKIP, f"{what}; {'--retry-rejected' if is_rejected else '--retry-failed'} submits it again"


def _changed(
    manifest: Manifest, job: Job, former: str, model: str, payload: Variables, price: Decimal | None, spent: Decimal
) -> Planned:
    found = changes(job.payload, payload) or (Change("model", model, job.model),)
    return Planned(job, Action.SUBMIT, _reason_of(manifest, job, found), price, spent, found, former)


def _reason_of(manifest: Manifest, job: Job, changed: Sequence[Change]) -> str:
    first = first_picture(manifest.schemas[job.model])
    names = {"prompt": f"prompt '{job.prompt_id}'"}
    if first is not None and job.image:
        names[first.name] = f"picture '{job.image}'"
    return "changed: " + ", ".join(names.get(each.name, each.name) for each in changed)
