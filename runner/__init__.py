"""Turn YAML manifests into AI videos: the Python API.

    manifest = runner.load("campaign.yaml")
    runner.plan(manifest)
    runner.run(manifest, sandbox=True)
    frame = runner.results(manifest, sandbox=True).to_frame()
    runner.run(manifest, confirm=lambda plan: input(f"Buy for {plan.cost}? ") == "yes")

Heavy modules are imported inside the functions that need them, so that `import runner` is fast.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from runner.version import SYSTEMS

    raise ImportError(SYSTEMS, name="fcntl")

# Importing typing would take a third of the time that `reelrun --help` needs. Type checkers know this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Literal

    from runner.api.service import Connection
    from runner.campaign import Result
    from runner.engine.run import Progress
    from runner.model import Json, Manifest
    from runner.planning.plan import Plan
    from runner.planning.selection import Selection
    from runner.results.frames.job_frame import Results
    from runner.verdicts.votes import Verdicts

__all__ = ["Selection", "compare_votes", "connect", "load", "plan", "results", "run", "verdicts"]


class _Package(type(sys)):  # type: ignore[misc]
    """`results` and `verdicts` are functions here and rooms, whose imports would put the rooms in their places."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in ("results", "verdicts") and isinstance(value, type(sys))):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    if name == "Selection":
        from runner.planning.selection import Selection

        return Selection
    raise AttributeError(f"module 'runner' has no attribute {name!r}")


def load(
    manifest: str | Path | Mapping[str, object],
    *,
    base_dir: str | Path | None = None,
    allow_outside: Sequence[str | Path] = (),
) -> Manifest:
    """Read and check a manifest: a file, or a dictionary with the same keys.

    The paths in a dictionary begin in `base_dir`, else in the current folder, as if a file with its `name` lay there.
    Prompts, tables and schemas must be below that folder or one of `allow_outside`.

    Raises ManifestError with every diagnostic of the first stage that has errors, and UsageError if an entry of
    `allow_outside` is not a folder.
    """
    from pathlib import Path

    from runner.errors import UsageError
    from runner.manifest.reader import read, read_dictionary

    if not isinstance(manifest, (str, Path)):
        return read_dictionary(manifest, Path(base_dir or "."), allow_outside=allow_outside).valid()
    if base_dir is not None:
        raise UsageError("base_dir is for a dictionary", "the paths in a file begin in its own folder")
    return read(Path(manifest), allow_outside=allow_outside).valid()


def plan(
    manifest: Manifest, selection: Selection | None = None, *, sandbox: bool = False, state: str | None = None
) -> Plan:
    """What a run would do, and why. Writes nothing. Raises ManifestError and StateError.

    `state` is the address of the bucket that the state lives in, as `--state` names it, here and below.
    """
    from runner import campaign

    return campaign.plan(_placed(manifest, sandbox, state), _selected(manifest, selection), sandbox=sandbox)


def connect(base_url: str | None = None) -> Connection:
    """The service that GMI_BASE_URL, GMI_API_KEY and GMI_ORG_ID describe. `base_url` overrides GMI_BASE_URL."""
    import os

    from runner.api.client import connection_to
    from runner.api.service import Service

    return connection_to(Service.from_environment(os.environ, base_url))


def run(
    manifest: Manifest,
    connection: Connection | None = None,
    selection: Selection | None = None,
    *,
    sandbox: bool | Mapping[str, object] = False,
    confirm: Callable[[Plan], bool] | None = None,
    progress: Progress | Literal[False] | None = None,
    allow_uploads: bool = False,
    state: str | None = None,
    take_over: bool = False,
) -> Result:
    """Do what is left to do, and write the index.

    Without a `connection` it is the service of the environment or, with `sandbox`, a local stand-in that costs nothing
    and has an output folder of its own; `sandbox={"height": 180, "seconds": 0}` is what `--sandbox-NAME` says.
    `confirm` is asked before anything new is paid for; without it a paid service gets nothing new: NotConfirmedError.
    What an earlier run was allowed to buy, and whose answer was lost, is found or sent again without asking.
    `progress` is called with each snapshot of the run; without it there is a bar, and with False nothing.
    `allow_uploads` is the consent that local files may be put where the service, and others, can read them, for models
    that take addresses only; a manifest may give it, too. `take_over` goes on with a `state` in a bucket whose last
    runner is gone.

    Raises ReelrunError if the run cannot start. An error that stops it later is in the result.
    """
    from contextlib import closing, nullcontext

    from runner import campaign
    from runner.cli.progress import PlainBar
    from runner.cli.service_session import first_interruption
    from runner.errors import UsageError

    is_sandbox = sandbox is not False
    if is_sandbox and connection is not None:
        raise UsageError("a run is with a connection or with the sandbox, and not with both", "leave one of them out")
    manifest = _placed(manifest, is_sandbox, state)
    service = connection or (_sandboxed(manifest, sandbox) if is_sandbox else connect())
    bar = closing(PlainBar(manifest)) if progress is None else nullcontext(progress or None)
    with bar as tell, first_interruption() as on_start:
        return campaign.run(
            manifest,
            service,
            _selected(manifest, selection),
            confirm=lambda plan: _is_agreed(plan, service, confirm),
            progress=tell,
            on_start=on_start,
            allow_uploads=lambda plan: allow_uploads,
            waits_for_threads=True,
            takes_over=take_over,
        )


