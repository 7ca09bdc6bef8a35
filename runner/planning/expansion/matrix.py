"""The matrix: variables and their values, checked, and expanded to variants.

Include and exclude mean the same as in GitHub Actions (GitHub Docs, "Running variations of jobs in a workflow":
"Excluding matrix configurations" and "Expanding or adding matrix configurations"). Values are compared by
`runner.model.same_value`: 1 and 1.0 are one value, 1 and "1" and true are three.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import product
from typing import TypeAlias

from runner.diagnostics.suggestions import known_here
from runner.model import Json, Matrix, Route, Sample, Variables, canonical_json, same_value

OUTSIDE = ("image", "prompt", "model")
MAX_PRODUCT = 5_000_000

# An entry of exclude: the values of each name that it accepts, as tokens.
Accepted: TypeAlias = "Mapping[str, frozenset[Hashable]]"


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination. `variables` has the axes in the order of the manifest, then what includes added.

    `created` says that an include made it: it is not a combination of the axes.
    """

    variables: Variables
    created: bool


@dataclass(frozen=True, slots=True)
class MatrixDiagnostic:
    """A diagnostic of the matrix. `route` is its place below `matrix`; `key` says that it is about the key there."""

    code: str
    message: str
    hint: str
    route: Route
    key: bool


def product_size(matrix: Matrix) -> int:
    """The number of combinations of the axes; zipped axes count as one axis. Without axes it is 1. Expands nothing."""
    return math.prod(max(len(matrix.axes[name]) for name in block) for block in _blocks(matrix))


def diagnose(
    matrix: Matrix, *, images: Collection[str], prompts: Collection[str], models: Collection[str]
) -> list[MatrixDiagnostic]:
    """The errors of the matrix: E206, E501, E502, E503, E505. The ids and model names are those of the manifest."""
    outside = {name: frozenset(known) for name, known in zip(OUTSIDE, (images, prompts, models), strict=True)}
    return [
        *_zip_errors(matrix),
        *_exclude_errors(matrix, outside),
        *_include_errors(matrix),
        *_size_errors(matrix),
    ]


def without(matrix: Matrix, found: Iterable[MatrixDiagnostic]) -> Matrix:
    """The matrix without what these diagnostics are about: entries of exclude and zip, and names in includes."""
    wrong = {diagnostic.route for diagnostic in found}
    entries = {route[:2] for route in wrong}
    return replace(
        matrix,
        exclude=tuple(each for number, each in enumerate(matrix.exclude) if ("exclude", number) not in entries),
        zip=tuple(each for number, each in enumerate(matrix.zip) if ("zip", number) not in entries),
        include=tuple(
            {name: value for name, value in each.items() if ("include", number, name) not in wrong}
            for number, each in enumerate(matrix.include)
        ),
    )


def alternatives(matrix: Matrix, name: str, value: Json) -> tuple[Json, ...]:
    """The values that an entry of exclude means: any of a list, unless the list itself is a value of the axis."""
    if not isinstance(value, list | tuple) or any(same_value(value, each) for each in matrix.axes.get(name, ())):
        return (value,)
    return tuple(value)


def variants(matrix: Matrix) -> Iterator[Variant]:
    """The variants of a matrix for which `diagnose` finds nothing, by zip, product, exclude, include and sample.

    - The last axis varies fastest. Zipped axes advance together, at the place of the first of them.
    - An exclude drops the combinations that have all of its values, and of a list one of them. It may name only some of
      the axes. Entries that name image, prompt or model do not apply to variants, but to cells (see `excluded`).
    - An include is added to every combination, unless it would overwrite a value of an axis. It may overwrite what
      earlier includes added. If it can be added to no combination, it becomes a variant of its own, after all others.
      Without axes, every include does. It is never added to a variant that an earlier include made.
    - A matrix with neither axes nor includes has one variant, without variables.
    - A value that is twice on an axis, such as 1 and 1.0, gives equal variants. The plan reports equal requests and
      buys them once.

    Variants are made one by one: only one combination is in memory, or `sample.count` of them.
    """
    found = _with_includes(matrix)
    return found if matrix.sample is None else _sampled(found, matrix.sample)


