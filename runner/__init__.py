"""Turn YAML manifests into AI videos: the Python API.

    manifest = runner.load("campaign.yaml")
    plan = runner.plan(manifest)
    result = runner.run(manifest, runner.connect(), confirm=lambda plan: input("Buy? ") == "yes")

Heavy modules are imported inside the functions that need them, so that `import runner` is fast.
"""

from __future__ import annotations

# Importing typing would take a third of the time that `reelrun --help` needs. Type checkers know this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from runner.api.service import Connection
    from runner.campaign import Result
    from runner.engine.run import Progress
    from runner.model import Json, Manifest
    from runner.planning.plan import Plan
    from runner.planning.selection import Selection

__all__ = ["compare_votes", "connect", "load", "plan", "run"]


def load(path: str | Path, *, allow_outside: Sequence[str | Path] = ()) -> Manifest:
    """Read and check a manifest. Its prompts, tables and schemas must be below its folder or one of `allow_outside`.

    Raises ManifestError with every diagnostic of the first stage that has errors, and UsageError if an entry of
    `allow_outside` is not a folder.
    """
    from pathlib import Path

    from runner.manifest.reader import read

    return read(Path(path), allow_outside=allow_outside).valid()


def plan(manifest: Manifest, selection: Selection | None = None) -> Plan:
    """What a run would do, and why. Writes nothing. Raises ManifestError and StateError."""
    from runner import campaign
    from runner.planning.selection import Selection

    return campaign.plan(manifest, selection or Selection())


def connect(base_url: str | None = None) -> Connection:
    """The service that GMI_BASE_URL, GMI_API_KEY and GMI_ORG_ID describe. `base_url` overrides GMI_BASE_URL."""
    import os

    from runner.api.service import Connection, Service

    return Connection.to(Service.from_environment(os.environ, base_url))


def run(
    manifest: Manifest,
    connection: Connection,
    selection: Selection | None = None,
    *,
    confirm: Callable[[Plan], bool],
    progress: Progress | None = None,
    allow_uploads: bool = False,
) -> Result:
    """Do what is left to do, and write the index. `confirm` is called before anything is paid for.

    `allow_uploads` is the consent that local files may be put where the service, and others, can read them, for models
    that take addresses only; a manifest may give it, too.

    Raises ReelrunError if the run cannot start. An error that stops it later is in the result.
    """
    from runner import campaign
    from runner.planning.selection import Selection

    return campaign.run(
        manifest,
        connection,
        selection or Selection(),
        confirm=confirm,
        progress=progress,
        allow_uploads=lambda plan: allow_uploads,
    )


def compare_votes(votes: Iterable[Sequence[object]], *, margin: float = 5, seed: int = 0) -> dict[str, Json]:
    """What votes say of the arms: the document of `compare --json`, without what only a manifest knows.

    A vote is `(image, a, b, winner, reviewer, left)`: two arms, the winner (one of them, `left`, `right`, `tie` or
    `both-bad`), and the arm that was shown on the left, None where that is not known. `margin`, in percent, is how far
    from 50 % a share still makes no difference. `seed` repeats what is drawn. The order of the votes means nothing.

    Raises UsageError for a vote that is none, or a margin that is none above 0 and at most 50.
    """
    from runner.review.statistics.comparison_document import compare

    return compare(votes, margin=margin, seed=seed)
