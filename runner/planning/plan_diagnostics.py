"""Collects the diagnostics of a manifest's cells. If many cells have the same error, that is one diagnostic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runner.diagnostics.diagnostic_limit import MOST, TooManyErrorsError, ending, omitted
from runner.diagnostics.text import Text
from runner.errors import Diagnostic, Position, Severity
from runner.manifest.variable_names import RESERVED
from runner.model import Image, Json, Manifest, Route, same_value


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: at `route` of the manifest, or in the prompt file or table that is named there.

    `offset` is the first character within the value's text, and `length` the number of characters. With `key`, the
    place is the value's key instead. With a `fragment`, it is in that file, which the template at `route` names.
    """

    route: Route
    offset: int = 0
    length: int = 0
    key: bool = False
    fragment: Text | None = None


@dataclass(slots=True)
class PlanWarning:
    """A warning about cells. The code that finds it counts the cells, because there may be millions.

    `first` is the key of the first cell. It is empty if the warning is about all cells.
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
    """The diagnostics of one plan. `earlier` are the warnings from reading the manifest.

    Of errors and of warnings there are at most MOST. One more error raises TooManyErrorsError: planning ends.
    """

    def __init__(self, manifest: Manifest, earlier: Sequence[Diagnostic] = ()) -> None:
        self.manifest = manifest
        self._earlier = earlier
        self._found: dict[tuple[str, Position, str], _Shared] = {}
        # A cache: many cells fail at one place, and looking up its position reads the manifest's text again.
        self._positions: dict[Place, Position] = {}
        self._counts: Counter[Severity] = Counter()
        # Whether a template exceeded a limit (E314). Further renders probably would, too.
        self.has_excess = False

    @property
    def has_errors(self) -> bool:
        return self._counts[Severity.ERROR] > 0

    def wants(self, code: str) -> bool:
        """Whether to report this code: the manifest may switch off warnings."""
        return code not in self.manifest.ignored

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
        """Add a diagnostic; `cell` is the key of a cell that has it. Only the first cell's key is kept.

        Diagnostics with the same code, position and `about` are one. The default of `about` is the message.
        """
        if not self.wants(code):
            return
        position = self._position(place)
        index = (code, position, message if about is None else about)
        if index in self._found:
            self._found[index].count += cells
            return
        severity = Severity.WARNING if code.startswith("W") else Severity.ERROR
        self._counts[severity] += 1
        if self._counts[severity] > MOST:
            if severity is Severity.ERROR:
                raise TooManyErrorsError
            return
        self.has_excess |= code == "E314"
        line = (place.fragment or self.manifest.source).line(position)
        self._found[index] = _Shared(Diagnostic(code, severity, position, message, hint, line), cell, cells)

    def warn(self, warning: PlanWarning) -> None:
        """Add a warning whose cells are counted. Warnings with the same code and position are one."""
        count = max(warning.cells, 1)
        self.add(warning.code, warning.place, warning.message, warning.hint, cell=warning.first, about="", cells=count)

    def ordered(self, cells: int | None) -> tuple[Diagnostic, ...]:
        """All diagnostics, the earlier ones included, ordered by place. `cells` is the number of all cells, if known.

        A warning is left out if there is an error at its place. A warning of planning is also left out if reading the
        manifest already gave one there.
        """
        own = [_with_count(shared, cells) for shared in self._found.values()]
        errors = [each for each in own if _is_error(each)]
        wrong = set(map(_spot, errors))
        earlier = [each for each in self._earlier if _spot(each) not in wrong]
        taken = wrong.union(map(_spot, earlier))
        warnings = [each for each in own if not _is_error(each) and _spot(each) not in taken]
        more = omitted(self._counts[Severity.ERROR], self._counts[Severity.WARNING])
        return ending(sorted((*earlier, *errors, *warnings), key=lambda each: (each.position, each.code)), more)

    def _position(self, place: Place) -> Position:
        found = self._positions.get(place)
        if found is None:
            source, route = (place.fragment, ()) if place.fragment else (self.manifest.source, place.route)
            found = self._positions[place] = source.position(
                route, key=place.key, offset=place.offset, length=place.length
            )
        return found


def _is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity is Severity.ERROR


def _spot(diagnostic: Diagnostic) -> tuple[str, int, int]:
    position = diagnostic.position
    return position.file, position.line, position.column


def _with_count(shared: _Shared, cells: int | None) -> Diagnostic:
    if not shared.first or cells == 1:
        return shared.diagnostic
    which = f": {shared.first}" if shared.count == 1 else f"; the first is {shared.first}"
    share = f"{shared.count:,}" if cells is None else f"{shared.count:,} of {cells:,}"
    message = f"{shared.diagnostic.message} (in {share} cells{which})"
    return replace(shared.diagnostic, message=message)


def place_of_picture(manifest: Manifest, image: Image) -> Place:
    """Where the manifest, or a table of it, names the picture."""
    if "table" in image.route:
        return Place((*image.route, "image"))
    kinds = ("file", "glob", "url", "base64")
    return Place((*image.route, next(kind for kind in kinds if manifest.source.has((*image.route, kind)))))


def place_of_name(manifest: Manifest, name: str, context: Mapping[str, object]) -> Place | None:
    """Where a variable of a cell, or a column of its row, has its value; None if it is no such name."""
    value, picture = context.get(name), context.get("image")
    shown = picture.get("id") if isinstance(picture, Mapping) else None
    image = next((each for each in manifest.images if each.id == shown), None)
    if image is not None and (name in image.vars or (name and "table" in image.route and name not in context)):
        return Place((*image.route, "vars", name))
    if name in manifest.constants:
        return Place(("vars", name))
    if name in RESERVED or not isinstance(value, str | int | float | list | dict):
        return None
    return place_of_value(manifest, name, value)


def place_of_value(manifest: Manifest, name: str, value: Json) -> Place:
    """Where a variable of the matrix gets this value: on its axis, else in an include. The last one of equal values."""
    matrix = manifest.matrix
    axis = [index for index, each in enumerate(matrix.axes.get(name, ())) if same_value(each, value)]
    if axis:
        return Place(("matrix", name, axis[-1]))
    entries = [index for index, each in enumerate(matrix.include) if name in each and same_value(each[name], value)]
    return Place(("matrix", "include", entries[-1], name)) if entries else Place(("matrix", name), key=True)
