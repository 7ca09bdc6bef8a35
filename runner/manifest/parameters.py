"""Parameters that are written out: what no model of the manifest would take, whatever else is sent with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from runner.manifest.json_values import items, mapping
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic
from runner.manifest.schema.wording import diagnose
from runner.model import Json, ModelSchema, Route

# The keywords of a schema that judge parameters together, or which there are.
_TOGETHER = {
    *("required", "dependentRequired", "minProperties", "maxProperties", "unevaluatedProperties", "const", "enum"),
    *("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "$ref", "$dynamicRef"),
}
_MARKS = ("{{", "{%", "{#")


def check_parameters(content: Mapping[str, Json], schemas: Collection[ModelSchema], found: ReadingDiagnostics) -> None:
    """Report what is wrong with the parameters of the manifest and of its arms, but for the values of templates.

    What one model takes and another does not is left to planning: `exclude` may keep them apart.
    """
    documents = [
        {keyword: rule for keyword, rule in schema.document.items() if keyword not in _TOGETHER} for schema in schemas
    ]
    for route, parameters in _sections(content) if documents else ():
        told = [_problems(document, parameters) for document in documents]
        for name, wrong in told[0].items():
            if all(name in each for each in told):
                for each in wrong:
                    found.take(replace(each, route=(*route, *each.route)))


def _sections(content: Mapping[str, Json]) -> Iterator[tuple[Route, Mapping[str, Json]]]:
    yield ("params",), mapping(content.get("params"))
    for index, prompt in enumerate(items(content.get("prompts"))):
        yield ("prompts", index, "params"), mapping(mapping(prompt).get("params"))


def _problems(document: Mapping[str, Json], parameters: Mapping[str, Json]) -> dict[str, list[SchemaDiagnostic]]:
    """The problems of each parameter. Nothing is said of one that is none, which leaves it out."""
    found: dict[str, list[SchemaDiagnostic]] = {}
    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        wrong = diagnose(document, given)
    except ValueError:
        # A `$ref` leads to what is left out here. Planning looks at the whole.
        return found
    for each in wrong:
        name = str(each.route[0]) if each.route else ""
        # Of a template only its name is known.
        if name in given and (each.key or not _has_template(given[name])):
            found.setdefault(name, []).append(each)
    return found


def _has_template(value: Json) -> bool:
    if isinstance(value, str):
        # Templates take a line end from the end of a text.
        return value.endswith("\n") or any(mark in value for mark in _MARKS)
    return any(map(_has_template, mapping(value).values() if isinstance(value, Mapping) else items(value)))
