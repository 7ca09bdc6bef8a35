"""The table of figures, for the screen and for the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import Row

_BEGIN, _END = "<!-- benchmarks: written by python -m tests.bench --write -->", "<!-- end of benchmarks -->"


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    return row.measure, with_unit(row.figure, row.unit), with_unit(row.limit, row.unit), verdict(row), row.beside


def verdict(row: Row) -> str:
    return "ok" if row.is_met else "missed"


def with_unit(figure: float, unit: str) -> str:
    digits = f"{figure:,.0f}" if unit in ("", "MiB") else f"{figure:.3f}" if figure < 10 else f"{figure:.1f}"
    return f"{digits} {unit}".rstrip()


def markdown(rows: Sequence[Row]) -> str:
    head = "| measure | figure | at most | | beside |\n|---|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(_cells(row))} |\n" for row in rows)


def write_into(readme: Path, rows: Sequence[Row]) -> None:
    """Replace the table between the two marks of the README."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{readme} has no marks for the table")
    readme.write_text(f"{before}{_BEGIN}\n{markdown(rows)}{_END}{after}", encoding="utf-8")
