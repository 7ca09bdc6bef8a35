"""Names that templates can use for variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.diagnostics.words import name
from runner.manifest.json_values import items, mapping
from runner.manifest.schema.schema_diagnostics import SchemaDiagnostic
from runner.model import Json, Route

# Jinja2 reads these as operators, as constants, or as the template itself.
_WORDS = frozenset(
    ("and", "else", "if", "in", "is", "not", "or", "self", "true", "True", "false", "False", "none", "None")
)
# Names that every template has already. A manifest may not set them.
RESERVED = ("image", "prompt", "model", "take", "name", "row")
RULE = "use letters, digits and _, no digit first, and no word of Jinja such as not or in"


def is_variable(word: str) -> bool:
    return word.isidentifier() and word not in _WORDS


def misnamed(manifest: Mapping[str, Json]) -> Iterator[SchemaDiagnostic]:
    """The names that the schema's pattern accepts and Jinja2 does not: they have characters beyond ASCII."""
    matrix = mapping(manifest.get("matrix"))
    sections: dict[Route, Json] = {("vars",): manifest.get("vars"), ("matrix",): matrix}
    for key in ("include", "exclude"):
        sections.update({("matrix", key, index): each for index, each in enumerate(items(matrix.get(key)))})
    for index, image in enumerate(items(manifest.get("images"))):
        sections["images", index, "vars"] = mapping(image).get("vars")
    for route, variables in sections.items():
        for word in mapping(variables):
            if not is_variable(word):
                yield SchemaDiagnostic((*route, word), "E207", f"{name(word)} cannot be a name here", RULE, key=True)
