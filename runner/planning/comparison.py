"""Jobs against the state: what a run would do with each, why, and what changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal

from runner.model import Action, Change, Job, Manifest, Planned, Standing, Status
from runner.planning.changes import changes
from runner.planning.prices import price_of
from runner.planning.selection import Selection
from runner.state.store import Store

# The reason of an unknown job that --resubmit-unknown submits again.
RESUBMITTED = "retry: unknown, looked for once more first"
# What stands in the state for a job that it does not have.
_NEVER = Standing(Status.PENDING)


def compared(
    manifest: Manifest, jobs: Sequence[Job], present: Collection[str], store: Store | None, selection: Selection
) -> Iterator[Planned]:
    """What the state says of each job, as an action with its reason. `present` are the ids of all jobs of the plan."""
    standing = store.standing([job.id for job in jobs], manifest.budget) if store else {}
    # A job that an earlier run planned and never submitted is as new as one that the state does not have.
    new = {job.key: job for job in jobs if standing.get(job.id, _NEVER).status is Status.PENDING}
    former = _former(new, present, store) if store else {}
    for job in jobs:
        found = standing.get(job.id, _NEVER)
        price = price_of(manifest.budget, job)
        if not selection.has(job):
            yield Planned(job, Action.SKIP, "not selected", spent=found.spent)
        elif found.status is Status.PENDING:
            changed = former.get(job.key, ())
            yield Planned(job, Action.SUBMIT, _told(job, changed), price, found.spent, changed)
        else:
            yield _resumed(job, found, selection, price)


def _resumed(job: Job, found: Standing, selection: Selection, price: Decimal | None) -> Planned:
    def planned(action: Action, reason: str) -> Planned:
        return Planned(job, action, reason, price if action is Action.SUBMIT else None, found.spent)

    if found.status is Status.SUCCEEDED:
        return planned(Action.KEEP, "done")
    if found.status is Status.WAITING:
        if found.remote_status == "success":
            return planned(Action.FETCH, "finished, not downloaded yet")
        return planned(Action.ATTACH, "in flight")
    if found.status is Status.UNKNOWN:
        if selection.resubmit_unknown:
            return planned(Action.SUBMIT, RESUBMITTED)
        return planned(Action.ATTACH, "unknown: its answer was lost, and it is looked for")
    if selection.retry_failed:
        return planned(Action.SUBMIT, f"retry: {found.status}")
    return planned(Action.SKIP, f"{found.status}; --retry-failed submits it again")


def _former(new: Mapping[str, Job], present: Collection[str], store: Store) -> dict[str, tuple[Change, ...]]:
    """For new jobs under a key that another request had: what changed. A request that only moved is none."""
    return {
        key: changes(new[key].payload, json.loads(payload)) or (Change("model", model, new[key].model),)
        for key, (job_id, model, payload) in store.former(list(new)).items()
        if job_id not in present
    }


def _told(job: Job, changed: Sequence[Change]) -> str:
    if not changed:
        return "new"
    told = {"image": f"picture '{job.image}'", "prompt": f"prompt '{job.prompt_id}'"}
    return "changed: " + ", ".join(told.get(each.name, each.name) for each in changed)