def excluded(matrix: Matrix) -> Callable[[str, str, str, Variant], bool]:
    """A filter on cells (image id, prompt id, model name, variant), by the excludes that name image, prompt or model.

    An entry that names nothing else drops every cell that it matches. An entry that also names matrix variables never
    drops a variant that an include made, because exclude comes before include.
    """
    entries = [
        {name: alternatives(matrix, name, value) for name, value in entry.items()}
        for entry in matrix.exclude
        if _is_outside(entry)
    ]

    @lru_cache(maxsize=1024)
    def reaching(*names: str) -> tuple[Mapping[str, tuple[Json, ...]], ...]:
        """The values of variables that the entries matching these three names want."""
        cell = dict(zip(OUTSIDE, names, strict=True))
        matching = (
            entry for entry in entries if all(name not in entry or cell[name] in entry[name] for name in OUTSIDE)
        )
        return tuple({name: entry[name] for name in entry if name not in OUTSIDE} for entry in matching)

    def is_excluded(image: str, prompt: str, model: str, variant: Variant) -> bool:
        for wanted in reaching(image, prompt, model):
            if not wanted or (not variant.created and _agrees(wanted, variant.variables)):
                return True
        return False

    return is_excluded if entries else _none_is_excluded


def _none_is_excluded(image: str, prompt: str, model: str, variant: Variant) -> bool:
    return False


def _is_outside(entry: Variables) -> bool:
    return any(name in entry for name in OUTSIDE)


def _agrees(wanted: Mapping[str, tuple[Json, ...]], variables: Variables) -> bool:
    return all(
        name in variables and any(same_value(each, variables[name]) for each in values)
        for name, values in wanted.items()
    )


def _blocks(matrix: Matrix) -> list[tuple[str, ...]]:
    """The groups of axes that vary together, in the order of the manifest. An axis that is not zipped is alone."""
    group_of = {name: group for group in matrix.zip for name in group if name in matrix.axes}
    blocks = (tuple(name for name in group_of.get(axis, (axis,)) if name in matrix.axes) for axis in matrix.axes)
    return list(dict.fromkeys(blocks))


def _tokens(values: Variables) -> frozenset[tuple[str, Hashable]]:
    """Pairs of name and value. An entry agrees with a combination if its pairs are a subset of the combination's."""
    return frozenset((name, _token(value)) for name, value in values.items())


