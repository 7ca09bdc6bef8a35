"""Hints that tell how to write a value of the wrong type so that it has the right type."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runner.diagnostics.words import flow, joined, literal, shortened
from runner.manifest.schema.expectations import Schema, Terms, allowed, example, resolved, types
from runner.manifest.yaml.pitfalls import number_for
from runner.model import Json

_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\s*")


def conversion(value: Json, schema: Schema, root: Schema, terms: Terms, written: str | None) -> str:
    """The hint for a value of the wrong type. `written` is the plain scalar as the manifest spells it, if known."""
    kinds = set(types(schema)) or {_kind(each) for each in allowed(schema)}
    if isinstance(value, bool):
        fits = "string" in kinds and (not allowed(schema) or written in allowed(schema))
        return _from_truth(value, written) if fits else ""
    if isinstance(value, (int, float)) and "string" in kinds:
        text = _as_text(value, schema, written)
        is_one = not allowed(schema) or text in allowed(schema)
        return terms.text.format(literal(text) if is_one else joined(map(literal, allowed(schema)), limit=6))
    if isinstance(value, str) and {"number", "integer"} & kinds:
        return _from_text(value, terms, written, whole="number" not in kinds)
    if value is None:
        return "write a value after it, or delete the key"
    if "string" in kinds and isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return terms.text.format(literal(", ".join(value)))
    form = _shaped(value, schema, root)
    if form is None:
        form = example(schema)
    return f"write {shortened(flow(form), 120)}" if isinstance(form, (Mapping, list)) and form else ""


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "integer" if isinstance(value, int) else "number"


def _from_truth(value: bool, written: str | None) -> str:
    truth = literal(value)
    if written is None:
        return "YAML reads yes, no, on and off as true or false: put the word in quotes"
    if written.lower() == truth:
        return f'for the word, write "{written}", with quotes'
    return f'YAML reads {written} as {truth}: write "{written}", with quotes'


def _as_text(value: float, schema: Schema, written: str | None) -> str:
    """The text that was probably meant: one that the schema lists, else the number as the manifest spells it."""
    plain = str(int(value)) if float(value).is_integer() else str(value)
    return plain if plain in allowed(schema) else written or plain


def _from_text(value: str, terms: Terms, written: str | None, whole: bool) -> str:
    if "{{" in value:
        return "a template is not expanded here: write the number"
    if not _NUMBER.fullmatch(value):
        return ""
    number = number_for(value.strip())
    if whole:
        number = number.removesuffix(".0")
    return terms.number.format(number) if written is None else f"YAML reads {written} as text: write {number}"


def _shaped(value: Json, schema: Schema, root: Schema) -> Json:
    """The value put into the list or the mapping that the schema expects; None if it fits into neither."""
    kinds = types(schema)
    if "array" in kinds and not isinstance(value, list):
        items = resolved(schema.get("items", {}), root)
        inner = _shaped(value, items, root) if types(items) == ("object",) and not isinstance(value, Mapping) else value
        return None if inner is None else [inner]
    meant = schema.get("x-text-as")
    shape = example(schema)
    if isinstance(value, str) and isinstance(meant, str) and isinstance(shape, Mapping):
        return {**shape, meant: value}
    return None
