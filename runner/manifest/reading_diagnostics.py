"""The problems of one reading, as they are found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from runner.errors import Diagnostic, ManifestError, Position, Severity
from runner.manifest.files import UnreadableError
from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic
from runner.manifest.yaml.source import Attached, Source
from runner.model import Route


@dataclass(slots=True)
class ReadingDiagnostics:
    """Collects problems, and places them in the source. `folders` are those that texts may be read from."""

    source: Source
    folders: Sequence[Path] = ()
    found: list[Diagnostic] = field(default_factory=list)

    def attach(self, route: Route, file: Attached) -> None:
        """From here on, `route` and all below it are places in this file."""
        self.source = replace(self.source, attached={**self.source.attached, route: file})

    def error(
        self, code: str, route: Route, message: str, hint: str = "", *, key: bool = False, offset: int = 0
    ) -> None:
        """An error of the value at `route`, or of its key. `offset` counts characters into a text value."""
        position = self.source.position(route, key=key, offset=offset, length=1 if offset else 0)
        self.add(code, Severity.ERROR, position, message, hint)

    def warning(self, code: str, route: Route, message: str, hint: str = "", *, key: bool = False) -> None:
        self.add(code, Severity.WARNING, self.source.position(route, key=key), message, hint)

    def add(self, code: str, severity: Severity, position: Position, message: str, hint: str = "") -> None:
        self.found.append(Diagnostic(code, severity, position, message, hint, self.source.line(position)))

    @contextmanager
    def reading(self, route: Route, what: str, missing: str = "E101") -> Iterator[None]:
        """Take up what is wrong with a file that the value at `route` names. `missing` is the code for no such file."""
        try:
            yield
        except ManifestError as error:
            self.extend(error.diagnostics)
        except UnreadableError as error:
            self.error(missing if error.code == "E101" else error.code, route, f"{what} {error.message}", error.hint)

    def take(self, diagnostic: SchemaDiagnostic) -> None:
        self.error(diagnostic.code, diagnostic.route, diagnostic.message, diagnostic.hint, key=diagnostic.key)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.found.extend(diagnostics)

    @property
    def has_errors(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.found)

    def ordered(self, ignored: Collection[str] = ()) -> tuple[Diagnostic, ...]:
        """All problems by place, without those of codes that are ignored.

        A warning about a place that has an error says nothing more.
        """
        told = [each for each in self.found if each.code not in ignored]
        wrong = {_place(each) for each in told if each.severity is Severity.ERROR}
        kept = [each for each in told if each.severity is Severity.ERROR or _place(each) not in wrong]
        return tuple(sorted(dict.fromkeys(kept), key=lambda each: (each.position, each.code)))


def _place(diagnostic: Diagnostic) -> tuple[str, int, int]:
    position = diagnostic.position
    return position.file, position.line, position.column
