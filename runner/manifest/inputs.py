"""The text files that a manifest was read from, with the digests of their texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from runner.manifest.source import Source
from runner.manifest.tables import Table
from runner.manifest.text import Text
from runner.manifest.values import items, mapping
from runner.model import Input, InputKind, Json, Route


def read_inputs(name: str, content: Mapping[str, Json], source: Source) -> tuple[Input, ...]:
    """The manifest under its file name, and each prompt file and table once, in the order of their paths."""
    named = dict.fromkeys(_named(content, source))
    return (_input(InputKind.MANIFEST, name, source.text), *sorted(named, key=lambda each: (each.path, each.kind)))


def _named(content: Mapping[str, Json], source: Source) -> Iterator[Input]:
    for route, file in source.attached.items():
        if isinstance(file, Table):
            yield _input(InputKind.TABLE, _written(content, route, "table"), file.text)
        elif isinstance(file, Text):
            yield _input(InputKind.PROMPT, _written(content, route, "file"), file)


def _written(content: Mapping[str, Json], route: Route, key: str) -> str:
    """The path of a file as the entry at the beginning of the route has it."""
    section, index, *_ = route
    return str(mapping(items(content[str(section)])[int(index)])[key])


def _input(kind: InputKind, path: str, text: Text) -> Input:
    return Input(kind, path, hashlib.sha256(text.text.encode()).hexdigest())
