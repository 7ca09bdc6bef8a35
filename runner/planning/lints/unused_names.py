"""Axes and variables that no template uses. They change no request: they are left over, or missing in a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.model import Image, Json, Manifest, Matrix, Route
from runner.planning.plan_diagnostics import Place, PlanWarning, place_of_picture

# Names that every template has, of single values. (A text cannot hold the others, which is an error of its own.)
_MEANINGS = {"model": "the name of the model", "take": "the number of the take", "name": "the name of the manifest"}


def unused(manifest: Manifest, used: frozenset[str]) -> Iterator[PlanWarning]:
    """A warning for each name that is set but that no template uses (W331, W332).

    `used` are the names in all templates. Columns of tables and constants of the defaults are never reported: these
    files have other uses, too.
    """
    idle = idle_axes(manifest.matrix, used)
    for name, values in manifest.matrix.axes.items():
        if name not in used:
            count = f"; its {len(values)} values make equal requests" if name in idle else ""
            yield _warning("W331", ("matrix", name), f"no template uses the axis '{name}'{count}")
    for name, (kind, route) in _variables(manifest).items():
        if name not in used:
            yield _warning("W332", route, f"no template uses {kind} '{name}'")


def unused_pictures(manifest: Manifest) -> Iterator[PlanWarning]:
    """A warning for each entry under images with pictures that no prompt is for (W345). The defaults may have some."""
    ids: dict[Route, list[str]] = {}
    wanted = [prompt.images for prompt in manifest.prompts if prompt.images is not None]
    named = frozenset().union(*wanted)
    for image in manifest.images if len(wanted) == len(manifest.prompts) else ():
        if image.id not in named:
            ids.setdefault(image.route[:2], []).append(image.id)
    for left in (each for route, each in ids.items() if not _is_shared(manifest, route)):
        image = next(each for each in manifest.images if each.id == left[0])
        more = f" and {len(left) - 1:,} more" if len(left) > 1 else ""
        hint = "name it in the images of a prompt, or delete it"
        yield PlanWarning("W345", place_of_picture(manifest, image), f"no prompt is for '{left[0]}'{more}", hint)


def shadowed_columns(manifest: Manifest, used: frozenset[str]) -> Iterator[PlanWarning]:
    """A warning for each column whose name means something else in a template that uses it (W412)."""
    for entry, image in _entries(manifest).items():
        for name, meaning in _MEANINGS.items():
            if name in used and name in (image.row or {}):
                message = f"{{{{ {name} }}}} is {meaning}, not this column"
                place = Place((*entry, "table", name), key=True)
                yield PlanWarning("W412", place, message, f'the column is row["{name}"] in templates')


def names_of(manifest: Manifest) -> frozenset[str]:
    """All names that axes and variables set."""
    return frozenset((*manifest.matrix.axes, *_variables(manifest)))


def idle_axes(matrix: Matrix, used: frozenset[str]) -> Mapping[str, Json]:
    """The axes that only multiply equal cells, each with its first value.

    An axis that is zipped with one that templates use multiplies nothing, so it is left out.
    """
    busy = {name for group in matrix.zip if not used.isdisjoint(group) for name in group}
    return {
        name: values[0]
        for name, values in matrix.axes.items()
        if len(values) > 1 and name not in used and name not in busy
    }


def _warning(code: str, route: Route, message: str) -> PlanWarning:
    hint = f"write {{{{ {route[-1]} }}}} in a prompt, in params or in output.file, or delete it"
    return PlanWarning(code, Place(route, key=True), message, hint)


def _variables(manifest: Manifest) -> Mapping[str, tuple[str, Route]]:
    """The variables that are not axes: what kind of entry sets each of them, and where it is set first."""
    found: dict[str, tuple[str, Route]] = {}
    for entry, image in _entries(manifest).items():
        for name in image.vars:
            if manifest.source.has((*entry, "vars", name)):
                found.setdefault(name, ("the picture's variable", (*entry, "vars", name)))
    for name in manifest.constants:
        if name in manifest.set or not _is_shared(manifest, ("vars", name)):
            found.setdefault(name, ("the constant", ("vars", name)))
    for number, included in enumerate(manifest.matrix.include):
        for name in included:
            if name not in manifest.matrix.axes:
                found.setdefault(name, ("the included variable", ("matrix", "include", number, name)))
    return found


def _is_shared(manifest: Manifest, route: Route) -> bool:
    """Whether this stands in the defaults: several manifests share them, and one does not need all of them."""
    return manifest.source.position(route, key=True).file != manifest.source.position(()).file


def _entries(manifest: Manifest) -> Mapping[Route, Image]:
    """The entries under images, each with its first picture. All pictures of an entry have the same `vars`."""
    firsts: dict[Route, Image] = {}
    for image in manifest.images:
        firsts.setdefault(image.route[:2], image)
    return firsts
