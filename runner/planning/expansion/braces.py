"""Values that look like templates. They are put into texts unchanged, so their braces would be sent and paid for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from runner.model import Json, Manifest, Route, Variables
from runner.planning.plan_diagnostics import Place, PlanDiagnostics

_BEGINNING = re.compile(r"\{[{%#]")


def check_values(manifest: Manifest, constants: Variables, diagnostics: PlanDiagnostics, *, uses_rows: bool) -> None:
    """Report each `{{`, `{%` and `{#` in a value of the matrix, a picture's variable or a constant (E317).

    `constants` are the rendered constants of the manifest. One that is still as written is not checked: it has no
    template, or it could not be rendered, which is already reported. `uses_rows` says that templates may reach any
    column of a table.
    """
    rendered = {name: value for name, value in constants.items() if value != manifest.constants[name]}
    for route, value in values_of(replace(manifest, constants=rendered), uses_rows=uses_rows):
        for place, text in parts(route, value):
            found = _BEGINNING.search(text) if isinstance(text, str) else None
            if found is not None:
                message = f"a value holds {found.group()}, and is no template"
                hint = (
                    "write the template into the prompt; braces as text stand there between {% raw %} and {% endraw %}"
                )
                diagnostics.add("E317", Place(place, found.start(), 2), message, hint, about="")


def values_of(manifest: Manifest, *, uses_rows: bool = False) -> Iterator[tuple[Route, Json]]:
    """The values of variables, each with its place in the manifest; with `uses_rows` those of all columns, too."""
    yield from ((("vars", name), value) for name, value in manifest.constants.items())
    yield from ((("matrix", name), list(values)) for name, values in manifest.matrix.axes.items())
    for index, include in enumerate(manifest.matrix.include):
        yield ("matrix", "include", index), include
    for image in manifest.images:
        variables = image.known if uses_rows else image.vars
        yield from (((*image.route, "vars", name), value) for name, value in variables.items())


def parts(route: Route, value: Json) -> Iterator[tuple[Route, Json]]:
    """The texts, numbers and other single values in a value, each with its place."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from parts((*route, name), each)
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from parts((*route, index), each)
    else:
        yield route, value
