"""Merges a manifest with the file that its key `defaults` names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runner.diagnostics.text import file_error
from runner.diagnostics.words import described, name
from runner.manifest.files import read_below
from runner.manifest.json_values import mapping
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.schema.expectations import Schema
from runner.manifest.schema.walk import with_paths_from, without_extensions
from runner.manifest.yaml.document import Document, parse
from runner.manifest.yaml.source import Source
from runner.model import Json

KEY = "defaults"
_MAX_BYTES = 2**20


def with_defaults(document: Document, base: Path, schema: Schema, found: ReadingDiagnostics) -> Document:
    """The document merged with its defaults. What keeps them from being read is reported."""
    written = mapping(document.value).get(KEY)
    if not isinstance(written, str):
        return document
    with found.reading((KEY,), f"the defaults {name(written)}"):
        document = _whole(document, parse(read_below(base / written, found.folders, written, _MAX_BYTES)), schema)
    return document  # noqa: RET504  # it is as it was if the defaults cannot be read


def _whole(document: Document, defaults: Document, schema: Schema) -> Document:
    _check(defaults.source, defaults.value)
    folder = os.path.dirname(str(mapping(document.value)[KEY]))
    value = with_paths_from(folder, without_extensions(defaults.value, schema), schema)
    source = replace(document.source, defaults=defaults.source)
    return replace(document, source=source, value=_merged(value, document.value), defaults=defaults)


def _check(source: Source, value: Json) -> None:
    """Raise ManifestError (E510) if this file holds no defaults."""
    if not isinstance(value, Mapping):
        message = f"the file is {described(value)}; defaults are a mapping"
        raise file_error("E510", source.text, source.position(()), message, "write keys of a manifest, such as params:")
    for key, why in (("version", "it stands in the manifest alone"), (KEY, "defaults have no defaults")):
        if key in value:
            place = source.position((key,), key=True)
            raise file_error("E510", source.text, place, f"defaults may not have {name(key)}: {why}", "delete the line")


def _merged(defaults: Json, own: Json) -> Json:
    """Mappings with the keys of both; anything else is as the manifest has it."""
    if not isinstance(defaults, Mapping) or not isinstance(own, Mapping):
        return own
    both = {key: _merged(defaults[key], each) if key in defaults else each for key, each in own.items()}
    return {**defaults, **both}
