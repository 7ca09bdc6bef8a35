"""Checks literal parameters: reports what no model of the manifest accepts, whatever else is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from runner.manifest.json_values import items, mapping
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic
from runner.manifest.schema.wording import diagnose
from runner.model import Json, ModelSchema, Route

# The keywords of a schema that check a combination of parameters, or which parameters there are.
_TOGETHER = {
    *("required", "dependentRequired", "minProperties", "maxProperties", "unevaluatedProperties", "const", "enum"),
    *("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "$ref", "$dynamicRef"),
}
_MARKS = ("{{", "{%", "{#")


def check_parameters(content: Mapping[str, Json], schemas: Collection[ModelSchema], found: ReadingDiagnostics) -> None:
    """Report errors in the parameters of the manifest, its prompts and its models. Values of templates are not checked.

    A value that only some of the models refuse is left to planning: `exclude` may keep it away from these.
    """
    documents = {
        schema.name: {keyword: rule for keyword, rule in schema.document.items() if keyword not in _TOGETHER}
        for schema in schemas
    }
    for route, parameters, model in _sections(content):
        judges = [document for name, document in documents.items() if model in ("", name)]
        by_model = [_diagnostics(document, parameters) for document in judges]
        for name, wrong in by_model[0].items() if by_model else ():
            if all(name in each for each in by_model):
                for each in wrong:
                    found.take(replace(each, route=(*route, *each.route)))


def _sections(content: Mapping[str, Json]) -> Iterator[tuple[Route, Mapping[str, Json], str]]:
    """The sections of parameters: of all models, or of the one that is named."""
    yield ("params",), mapping(content.get("params")), ""
    for index, prompt in enumerate(items(content.get("prompts"))):
        yield ("prompts", index, "params"), mapping(mapping(prompt).get("params")), ""
    for model, settings in mapping(content.get("models")).items():
        yield ("models", model, "params"), mapping(mapping(settings).get("params")), model


def _diagnostics(document: Mapping[str, Json], parameters: Mapping[str, Json]) -> dict[str, list[SchemaDiagnostic]]:
    """The diagnostics of each parameter. A parameter with the value null is left out of the request, so it has none."""
    found: dict[str, list[SchemaDiagnostic]] = {}
    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        wrong = diagnose(document, given)
    except ValueError:
        # A `$ref` leads to a keyword that is left out here. Planning checks the complete schema.
        return found
    for each in wrong:
        name = str(each.route[0]) if each.route else ""
        # The value of a template is not known yet: only the name of its parameter can be wrong.
        if name in given and (each.key or not _has_template(given[name])):
            found.setdefault(name, []).append(each)
    return found


def _has_template(value: Json) -> bool:
    if isinstance(value, str):
        # Rendering removes a line end from the end of a text, so this is not the final value.
        return value.endswith("\n") or any(mark in value for mark in _MARKS)
    return any(map(_has_template, mapping(value).values() if isinstance(value, Mapping) else items(value)))
