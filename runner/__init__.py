"""Turn YAML manifests into AI videos: the Python API.

    manifest = runner.load("campaign.yaml")
    plan = runner.plan(manifest)
    result = runner.run(manifest, runner.connect(), confirm=lambda plan: input("Buy? ") == "yes")

Everything heavy is imported where it is used, so that importing this costs nothing.
"""

from __future__ import annotations

# typing itself would cost a third of the start of `reelrun --help`; type checkers know this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from runner.api.service import Connection
    from runner.campaign import Result
    from runner.engine.run import Progress
    from runner.model import Manifest
    from runner.planning.plan import Plan
    from runner.planning.selection import Selection

__all__ = ["connect", "load", "plan", "run"]


def load(path: str | Path, *, allow_outside: Sequence[str | Path] = ()) -> Manifest:
    """Read and check a manifest. Prompts, tables and schemas lie below its folder or one of `allow_outside`.

    Raises ManifestError with every problem of the first stage that has errors, and UsageError where one of these
    folders is none.
    """
    from pathlib import Path

    from runner.manifest.reader import read

    return read(Path(path), allow_outside=allow_outside).sound()


def plan(manifest: Manifest, selection: Selection | None = None) -> Plan:
    """What a run would do, and why. Writes nothing. Raises ManifestError and StateError."""
    from runner import campaign
    from runner.planning.selection import Selection

    return campaign.plan(manifest, selection or Selection())


def connect(base_url: str | None = None) -> Connection:
    """The service named by GMI_BASE_URL, GMI_API_KEY and GMI_ORG_ID, or at `base_url`."""
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
) -> Result:
    """Do what is left to do, and write the index. `confirm` is asked before anything is paid for.

    Raises ReelrunError for what keeps the run from starting; what stops it half way is in the result.
    """
    from runner import campaign
    from runner.planning.selection import Selection

    return campaign.run(manifest, connection, selection or Selection(), confirm=confirm, progress=progress)
