"""Collects the diagnostics while a manifest is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runner.buckets.bucket_files import BucketFiles
from runner.diagnostics.diagnostic_limit import MOST, TooManyErrorsError, ending, omitted
from runner.errors import Diagnostic, ManifestError, Position, Severity
from runner.manifest.files import UnreadableError
from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic
from runner.manifest.yaml.source import Attached, Source
from runner.model import Route


@dataclass(slots=True)
class ReadingDiagnostics:
    """Collects diagnostics, and finds their places in the source.

    Text files may be read from `folders`; `objects` has what was found in buckets.

    Of errors and of warnings there are at most MOST. One more error raises TooManyErrorsError, which ends the reading.
    """

    source: Source
    folders: Sequence[Path] = ()
    objects: BucketFiles = field(default_factory=BucketFiles)
    found: list[Diagnostic] = field(default_factory=list)
    counts: Counter[Severity] = field(default_factory=Counter)

    def attach(self, route: Route, file: Attached) -> None:
        """After this call, `route` and all routes below it are places in this file."""
        self.source.attached[route] = file

    def error(
        self, code: str, route: Route, message: str, hint: str = "", *, key: bool = False, offset: int = 0
    ) -> None:
        """Report an error of the value at `route`; with `key`, of its key. `offset` is an index in a text value."""
        self._check_errors()
        position = self.source.position(route, key=key, offset=offset, length=1 if offset else 0)
        self.add(code, Severity.ERROR, position, message, hint)

    def warning(self, code: str, route: Route, message: str, hint: str = "", *, key: bool = False) -> None:
        if self.counts[Severity.WARNING] < MOST:
            self.add(code, Severity.WARNING, self.source.position(route, key=key), message, hint)
        else:
            self.counts[Severity.WARNING] += 1

    def add(self, code: str, severity: Severity, position: Position, message: str, hint: str = "") -> None:
        self.extend([Diagnostic(code, severity, position, message, hint, self.source.line(position))])

    @contextmanager
    def reading(self, route: Route, what: str, missing: str = "E101") -> Iterator[None]:
        """Report the errors of the block, which reads the file named at `route`. `missing` replaces the code E101."""
        try:
            yield
        except ManifestError as error:
            self.extend(error.diagnostics)
        except UnreadableError as error:
            self.error(missing if error.code == "E101" else error.code, route, f"{what} {error.message}", error.hint)

    def take(self, diagnostic: SchemaDiagnostic) -> None:
        self.error(diagnostic.code, diagnostic.route, diagnostic.message, diagnostic.hint, key=diagnostic.key)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for each in diagnostics:
            if each.severity is Severity.ERROR:
                self._check_errors()
            if self.counts[each.severity] < MOST:
                self.found.append(each)
            self.counts[each.severity] += 1

    def _check_errors(self) -> None:
        if self.counts[Severity.ERROR] >= MOST:
            self.counts[Severity.ERROR] += 1
            raise TooManyErrorsError

    @property
    def has_errors(self) -> bool:
        return self.counts[Severity.ERROR] > 0

    def ordered(self, ignored: Collection[str] = ()) -> tuple[Diagnostic, ...]:
        """All diagnostics sorted by place, without those whose code is ignored.

        A warning at a place that also has an error is left out.
        """
        wanted = [each for each in self.found if each.code not in ignored]
        wrong = {_place(each) for each in wanted if each.severity is Severity.ERROR}
        kept = [each for each in wanted if each.severity is Severity.ERROR or _place(each) not in wrong]
        more = omitted(self.counts[Severity.ERROR], self.counts[Severity.WARNING])
        return ending(sorted(dict.fromkeys(kept), key=lambda each: (each.position, each.code)), more)


def _place(diagnostic: Diagnostic) -> tuple[str, int, int]:
    position = diagnostic.position
    return position.file, position.line, position.column
