"""Collects what goes wrong in cells: a problem that many cells share is one diagnostic."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from runner.errors import Diagnostic, Position, Severity
from runner.model import Manifest, Prompt, Route


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: in the manifest at `route`, or in the file of a prompt.

    `offset` counts characters into the value's text, `length` is the width of what is wrong; `key` points at its key.
    """

    route: Route
    prompt: Prompt | None = None
    offset: int = 0
    length: int = 0
    key: bool = False


@dataclass(slots=True)
class _Shared:
    diagnostic: Diagnostic
    first: str
    count: int = 1


class Faults:
    """The problems of one plan."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._found: dict[tuple[str, Place, str], _Shared] = {}

    def add(
        self, code: str, place: Place, message: str, hint: str = "", *, cell: str = "", about: str | None = None
    ) -> None:
        """Note an error in the cell with this key. Those of one code, place and `about` (default: message) are one."""
        index = (code, place, message if about is None else about)
        if index in self._found:
            self._found[index].count += 1
            return
        position, line = self._locate(place)
        self._found[index] = _Shared(Diagnostic(code, Severity.ERROR, position, message, hint, line), cell)

    def warn(self, code: str, place: Place, message: str, hint: str = "") -> None:
        position, line = self._locate(place)
        self._found[code, place, message] = _Shared(
            Diagnostic(code, Severity.WARNING, position, message, hint, line), ""
        )

    def diagnostics(self, cells: int) -> tuple[Diagnostic, ...]:
        """All of them, ordered by place; `cells` is how many were looked at."""
        told = (_told(shared, cells) for shared in self._found.values())
        return tuple(sorted(told, key=lambda each: (each.position, each.code)))

    @property
    def has_errors(self) -> bool:
        return any(shared.diagnostic.severity is Severity.ERROR for shared in self._found.values())

    def _locate(self, place: Place) -> tuple[Position, str]:
        if place.prompt is not None and place.prompt.file is not None:
            return _in_file(place.prompt.file, place.prompt.text, place.offset, place.length)
        source = self._manifest.source
        position = source.position(place.route, key=place.key, offset=place.offset, length=place.length)
        return position, source.line(position)


def _told(shared: _Shared, cells: int) -> Diagnostic:
    if shared.count == 1:
        return shared.diagnostic
    message = f"{shared.diagnostic.message} (in {shared.count} of {cells} cells; the first is {shared.first})"
    return replace(shared.diagnostic, message=message)


def _in_file(file: str, text: str, offset: int, length: int) -> tuple[Position, str]:
    before = text[:offset]
    line = before.count("\n") + 1
    column = offset - (before.rfind("\n") + 1) + 1
    return Position(shown_path(file), line, column, max(length, 1)), text.split("\n")[line - 1]


def shown_path(file: str) -> str:
    """A path for people: relative to the current folder where it is below it."""
    try:
        return str(Path(file).relative_to(os.getcwd()))
    except ValueError:
        return file
