"""Cells that render to equal requests, unless another warning already gives the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runner.diagnostics.words import flow
from runner.model import Job, Json, Manifest, canonical_json, same_value
from runner.planning.expansion.arms import Arms
from runner.planning.plan_diagnostics import Place, PlanWarning, place_of_picture, place_of_value


class EqualCells:
    """Counts the cells that render to the same request as an earlier cell.

    `idle` are the axes that no template uses, each with its first value. A cell with another value on such an axis
    always equals the cell with the first value. It is not counted, because W331 already reports the axis.
    """

    def __init__(self, idle: Mapping[str, Json]) -> None:
        self._idle = idle
        self._count = 0
        self._first: Job | None = None

    def note(self, job: Job) -> None:
        """Count a cell with the same request as an earlier cell."""
        if all(same_value(job.variables.get(name, value), value) for name, value in self._idle.items()):
            self._count += 1
            self._first = self._first or job

    def warnings(self, manifest: Manifest, arms: Arms, jobs: Iterable[Job], cells: int) -> Iterator[PlanWarning]:
        """The warning, if there are such cells (W521). `jobs` are the jobs of the plan, `cells` counts its cells."""
        if self._first is None:
            return
        original = next(job for job in jobs if job.id == self._first.id)
        place, hint = _difference(manifest, arms, original, self._first)
        key = self._first.key
        verb = "renders" if self._count == 1 else "render"
        what = f"{self._count:,} of {cells:,} cells {verb} to a request that another cell makes already"
        pair = f"{key} = {original.key}" if key != original.key else f"{key}, twice"
        yield PlanWarning("W521", place, f"{what}; the first: {pair}", hint)


def _difference(manifest: Manifest, arms: Arms, original: Job, equal: Job) -> tuple[Place, str]:
    """Where the manifest makes the cells different, though their requests are equal, and a hint what to do about it."""
    arm = arms[equal.prompt_id, equal.model]
    if equal.image and equal.image != original.image:
        image = next(each for each in manifest.images if each.id == equal.image)
        return place_of_picture(manifest, image), f"it is the same picture as '{original.image}': delete one of the two"
    if equal.prompt_id != original.prompt_id:
        hint = f"it comes to the same as '{original.prompt_id}': delete one of the two, or let them differ"
        return Place((*arm.prompt.route, "id")), hint
    for name in {**original.variables, **equal.variables}:
        value = equal.variables.get(name)
        if same_value(value, original.variables.get(name)):
            continue
        if name not in arm.names:
            entry = flow({"prompt": arm.prompt.id, name: value})
            return Place((*arm.prompt.route, "id")), f"it does not use '{name}': use it, or exclude such as {entry}"
        return place_of_value(manifest, name, value), f"this value of '{name}' makes no difference there: delete it"
    return _doubled(manifest)


def _doubled(manifest: Manifest) -> tuple[Place, str]:
    """The place of the second of two equal values, such as 1 and 1.0."""
    for axis, values in manifest.matrix.axes.items():
        first: set[str] = set()
        for index, value in enumerate(map(canonical_json, values)):
            if value in first:
                return Place(("matrix", axis, index)), "the value stands twice on the axis: delete one of the two"
            first.add(value)
    return Place(("matrix",), key=True), "a combination stands there twice: delete one of the two"