def results(manifest: Manifest, *, sandbox: bool = False, state: str | None = None) -> Results:
    """The jobs of a manifest as the state has them, each as in `index.json`; `.to_frame()` is a table for pandas.

    Raises StateError, also where nothing was run yet.
    """
    from runner import campaign

    return campaign.results(_placed(manifest, sandbox, state))


def verdicts(manifest: Manifest, *, sandbox: bool = False, state: str | None = None) -> Verdicts:
    """What reviewers said of the clips that are there now: votes, marks and notes. Raises StateError and DiskError."""
    from runner import campaign

    return campaign.verdicts(_placed(manifest, sandbox, state))


def compare_votes(votes: Iterable[Sequence[object]], *, margin: float = 5, seed: int = 0) -> dict[str, Json]:
    """What votes say of the arms: the document of `compare --json`, without what only a manifest knows.

    A vote is `(image, a, b, winner, reviewer, left)`: two arms, the winner (one of them, `left`, `right`, `tie` or
    `both-bad`), and the arm that was shown on the left, None where that is not known. `margin`, in percent, is how far
    from 50 % a share still makes no difference. `seed` repeats what is drawn. The order of the votes means nothing.

    Raises UsageError for a vote that is none, or a margin that is none above 0 and at most 50.
    """
    from runner.review.statistics.comparison_document import compare

    return compare(votes, margin=margin, seed=seed)


def _placed(manifest: Manifest, sandbox: bool, state: str | None) -> Manifest:
    import time
    from dataclasses import replace

    from runner.manifest.output_folders import moved
    from runner.state.travelling.bucket_states import housed

    output = housed(moved(manifest.output, None, sandbox), state, time.time())
    return replace(manifest, output=output, is_sandbox=sandbox)


def _selected(manifest: Manifest, selection: Selection | None) -> Selection:
    from runner.planning.selection import EVERYTHING, of_manifest

    return of_manifest(selection or EVERYTHING, manifest)


def _sandboxed(manifest: Manifest, ways: bool | Mapping[str, object]) -> Connection:
    from runner.cli.commands.sandbox_command import SandboxWays, sandboxed
    from runner.errors import UsageError

    try:
        return sandboxed(manifest, SandboxWays() if ways is True else SandboxWays(**ways))  # type: ignore[arg-type]
    except TypeError as error:
        known = "slots, seconds, failure_rate, height, behave"
        raise UsageError(f"the sandbox has no such setting: {error}", f"it has {known}") from None


def _is_agreed(plan: Plan, service: Connection, confirm: Callable[[Plan], bool] | None) -> bool:
    """Whether a plan may be carried out. Raises NotConfirmedError for a paid service where nobody is asked, and where
    jobs were bought into another folder before and the manifest does not say which one is meant."""
    from runner.cli.plan_summary import elsewhere_of
    from runner.cli.screen import count
    from runner.diagnostics.words import money
    from runner.errors import NotConfirmedError
    from runner.model import Action

    if not service.is_paid():
        return confirm is None or confirm(plan)
    elsewhere = elsewhere_of(plan)
    if elsewhere is not None and not plan.manifest.source.has(("output", "dir")):
        hint = f"write output: {{dir: ...}}, with the former folder to go on there, or {plan.manifest.output.dir}"
        raise NotConfirmedError(f"{elsewhere[0]}; nothing was sent", hint)
    if confirm is not None:
        return confirm(plan)
    cost = "" if plan.cost is None else f" for {money(plan.cost, plan.manifest.budget.currency)}"
    submits = count(plan.totals[Action.SUBMIT], "job")
    said = f"this would submit {submits}{cost} to {service.name}; nothing was sent"
    raise NotConfirmedError(said, "look at runner.plan(manifest), then give confirm=lambda plan: True; or sandbox=True")
