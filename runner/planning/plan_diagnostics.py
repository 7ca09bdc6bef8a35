"""Collects what is wrong with a manifest's cells, or doubtful: a problem that many cells share is one diagnostic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runner.diagnostics.text import Text
from runner.errors import Diagnostic, Position, Severity
from runner.model import Image, Json, Manifest, Route, same_value


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: at `route` of the manifest, or in the prompt file or table that stands there.

    `offset` counts characters into the value's text, `length` is the width of what is wrong; `key` points at its key.
    Where there is a `fragment`, the place is in that file, which the template at `route` names.
    """

    route: Route
    offset: int = 0
    length: int = 0
    key: bool = False
    fragment: Text | None = None


@dataclass(slots=True)
class PlanWarning:
    """A warning about cells that are counted where it is found, as there may be millions.

    `first` is the key of the first; it is empty where the warning is about all of them.
    """

    code: str
    place: Place
    message: str
    hint: str
    cells: int = 0
    first: str = ""


@dataclass(slots=True)
class _Shared:
    diagnostic: Diagnostic
    first: str
    count: int


class PlanDiagnostics:
    """The problems of one plan, errors and warnings as their codes say. `earlier` are the warnings of reading it."""

    def __init__(self, manifest: Manifest, earlier: Sequence[Diagnostic] = ()) -> None:
        self._manifest = manifest
        self._earlier = earlier
        self._found: dict[tuple[str, Position, str], _Shared] = {}
        # Many cells fail at one place, and looking it up reads the manifest's text again.
        self._positions: dict[Place, Position] = {}
        self.has_errors = False
        # Whether a render took too much, so that further ones would, too.
        self.has_excess = False

    def wants(self, code: str) -> bool:
        """Whether a warning is told: the manifest may switch it off."""
        return code not in self._manifest.ignored

    def add(
        self,
        code: str,
        place: Place,
        message: str,
        hint: str = "",
        *,
        cell: str = "",
        about: str | None = None,
        cells: int = 1,
    ) -> None:
        """Note a problem, and the key of the first of the cells that have it.

        Those of one code, position and `about` are one. `about` is the message where it is not given.
        """
        if not self.wants(code):
            return
        position = self._position(place)
        index = (code, position, message if about is None else about)
        if index in self._found:
            self._found[index].count += cells
            return
        severity = Severity.WARNING if code.startswith("W") else Severity.ERROR
        self.has_errors |= severity is Severity.ERROR
        self.has_excess |= code == "E314"
        line = (place.fragment or self._manifest.source).line(position)
        self._found[index] = _Shared(Diagnostic(code, severity, position, message, hint, line), cell, cells)

    def warn(self, warning: PlanWarning) -> None:
        """Note a warning that was counted; those of one code and position are one."""
        count = max(warning.cells, 1)
        self.add(warning.code, warning.place, warning.message, warning.hint, cell=warning.first, about="", cells=count)

    def ordered(self, cells: int) -> tuple[Diagnostic, ...]:
        """All of them and the earlier ones, ordered by place; `cells` is how many were looked at.

        A warning about a place that has an error, or of which reading warned, says nothing more.
        """
        own = [_told(shared, cells) for shared in self._found.values()]
        errors = [each for each in own if _is_error(each)]
        wrong = set(map(_spot, errors))
        earlier = [each for each in self._earlier if _spot(each) not in wrong]
        told = wrong.union(map(_spot, earlier))
        warnings = [each for each in own if not _is_error(each) and _spot(each) not in told]
        return tuple(sorted((*earlier, *errors, *warnings), key=lambda each: (each.position, each.code)))

    def _position(self, place: Place) -> Position:
        found = self._positions.get(place)
        if found is None:
            source, route = (place.fragment, ()) if place.fragment else (self._manifest.source, place.route)
            found = self._positions[place] = source.position(
                route, key=place.key, offset=place.offset, length=place.length
            )
        return found


def _is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity is Severity.ERROR


def _spot(diagnostic: Diagnostic) -> tuple[str, int, int]:
    position = diagnostic.position
    return position.file, position.line, position.column


def _told(shared: _Shared, cells: int) -> Diagnostic:
    if not shared.first or cells == 1:
        return shared.diagnostic
    which = f": {shared.first}" if shared.count == 1 else f"; the first is {shared.first}"
    message = f"{shared.diagnostic.message} (in {shared.count:,} of {cells:,} cells{which})"
    return replace(shared.diagnostic, message=message)


def place_of_picture(manifest: Manifest, image: Image) -> Place:
    """Where the manifest, or a table of it, names the picture."""
    if "table" in image.route:
        return Place((*image.route, "image"))
    kinds = ("file", "glob", "url", "base64")
    return Place((*image.route, next(kind for kind in kinds if manifest.source.has((*image.route, kind)))))


def place_of_value(manifest: Manifest, name: str, value: Json) -> Place:
    """Where a variable of the matrix gets this value: on its axis, else in an include. Of equal values the last one."""
    matrix = manifest.matrix
    axis = [index for index, each in enumerate(matrix.axes.get(name, ())) if same_value(each, value)]
    if axis:
        return Place(("matrix", name, axis[-1]))
    entries = [index for index, each in enumerate(matrix.include) if name in each and same_value(each[name], value)]
    return Place(("matrix", "include", entries[-1], name)) if entries else Place(("matrix", name), key=True)
