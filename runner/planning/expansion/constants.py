"""The constants of a manifest, rendered. A constant may use other constants and the manifest's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from runner.model import Json, Manifest
from runner.planning.expansion.arms import Compiler, add_error, errors_in
from runner.planning.expansion.evaluation import Parameter, PlacedTemplateError
from runner.planning.plan_diagnostics import Place, PlanDiagnostics
from runner.planning.templates.template import Template


def with_constants(
    manifest: Manifest, compiler: Compiler, diagnostics: PlanDiagnostics
) -> tuple[Manifest, list[Template]]:
    """The manifest with its constants rendered, and their templates.

    A constant may use the others and `name`. If one fails, or if there is a cycle (E319), the error is added to the
    diagnostics. A constant that fails stays as written, and with a cycle all of them do.
    """
    parameters = {name: compiler.parameter(name, value, ("vars", name)) for name, value in manifest.constants.items()}
    values: dict[str, Json] = dict(manifest.constants)
    needs = {name: [each for each in values if each in one.names] for name, one in parameters.items()}
    for name in _in_order(needs, diagnostics):
        if parameters[name].templates and parameters[name].is_valid:
            _render(parameters[name], manifest.name, values, diagnostics)
    return replace(manifest, constants=values), [each for one in parameters.values() for each in one.templates]


def _in_order(needs: Mapping[str, list[str]], diagnostics: PlanDiagnostics) -> list[str]:
    """The names, each after those that it needs; empty if there is a cycle."""
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        message = f"the constants need each other: {' -> '.join(cycle)}"
        diagnostics.add("E319", Place(("vars", cycle[0])), message, "give one of them a text of its own")
        return []


def _render(parameter: Parameter, name: str, values: dict[str, Json], diagnostics: PlanDiagnostics) -> None:
    context = {"name": name, **{each: value for each, value in values.items() if each != parameter.name}}
    try:
        values[parameter.name] = parameter.evaluate(context)
    except PlacedTemplateError as error:
        for found in errors_in(parameter.evaluate, context, error):
            add_error(found.diagnostic, found.place, "", diagnostics, context)
