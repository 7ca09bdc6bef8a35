"""Collects what goes wrong in cells: a problem that many cells share is one diagnostic."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runner.errors import Diagnostic, Position, Severity
from runner.model import Manifest, Route


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: at `route` of the manifest, or in the prompt file or table that stands there.

    `offset` counts characters into the value's text, `length` is the width of what is wrong; `key` points at its key.
    """

    route: Route
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
        self._found: dict[tuple[str, Position, str], _Shared] = {}
        # Many cells fail at one place, and looking it up reads the manifest's text again.
        self._positions: dict[Place, Position] = {}

    def add(
        self, code: str, place: Place, message: str, hint: str = "", *, cell: str = "", about: str | None = None
    ) -> None:
        """Note an error, and the key of the cell that has it. Those of one code, position and `about` are one.

        `about` is the message where it is not given.
        """
        position = self._position(place)
        index = (code, position, message if about is None else about)
        if index in self._found:
            self._found[index].count += 1
            return
        line = self._manifest.source.line(position)
        self._found[index] = _Shared(Diagnostic(code, Severity.ERROR, position, message, hint, line), cell)

    def diagnostics(self, cells: int) -> tuple[Diagnostic, ...]:
        """All of them, ordered by place; `cells` is how many were looked at."""
        told = (_told(shared, cells) for shared in self._found.values())
        return tuple(sorted(told, key=lambda each: (each.position, each.code)))

    @property
    def has_errors(self) -> bool:
        return bool(self._found)

    def _position(self, place: Place) -> Position:
        found = self._positions.get(place)
        if found is None:
            found = self._positions[place] = self._manifest.source.position(
                place.route, key=place.key, offset=place.offset, length=place.length
            )
        return found


def _told(shared: _Shared, cells: int) -> Diagnostic:
    if shared.count == 1 or not shared.first:
        return shared.diagnostic
    message = f"{shared.diagnostic.message} (in {shared.count:,} of {cells:,} cells; the first is {shared.first})"
    return replace(shared.diagnostic, message=message)
