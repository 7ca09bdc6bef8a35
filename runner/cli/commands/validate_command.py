"""`validate`: the diagnostics of manifests."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.cli import screen
from runner.cli.options import command_line, tell_files
from runner.diagnostics.words import printable
from runner.errors import Diagnostic, Exit, ManifestError, Severity, Stage
from runner.manifest.overrides import with_set
from runner.manifest.pictures.images import Fetch
from runner.manifest.reader import read
from runner.planning.plan import make_plan
from runner.secret import without_key
from runner.version import RELEASE


@dataclass(frozen=True, slots=True)
class Checked:
    """A manifest, named as on the command line, with its diagnostics up to `stage`, the last one that was checked.

    `jobs` is the number of its jobs if it has no errors.
    """

    name: str
    found: tuple[Diagnostic, ...]
    stage: Stage
    jobs: int = 0

    @property
    def has_errors(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.found)


def validate(options: argparse.Namespace) -> int:
    """Check manifests and everything that they name."""
    fetch = _fetcher() if options.check_urls else None
    checked = [_checked(name, options, fetch) for name in options.manifests]
    # Manifests may share prompts and tables. A diagnostic of a shared file is shown once.
    found = tuple(dict.fromkeys(diagnostic for each in checked for diagnostic in each.found))
    if options.format == "json":
        stage = min((each.stage for each in checked), key=list(Stage).index)
        screen.document({"checked": str(stage), "diagnostics": [each.as_json() for each in found]})
    elif options.format == "sarif":
        from runner.diagnostics.sarif import sarif

        screen.document(sarif(found, RELEASE, Path.cwd()))
    else:
        _tell(checked, found, options)
    return Exit.INVALID if any(each.has_errors for each in checked) else Exit.DONE


def _checked(name: str, options: argparse.Namespace, fetch: Fetch | None) -> Checked:
    reading = read(Path(name), fetch=fetch, allow_outside=options.allow_outside)
    try:
        manifest, doubts = with_set(reading.valid(), options.set)
        tell_files(manifest)
        warnings = (*reading.diagnostics, *doubts)
        planned = make_plan(manifest, warnings=warnings, allows_slow=options.slow, limits_memory=True)
    except ManifestError as error:
        return Checked(name, error.diagnostics, error.checked)
    return Checked(name, planned.diagnostics, Stage.PLANNING, len(planned.jobs))


def _tell(checked: Sequence[Checked], found: Sequence[Diagnostic], options: argparse.Namespace) -> None:
    """Show the diagnostics, then how many there are. If annotations go to stdout, nothing else does."""
    for_github = options.format == "github"
    if for_github:
        from runner.diagnostics.github import annotation

        here = Path.cwd()
        root = Path(os.environ.get("GITHUB_WORKSPACE") or here)
        for each in found:
            screen.command(annotation(each, here, root))
    else:
        screen.each_diagnostic(found)
    if len(checked) > 1:
        _sum_up(checked, found, screen.say if for_github or found else screen.report)
        return
    if found:
        screen.say(screen.total(found, checked[0].stage))
    if not checked[0].has_errors:
        tell = screen.say if for_github else screen.report
        again = argparse.Namespace(**{**vars(options), "manifest": checked[0].name})
        tell(f"{_valid(checked[0])}. Next: {printable(command_line(again, 'plan'))}")


def _sum_up(checked: Sequence[Checked], found: Sequence[Diagnostic], tell: Callable[[str], None]) -> None:
    """One line for each of several manifests, and one for all."""
    for each in checked:
        warnings = f", {screen.tally(each.found)}" if each.found else ""
        invalid = f"{printable(each.name)}: {screen.tally(each.found)}{screen.unchecked(each.stage)}"
        tell(invalid if each.has_errors else f"{_valid(each)}{warnings}")
    valid = sum(not each.has_errors for each in checked)
    total = f"{screen.count(len(checked), 'manifest')}, {'all' if valid == len(checked) else valid or 'none'} valid"
    tell(f"{total}: {screen.total(found)}" if found else f"{total}.")


def _valid(checked: Checked) -> str:
    return f"{printable(checked.name)} is valid: {screen.count(checked.jobs, 'job')}"


def _fetcher() -> Fetch:
    """A function that fetches a picture of a manifest, and limits its size.

    A manifest may be a stranger's: it leads into no private network, unless the service itself is on this machine.
    """
    from runner.api.answers import words_of
    from runner.api.linked_files import BadLinkError, LinkedFiles
    from runner.api.service import Service
    from runner.api.transport import CallError

    files = LinkedFiles(Service.from_environment(os.environ).is_loopback, plain=True)

    def fetch(url: str) -> bytes:
        try:
            with files.open(url, {}) as response:
                if response.status >= 400:
                    words = without_key(f"{response.status} {response.reason or ''}")
                    raise OSError(f"the answer is {words_of(words)}")
                content = b""
                while block := response.read1(1 << 16):
                    content += block
                    if len(content) > 32 << 20:
                        raise OSError("it is larger than 32 MB")
                return content
        except (BadLinkError, CallError) as error:
            raise OSError(str(error)) from error

    return fetch