def _token(value: Json) -> Hashable:
    """Two tokens are equal exactly if `same_value` calls their values the same. JSON has no NaN."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value), value
    if isinstance(value, (int, float)):
        return float, value
    return list, canonical_json(value)


def _combinations(matrix: Matrix) -> Iterator[dict[str, Json]]:
    """The combinations that exclude does not drop."""
    excludes = [_accepted(matrix, entry) for entry in matrix.exclude if entry and not _is_outside(entry)]
    blocks = [list(_points(matrix, names, excludes)) for names in _blocks(matrix)]
    for points in product(*blocks):
        combination: dict[str, Json] = dict.fromkeys(matrix.axes)
        # An exclude whose bit is left at the end matches all values.
        matching = (1 << len(excludes)) - 1
        for point, bits in points:
            combination.update(point)
            matching &= bits
        if not matching:
            yield combination


def _accepted(matrix: Matrix, entry: Variables) -> Accepted:
    return {name: frozenset(map(_token, alternatives(matrix, name, value))) for name, value in entry.items()}


def _points(
    matrix: Matrix, names: Sequence[str], excludes: Sequence[Accepted]
) -> Iterator[tuple[dict[str, Json], int]]:
    """The values of axes that vary together, each with a bit for each of the excludes that match them."""
    for row in zip(*(matrix.axes[name] for name in names), strict=True):
        tokens = dict(zip(names, map(_token, row), strict=True))
        bits = sum(
            1 << number
            for number, accepted in enumerate(excludes)
            if all(tokens[name] in accepted[name] for name in names if name in accepted)
        )
        yield dict(zip(names, row, strict=True)), bits


def _with_includes(matrix: Matrix) -> Iterator[Variant]:
    if not matrix.axes and not matrix.include:
        yield Variant({}, False)
    own = [{name: entry[name] for name in matrix.axes if name in entry} for entry in matrix.include]
    extra = [{name: entry[name] for name in entry if name not in matrix.axes} for entry in matrix.include]
    wanted, used = list(map(_tokens, own)), set()
    for variables in _combinations(matrix) if matrix.axes else ():
        tokens = _tokens(variables) if wanted else frozenset()
        for number, entry in enumerate(wanted):
            if entry <= tokens:
                used.add(number)
                variables.update(extra[number])
        yield Variant(variables, False)
    for number in range(len(matrix.include)):
        if number not in used:
            yield Variant({**own[number], **extra[number]}, True)


def _sampled(found: Iterable[Variant], sample: Sample) -> Iterator[Variant]:
    """The `count` variants with the lowest sha256 of `canonical_json([seed, variables])` in UTF-8, in their order.

    A digest depends only on the seed and the variant. So a new value in the matrix may add its own variants to the
    sample, but no old variant that was not in the sample before.
    """

    def digest(placed: tuple[int, Variant]) -> bytes:
        text = canonical_json([sample.seed, placed[1].variables])
        return sha256(text.encode(errors="surrogatepass")).digest()

    lowest = heapq.nsmallest(sample.count, enumerate(found), key=digest)
    yield from (variant for _, variant in sorted(lowest, key=lambda placed: placed[0]))


def _zip_errors(matrix: Matrix) -> Iterator[MatrixDiagnostic]:
    seen: set[str] = set()
    for number, group in enumerate(matrix.zip):
        for place, name in enumerate(group):
            route: Route = ("zip", number, place)
            if name not in matrix.axes:
                hint = known_here(name, matrix.axes)
                yield MatrixDiagnostic(
                    "E501", f"zip names {name!r}, which is no axis of the matrix", hint, route, False
                )
            elif name in seen:
                hint = "an axis can advance with one group only"
                yield MatrixDiagnostic("E501", f"zip names {name!r} twice", hint, route, False)
            seen.add(name)
        lengths = {name: len(matrix.axes[name]) for name in group if name in matrix.axes}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            message = f"zipped axes need equally many values: {counts}"
            hint = "values that belong together stand at the same place of each axis"
            yield MatrixDiagnostic("E501", message, hint, ("zip", number), False)


def _exclude_errors(matrix: Matrix, outside: Mapping[str, Collection[str]]) -> Iterator[MatrixDiagnostic]:
    @lru_cache(maxsize=1024)
    def hint(name: str, group: str | None = None) -> str:
        return known_here(name, outside[group] if group else [*matrix.axes, *OUTSIDE])

    added = {name for entry in matrix.include for name in entry} - set(matrix.axes)
    for number, entry in enumerate(matrix.exclude):
        if not entry:
            yield MatrixDiagnostic(
                "E206", "this exclude is empty", "name at least one axis", ("exclude", number), False
            )
        for name, value in entry.items():
            route: Route = ("exclude", number, name)
            if name in outside:
                yield from _unknown_ids(name, value, outside[name], route, hint)
            elif name not in matrix.axes:
                late = f"only include adds {name!r}, and exclude comes first; " if name in added else ""
                message = f"exclude names {name!r}, which is no axis of the matrix"
                yield MatrixDiagnostic("E502", message, late + hint(name), route, True)
            if name in (*outside, *matrix.axes) and not alternatives(matrix, name, value):
                yield MatrixDiagnostic("E206", f"exclude names no value of {name!r}", "list at least one", route, False)


def _unknown_ids(
    name: str, value: Json, known: Collection[str], route: Route, hint: Callable[[str, str], str]
) -> Iterator[MatrixDiagnostic]:
    values = value if isinstance(value, list | tuple) else [value]
    for index, each in enumerate(values):
        text = each if isinstance(each, str) else canonical_json(each)
        if not isinstance(each, str) or each not in known:
            message = f"exclude names the {name} {text!r}, which the manifest does not have"
            place = (*route, index) if values is value else route
            yield MatrixDiagnostic("E502", message, hint(text, name), place, False)


def _include_errors(matrix: Matrix) -> Iterator[MatrixDiagnostic]:
    for number, entry in enumerate(matrix.include):
        for name in entry:
            if name in OUTSIDE:
                message = f"include names {name!r}, which stands outside the matrix"
                hint = f"add the {name} to the manifest, and use exclude to keep it from other variants"
                yield MatrixDiagnostic("E503", message, hint, ("include", number, name), True)


def _size_errors(matrix: Matrix) -> Iterator[MatrixDiagnostic]:
    size = product_size(matrix)
    if size > MAX_PRODUCT:
        message = f"the matrix has {size:,} combinations; at most {MAX_PRODUCT:,} are expanded"
        yield MatrixDiagnostic("E505", message, "leave out values, or zip axes that belong together", (), True)
