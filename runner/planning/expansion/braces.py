"""Values that look like templates: they are put into texts as they are, so their braces would be sent and paid for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from runner.manifest.json_values import items
from runner.model import Json, Manifest, Route, Variables
from runner.planning.plan_diagnostics import Place, PlanDiagnostics

_BEGINNING = re.compile(r"\{[{%#]")


def check_values(manifest: Manifest, constants: Variables, diagnostics: PlanDiagnostics) -> None:
    """Put each `{{`, `{%` and `{#` of a value of the matrix, a picture's variable or a constant in the faults, as E317.

    `constants` are those of the manifest, rendered; one that is as it was written cannot be, which is told.
    """
    rendered = {name: value for name, value in constants.items() if value != manifest.constants[name]}
    for route, value in _values(replace(manifest, constants=rendered)):
        for place, text in _texts(route, value):
            found = _BEGINNING.search(text)
            if found is not None:
                message = f"a value holds {found.group()}, and is no template"
                hint = (
                    "write the template into the prompt; braces as text stand there between {% raw %} and {% endraw %}"
                )
                diagnostics.add("E317", Place(place, found.start(), 2), message, hint, about="")


def _values(manifest: Manifest) -> Iterator[tuple[Route, Json]]:
    yield from ((("vars", name), value) for name, value in manifest.constants.items())
    yield from ((("matrix", name), list(values)) for name, values in manifest.matrix.axes.items())
    for index, include in enumerate(manifest.matrix.include):
        yield ("matrix", "include", index), include
    for image in manifest.images:
        yield from (((*image.route, "vars", name), value) for name, value in image.vars.items())


def _texts(route: Route, value: Json) -> Iterator[tuple[Route, str]]:
    if isinstance(value, str):
        yield route, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _texts((*route, name), each)
    else:
        for index, each in enumerate(items(value)):
            yield from _texts((*route, index), each)
