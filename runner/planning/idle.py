"""Entries of exclude and include that do nothing. What they do follows from the axes; the product is not expanded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runner.manifest.words import closest, described, joined, literal, name
from runner.model import Json, Matrix, Route, Variables, canonical_json, same_value
from runner.planning.faults import Place, Remark
from runner.planning.matrix import OUTSIDE, added, additions

# Beyond so many sets of entries that meet in a combination, and so many comparisons of what includes add, the matrix is
# left alone: nobody reads it that closely, and everything else about it takes less time.
_MOST_SETS = 20_000
_MOST_COMPARISONS = 200_000
_LISTED = 8


def idle_entries(matrix: Matrix) -> Iterator[Remark]:
    """A warning for each exclude that matches no combination (W511) and each include that adds nothing (W512).

    The matrix has no `problems`.
    """
    yield from _idle_excludes(matrix)
    yield from _idle_includes(matrix)


def _idle_excludes(matrix: Matrix) -> Iterator[Remark]:
    places = {axis: _places(values) for axis, values in matrix.axes.items()}
    for number, entry in enumerate(matrix.exclude):
        route: Route = ("matrix", "exclude", number)
        wanted = {axis: value for axis, value in entry.items() if axis not in OUTSIDE}
        missing = [axis for axis, value in wanted.items() if not places[axis].get(canonical_json(value))]
        for axis in missing:
            message = (
                f"exclude names {literal(wanted[axis])}, which is not on the axis {name(axis)}; it matches nothing"
            )
            yield Remark("W511", Place((*route, axis)), message, _nearest(matrix, axis, wanted[axis]))
        for group in matrix.zip if not missing else ():
            zipped = [axis for axis in group if axis in wanted]
            rows = [places[axis][canonical_json(wanted[axis])] for axis in zipped]
            if rows and not set.intersection(*rows):
                yield Remark("W511", Place(route), *_never_together(matrix, zipped, wanted))


def _places(values: Sequence[Json]) -> Mapping[str, set[int]]:
    """Where each value stands on an axis."""
    places: dict[str, set[int]] = {}
    for index, value in enumerate(values):
        places.setdefault(canonical_json(value), set()).add(index)
    return places


def _nearest(matrix: Matrix, axis: str, value: Json) -> str:
    """What was probably meant by a value that is not on the axis."""
    values = matrix.axes[axis]
    if any(axis in entry and same_value(entry[axis], value) for entry in matrix.include):
        return "exclude comes first, so it never reaches what an include adds; delete the entry"
    alike = next((each for each in values if _written(each) == _written(value)), None)
    if alike is not None:
        return f"here stands {described(value)}, and on the axis {described(alike)}"
    texts = [each for each in values if isinstance(each, str)]
    guess = closest(value, texts) if isinstance(value, str) else None
    listed = f"on the axis: {joined(map(literal, values), 'and', _LISTED)}"
    return f"did you mean {literal(guess)}? {listed}" if guess else listed


def _written(value: Json) -> str:
    return value if isinstance(value, str) else canonical_json(value)


def _never_together(matrix: Matrix, zipped: Sequence[str], wanted: Variables) -> tuple[str, str]:
    first, *others = zipped
    message = f"the zipped axes {joined(map(name, zipped), 'and')} never have these values together"
    other = others[0]
    rows = zip(matrix.axes[first], matrix.axes[other], strict=True)
    partners = [literal(partner) for value, partner in rows if same_value(value, wanted[first])]
    return message, f"{first} {literal(wanted[first])} comes with {other} {joined(partners, 'and', _LISTED)}"


def _idle_includes(matrix: Matrix) -> Iterator[Remark]:
    sets = additions(matrix, _MOST_SETS) if matrix.include else set()
    if len(sets) * len(matrix.include) > _MOST_COMPARISONS:
        return
    idle = 0
    for number, entry in enumerate(matrix.include):
        bit = 1 << number
        # Without those that are told already: of two equal entries one is enough.
        reached = [each & ~idle for each in sets if each & bit]
        if reached and all(_adds_the_same(matrix, each, each & ~bit) for each in reached):
            idle |= bit
            yield Remark("W512", Place(("matrix", "include", number)), *_why(matrix, entry, bit, reached))


def _adds_the_same(matrix: Matrix, left: int, right: int) -> bool:
    return canonical_json(added(matrix, left)) == canonical_json(added(matrix, right))


def _why(matrix: Matrix, entry: Variables, bit: int, reached: Sequence[int]) -> tuple[str, str]:
    extra = [each for each in entry if each not in matrix.axes]
    if not extra:
        hint = "name one more variable for it to add, or delete it"
        return "this include does nothing: it names axes alone, and the combination is there already", hint
    later = (added(matrix, each & ~(bit | bit - 1)) for each in reached)
    if all(set(extra) <= set(others) for others in later):
        hint = "later includes win: put it after them, or delete it"
        return f"this include does nothing: later ones set {joined(map(name, extra), 'and')} wherever it does", hint
    return "this include does nothing: what it adds is added by others already", "delete it"
