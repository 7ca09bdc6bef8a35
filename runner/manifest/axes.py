"""Axes of the matrix whose values stand in a text file, a value a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner.diagnostics.text import Text
from runner.diagnostics.words import name
from runner.errors import Position
from runner.manifest.files import read_below
from runner.manifest.json_values import mapping
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.settings import KEYWORDS
from runner.model import Json, Route

_MAX_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class AxisFile:
    """A file of values and the places in it. The route of a value is its index."""

    text: Text

    @property
    def file(self) -> str:
        return self.text.file

    @property
    def values(self) -> list[str]:
        return self.text.text.removesuffix("\n").split("\n")

    def line(self, position: Position) -> str:
        return self.text.line(position)

    def position(self, route: Route, *, key: bool = False, offset: int = 0, length: int = 0) -> Position:
        """The place of a value, or of the first one. `offset` is an index in it."""
        index = route[0] if self.has(route[:1]) and route else 0
        return self.text.at(self.text.starts[int(index)] + offset, length or len(self.text.text))

    def has(self, route: Route) -> bool:
        index = route[0] if route else 0
        return len(route) <= 1 and isinstance(index, int) and 0 <= index < len(self.values)


def with_values(matrix: Json, base: Path, found: ReadingDiagnostics) -> dict[str, Json]:
    """The matrix with the values of files in place of their paths. Each file is attached at the route of its axis."""
    read = dict(mapping(matrix))
    for axis, values in read.items():
        written = mapping(values).get("file") if axis not in KEYWORDS else None
        if isinstance(written, str):
            read[axis] = _values(axis, written, base, found)
    return read


def _values(axis: str, written: str, base: Path, found: ReadingDiagnostics) -> list[str]:
    values: list[str] = []
    with found.reading(("matrix", axis, "file"), f"the file {name(written)} of the axis"):
        file = AxisFile(read_below(base / written, found.folders, written, _MAX_BYTES))
        found.attach(("matrix", axis), file)
        values = file.values
        what = "a value of the axis is an empty line" if any(map(str.strip, values)) else "the file is empty"
        for index, value in enumerate(values):
            if not value.strip():
                found.error("E509", ("matrix", axis, index), what, "write a value a line, and delete empty lines")
    return values
