"""Gaps in texts where a variable is empty: a doubled blank, comma or word, or brackets around nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from runner.diagnostics.words import literal, name
from runner.model import NO_IMAGE, Image, Job, Manifest
from runner.planning.expansion.arms import Arms
from runner.planning.expansion.cells import context_of
from runner.planning.expansion.evaluation import Parameter, PlacedTemplateError
from runner.planning.plan_diagnostics import Place, PlanWarning

# Only this many texts are rendered once more, so that time does not grow with the sweep. All pictures have the same
# arms, so the first texts are enough to find the mistake.
_COMPARED = 1000
# Letters that no text uses (https://www.unicode.org/faq/private_use.html): each stands for an empty variable.
_FIRST_MARK, _MOST_MARKS = 0xE000, 256
_MARKS = re.compile("[\ue000-\ue0ff]")
# So many characters on each side are looked at, and shown.
_LOOKED_AT, _SHOWN = 200, 20
_STOPS = ",;.:!?"
_AROUND = {"(": ")", "[": "]", '"': '"', "'": "'", "“": "”", "„": "“", "«": "»"}
_LAST_WORD = re.compile(r"(\w+)\s*$")
_FIRST_WORD = re.compile(r"\s*(\w+)")


class Gaps:
    """Renders texts with an empty variable once more, with a mark in its place, to see what is around it."""

    def __init__(self, manifest: Manifest, arms: Arms) -> None:
        self._manifest = manifest
        self._arms = arms
        self._images = {image.id: image for image in (*manifest.images, NO_IMAGE)}
        constants = _empty(manifest.constants)
        # The empty variables of each picture, and those of the matrix that have an empty value.
        self._of_images = {image.id: constants | _empty_of(image) for image in (*manifest.images, NO_IMAGE)}
        axes = ({axis: value} for axis, values in manifest.matrix.axes.items() for value in values)
        self._of_matrix = frozenset().union(*map(_empty, (*manifest.matrix.include, *axes)))
        self._found: dict[tuple[str, str, str], PlanWarning] = {}
        self._compared = 0

    def see(self, job: Job) -> None:
        """Look at the texts of a job."""
        empty = self._of_images[job.image]
        if self._of_matrix:
            empty |= _empty(job.variables)
        arm = self._arms[job.prompt_id, job.model]
        if not empty or self._compared >= _COMPARED or empty.isdisjoint(arm.names):
            return
        for parameter in arm.parameters:
            text, names = job.payload.get(parameter.name), sorted(empty & parameter.names)
            if isinstance(text, str) and names:
                self._compare(job, parameter, text, names)

    def warnings(self) -> Iterator[PlanWarning]:
        """A warning for each parameter of an arm and each variable that leaves a gap in it (W344)."""
        return iter(self._found.values())

    def _compare(self, job: Job, parameter: Parameter, text: str, names: list[str]) -> None:
        self._compared += 1
        context = context_of(self._manifest, self._images[job.image], job.prompt_id, job.model)
        context, variables = _with_marks({**context, **job.variables, "take": job.take}, names)
        try:
            marked = parameter.evaluate(context)
        except PlacedTemplateError:
            return
        # Else a condition asks whether the variable is empty, and the text around it is another.
        if not isinstance(marked, str) or _MARKS.sub("", marked) != text:
            return
        found: dict[str, str] = {}
        for mark in _MARKS.finditer(marked):
            start, end = mark.span()
            around = marked[max(start - _LOOKED_AT, 0) : start], marked[end : end + _LOOKED_AT]
            left, right = (_MARKS.sub("", part) for part in around)
            if what := _gap(left, right):
                told = f"{what}: {literal(left[-_SHOWN:] + right[:_SHOWN])}"
                found.setdefault(variables[ord(mark.group()) - _FIRST_MARK], told)
        for variable, told in found.items():
            self._count(job, parameter, variable, told)

    def _count(self, job: Job, parameter: Parameter, variable: str, told: str) -> None:
        index = (job.prompt_id, parameter.name, variable)
        if index not in self._found:
            message = f"{name(variable)} is empty, which leaves {told}"
            hint = f"fill it in, or put the words that need it into {{% if {variable} %}} ... {{% endif %}}"
            place = _place(parameter, variable)
            self._found[index] = PlanWarning("W344", place, message, hint, first=job.key)
        self._found[index].cells += 1


def _empty(variables: Mapping[str, object]) -> frozenset[str]:
    return frozenset(each for each, value in variables.items() if isinstance(value, str) and not value.strip())


def _empty_of(image: Image) -> frozenset[str]:
    return _empty(image.vars) | (frozenset(["row"]) if _empty(image.row or {}) else frozenset())


def _with_marks(context: dict[str, object], names: Sequence[str]) -> tuple[dict[str, object], list[str]]:
    """The context with a mark in each empty variable, and the variables in the order of their marks."""
    found: list[str] = []

    def marked(variable: str, value: object) -> object:
        if len(found) == _MOST_MARKS or not isinstance(value, str) or value.strip():
            return value
        found.append(variable)
        return f"{chr(_FIRST_MARK + len(found) - 1)}{value}"

    for each in names:
        value = context[each]
        if isinstance(value, Mapping):
            context[each] = {column: marked(f"{each}['{column}']", cell) for column, cell in value.items()}
        else:
            context[each] = marked(each, value)
    return context, found


def _place(parameter: Parameter, variable: str) -> Place:
    written = re.escape(variable).replace("'", """['"]""")
    for template in parameter.templates:
        found = re.search(rf"\{{\{{-?\s*({written})(?!\w)", template.text)
        if found is not None and len(parameter.templates) == 1:
            return Place(parameter.place.route, found.start(1), len(variable))
    return parameter.place


def _gap(left: str, right: str) -> str:
    """What nothing leaves between two parts of a text; empty if it leaves no trace."""
    before, after = left.rstrip(" \t"), right.lstrip(" \t")
    is_first, is_last = not before or before.endswith("\n"), not after or after.startswith("\n")
    if is_first and is_last:
        # A line of its own, or a text that is wholly empty.
        return ""
    if before[-1:] in _AROUND and _AROUND[before[-1:]] == after[:1]:
        return "nothing between brackets or quotes"
    if before[-1:] in tuple(",;") and (after[:1] in tuple(_STOPS) or is_last):
        return "a doubled comma" if after[:1] in tuple(",;") else "a comma too many"
    if left != before and (right != after or is_last):
        return "a blank at the end" if is_last else "a blank at the start" if is_first else "a doubled blank"
    if is_first and after[:1] in tuple(_STOPS):
        return "a comma or full stop at the start"
    if is_first and right != after:
        return "a blank at the start"
    if left != before and after[:1] in tuple(_STOPS):
        return "a blank before a comma or full stop"
    return "a doubled word" if _is_word_doubled(left, right) else ""


def _is_word_doubled(left: str, right: str) -> bool:
    last, first = _LAST_WORD.search(left), _FIRST_WORD.match(right)
    has_blank = left[-1:].isspace() or right[:1].isspace()
    return bool(has_blank and last and first and last.group(1).lower() == first.group(1).lower())
