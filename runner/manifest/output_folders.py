"""Where the results of a run go that uses the sandbox, or another folder than the manifest says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.buckets.bucket_address import BucketAddress
from runner.diagnostics.suggestions import misread, unexpanded
from runner.errors import UsageError
from runner.model import Output


def moved(output: Output, folder: str | None, sandbox: bool) -> Output:
    """The output with another folder, and with `-sandbox` added to its name for the sandbox.

    A state below the folder moves with it. Any other state stays where it is, with `-sandbox` added to its name for the
    sandbox. It is added to the mirror, too: clips of the sandbox lie among no others. Raises UsageError if the folder
    cannot hold results.
    """
    if folder is not None and misread(folder) and not Path(folder).exists():
        by_shell = "a shell replaces it where it stands alone, without quotes: --output ~/videos"
        hint = by_shell if unexpanded(folder) else misread(folder)
        raise UsageError(f"--output {folder} would make a folder of that name", hint)
    target = output.dir if folder is None else Path(folder).resolve()
    if not target.name:
        raise UsageError(f"results cannot go to {target} itself", "name a folder below it")
    if sandbox:
        target = target.with_name(target.name + "-sandbox")
    if output.state in (output.dir, *output.dir.parents):
        raise UsageError(f"output.state is the folder {output.state}", "name a file in it, such as state.sqlite")
    if output.state.is_relative_to(output.dir):
        state = target / output.state.relative_to(output.dir)
    else:
        state = output.state.with_stem(output.state.stem + "-sandbox") if sandbox else output.state
    mirror = _beside(output.mirror) if sandbox and output.mirror else output.mirror
    return replace(output, dir=target, state=state, mirror=mirror)


def _beside(mirror: str) -> str:
    address = BucketAddress.of(mirror)
    return str(replace(address, path=f"{address.path}-sandbox"))
