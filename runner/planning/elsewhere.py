"""Whether the jobs of a plan were bought before, into the folder of a manifest of another name or place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from runner.errors import ReelrunError
from runner.model import Action, Output
from runner.planning.plan import Elsewhere, Plan
from runner.state.store import Store


def with_elsewhere(planned: Plan, is_ours: Callable[[str], bool]) -> Plan:
    """The first plan of a state, with the folder beside its own that has most of its jobs, if it would buy them again.

    That is so where a manifest was renamed, copied or moved. `is_ours` says of a service whether it counts.
    """
    if not planned.totals[Action.SUBMIT]:
        return planned
    found = (_found(folder, state, planned, is_ours) for folder, state in _siblings(planned.manifest.output))
    most = max((each for each in found if each.jobs), key=lambda each: each.jobs, default=None)
    return replace(planned, elsewhere=most)


def _siblings(output: Output) -> Iterator[tuple[Path, Path]]:
    """The output folders beside this one that have a state, each with that."""
    if not output.state.is_relative_to(output.dir):
        return
    name = output.state.relative_to(output.dir)
    with suppress(OSError):
        for folder in sorted(output.dir.parent.iterdir()):
            if folder != output.dir and (folder / name).is_file():
                yield folder, folder / name


def _found(folder: Path, state: Path, planned: Plan, is_ours: Callable[[str], bool]) -> Elsewhere:
    """What a state has of a plan. One that cannot be read has nothing."""
    with suppress(ReelrunError):
        store = Store.read(state)
        if store is not None:
            with store:
                if is_ours(store.note("service") or ""):
                    return Elsewhere(folder, store.submitted_among(planned.orphaned.ids))
    return Elsewhere(folder, 0)
