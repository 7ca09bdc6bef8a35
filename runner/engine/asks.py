"""Further takes that somebody asks for in place of takes that they reject (`run --again KEY --as NAME`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from runner.diagnostics.suggestions import suggestion
from runner.diagnostics.words import joined
from runner.errors import UsageError
from runner.model import Action, AskedTake, Manifest, Planned
from runner.planning.plan import Plan, make_plan
from runner.state.store import Store
from runner.verdicts.verdict import Mark, Marking, Undo
from runner.verdicts.verdict_files import append, folder_of
from runner.verdicts.votes import Verdicts, verdicts_on


@dataclass(frozen=True, slots=True)
class Again:
    """What is asked for: by whom, and in place of which takes, by their whole keys. `tell` gets a line for people."""

    keys: tuple[str, ...]
    by: str
    tell: Callable[[str], None]


@contextmanager
def asking(manifest: Manifest, store: Store, again: Again | None) -> Iterator[Callable[[], None]]:
    """Commit the asks to the state, and then write the rejections down, before anything is planned and bought.

    So a run that is cut goes on by itself, and who says the same again asks for nothing more. Gives the function that
    says that the run was agreed to: what was new is taken back where anything ends it before. Raises UsageError for a
    key that names no finished clip.
    """
    agreed: list[bool] = []
    if again is None:
        yield lambda: None
        return
    verdicts, folder = verdicts_on(manifest, store), folder_of(manifest.path, is_sandbox=manifest.is_sandbox)
    named = _named(make_plan(manifest, store), again.keys)
    asks = list(_asks(named, verdicts, store, again))
    with store.transaction():
        for ask in asks:
            store.ask(ask)
    clips = store.clip_hashes()
    lines = [
        append(folder, again.by, Mark(each.job.id, Marking.REJECT), {each.job.id: clips[each.job.id]})
        for each in named.jobs
        if again.by not in verdicts.marked(each.job.id, Marking.REJECT)
    ]
    try:
        yield lambda: agreed.append(True)
    except BaseException:
        if not agreed:
            with store.transaction():
                for ask in asks:
                    store.withdraw_ask(ask)
            for line in lines:
                append(folder, again.by, Undo(line.sha256), {})
        raise


@dataclass(slots=True)
class _Named:
    """The jobs with the given keys, and the highest take of each cell in the plan."""

    jobs: list[Planned] = field(default_factory=list)
    highest: Counter[str] = field(default_factory=Counter)


def _named(planned: Plan, keys: Sequence[str]) -> _Named:
    """Raises UsageError for a key of no job, or of one without a clip."""
    found, by_key, known = _Named(), dict[str, Planned](), []
    for each in planned.jobs:
        job = each.job
        known.append(job.key)
        found.highest[job.cell] = max(found.highest[job.cell], job.take)
        by_key.update({key: each for key in (job.key, *job.aliases) if key in keys})
    for key in dict.fromkeys(keys):
        one = by_key.get(key)
        if one is None:
            raise UsageError(
                f"--again {key}: no job has this key", suggestion(key, known, "plan --jobs lists all keys")
            )
        if one.action is not Action.KEEP:
            hint = "--again is for a take whose clip was seen; 'reelrun status' tells where the others stand"
            raise UsageError(f"--again {key}: there is no clip of it ({one.reason})", hint)
        if one not in found.jobs:
            found.jobs.append(one)
    return found


def _asks(named: _Named, verdicts: Verdicts, store: Store, again: Again) -> Iterator[AskedTake]:
    """What is new. A take that is rejected already, or in whose place one was asked for, asks for nothing more."""
    asked = {(each.cell, each.take): each for each in store.asked()}
    for job in (each.job for each in named.jobs):
        before, names = asked.get((job.cell, job.take)), verdicts.rejecters(job.id)
        if before is not None:
            again.tell(f"{job.key}: take {before.number} was asked for before, by {before.by}")
        elif names:
            by = joined(names, "and")
            again.tell(
                f"{job.key} was rejected before, by {by}: nothing more is asked for (see retake in the manifest)"
            )
        else:
            named.highest[job.cell] += 1
            again.tell(f"{job.key}: take {named.highest[job.cell]} is asked for in its place")
            yield AskedTake(job.cell, job.take, named.highest[job.cell], again.by)
