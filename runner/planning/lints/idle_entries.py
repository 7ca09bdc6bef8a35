"""Entries of exclude and include that do nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from runner.diagnostics.suggestions import closest, did_you_mean
from runner.diagnostics.words import described, joined, literal, name
from runner.model import Json, Matrix, Route, Variables, canonical_json, same_value
from runner.planning.expansion.matrix import OUTSIDE, alternatives, product_size, variants
from runner.planning.plan_diagnostics import Place, PlanWarning

# Includes are not checked if combinations times includes exceed this: each include is tried on all combinations.
_MOST_COMPARED = 20_000
_LISTED = 8


def idle_entries(matrix: Matrix) -> Iterator[PlanWarning]:
    """A warning for each exclude that matches no combination (W511) and each include that adds nothing (W512).

    The matrix must be one for which `matrix.diagnose` finds nothing.
    """
    yield from _idle_excludes(matrix)
    yield from _idle_includes(matrix)


def _idle_excludes(matrix: Matrix) -> Iterator[PlanWarning]:
    places = {axis: _places(values) for axis, values in matrix.axes.items()}
    for number, entry in enumerate(matrix.exclude):
        route: Route = ("matrix", "exclude", number)
        wanted = {axis: alternatives(matrix, axis, value) for axis, value in entry.items() if axis not in OUTSIDE}
        rows = {
            axis: [places[axis].get(canonical_json(value), set()) for value in values]
            for axis, values in wanted.items()
        }
        for axis, values in wanted.items():
            place = (*route, axis)
            for index, value in enumerate(values):
                if not rows[axis][index]:
                    message = (
                        f"exclude names {literal(value)}, which is not on the axis {name(axis)}; it matches nothing"
                    )
                    spot = place if values == (entry[axis],) else (*place, index)
                    yield PlanWarning("W511", Place(spot), message, _nearest(matrix, axis, value))
        for group in matrix.zip if all(map(any, rows.values())) else ():
            zipped = [axis for axis in group if axis in wanted]
            if zipped and not set.intersection(*(set().union(*rows[axis]) for axis in zipped)):
                yield PlanWarning("W511", Place(route), *_never_together(matrix, zipped, wanted))


def _places(values: Sequence[Json]) -> Mapping[str, set[int]]:
    """The indexes of each value on an axis."""
    places: dict[str, set[int]] = {}
    for index, value in enumerate(values):
        places.setdefault(canonical_json(value), set()).add(index)
    return places


def _nearest(matrix: Matrix, axis: str, value: Json) -> str:
    """A hint at what was probably meant by a value that is not on the axis."""
    values = matrix.axes[axis]
    if any(axis in entry and same_value(entry[axis], value) for entry in matrix.include):
        return "exclude comes first, so it never reaches what an include adds; delete the entry"
    alike = next((each for each in values if _written(each) == _written(value)), None)
    if alike is not None:
        return f"here stands {described(value)}, and on the axis {described(alike)}"
    texts = [each for each in values if isinstance(each, str)]
    guess = closest(value, texts) if isinstance(value, str) else None
    listed = f"on the axis: {joined(map(literal, values), 'and', _LISTED)}"
    return did_you_mean(literal(guess) if guess else None, more=listed)


def _written(value: Json) -> str:
    return value if isinstance(value, str) else canonical_json(value)


def _never_together(matrix: Matrix, zipped: Sequence[str], wanted: Mapping[str, Sequence[Json]]) -> tuple[str, str]:
    first, *others = zipped
    message = f"the zipped axes {joined(map(name, zipped), 'and')} never have these values together"
    other = others[0]
    rows = zip(matrix.axes[first], matrix.axes[other], strict=True)
    value = wanted[first][0]
    partners = [literal(partner) for each, partner in rows if same_value(each, value)]
    return message, f"{first} {literal(value)} comes with {other} {joined(partners, 'and', _LISTED)}"


def _idle_includes(matrix: Matrix) -> Iterator[PlanWarning]:
    """Each include without which the variants would be the same. Of two equal includes, only one is reported."""
    if not matrix.include or product_size(matrix) * len(matrix.include) > _MOST_COMPARED:
        return
    made, left = _made(matrix), list(enumerate(matrix.include))
    for placed in list(left):
        others = [each for each in left if each is not placed]
        if _made(replace(matrix, include=tuple(entry for _, entry in others))) == made:
            left = others
            yield PlanWarning("W512", Place(("matrix", "include", placed[0])), *_why(matrix, *placed))


def _made(matrix: Matrix) -> list[tuple[str, bool]]:
    return [(canonical_json(each.variables), each.created) for each in variants(replace(matrix, sample=None))]


def _why(matrix: Matrix, number: int, entry: Variables) -> tuple[str, str]:
    extra = [each for each in entry if each not in matrix.axes]
    if not extra:
        hint = "name one more variable for it to add, or delete it"
        return "this include does nothing: it names axes alone, and the combination is there already", hint
    later = set().union(*matrix.include[number + 1 :])
    if later.issuperset(extra):
        hint = "later includes win: put it after them, or delete it"
        return f"this include does nothing: later ones set {joined(map(name, extra), 'and')} wherever it does", hint
    return "this include does nothing: what it adds is added by others already", "delete it"
