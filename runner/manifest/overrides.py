"""Other values for the constants of a manifest, as `--set NAME=VALUE` gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from runner.diagnostics.suggestions import known_here
from runner.diagnostics.text import Text
from runner.errors import Diagnostic, Severity, UsageError
from runner.manifest.yaml.document import Document, parse
from runner.manifest.yaml.doubts import doubts_of
from runner.manifest.yaml.source import Source
from runner.model import Json, Manifest, Variables, same_value

_FLAG = "--set"
# To YAML this is nothing: `colour=#ff0000` sets no colour.
_NOTHING = re.compile(r"\s*(#.*)?", re.DOTALL)


def with_set(manifest: Manifest, texts: Iterable[str]) -> tuple[Manifest, tuple[Diagnostic, ...]]:
    """The manifest with constants from texts `NAME=VALUE`, and warnings about values that YAML reads unexpectedly.

    Raises UsageError for what is no such text or no constant, and ManifestError for a value that is not YAML.
    """
    values: dict[str, Json] = {}
    found: list[Diagnostic] = []
    for text in texts:
        name, sign, written = text.partition("=")
        if not sign or not name:
            raise UsageError(f"{_FLAG} {text!r} sets nothing", f"write NAME=VALUE, such as {_FLAG} season=spring")
        if name in values:
            raise UsageError(f"{_FLAG} gives {name!r} twice", "give it once")
        _check_name(manifest, name)
        document = _read(name, written)
        values[name] = document.value if document else None
        found += _doubts(document) if document else ()
    return with_values(manifest, values), tuple(found)


def with_values(manifest: Manifest, values: Variables) -> Manifest:
    """The manifest with these values for its constants. Diagnostics about them are at `--set NAME`."""
    source = manifest.source
    if isinstance(source, Source):
        attached = dict(source.attached)
        attached.update(
            {("vars", name): _text(name, value) for name, value in values.items() if isinstance(value, str)}
        )
        source = replace(source, attached=attached)
    return replace(manifest, set=values, source=source)


def differing(manifest: Manifest) -> Variables:
    """What is set to another value than the manifest has."""
    own = manifest.constants
    return {name: value for name, value in manifest.set.items() if not same_value(value, own[name])}


def _text(name: str, written: str) -> Text:
    return Text(f"{_FLAG} {name}", written)


def _read(name: str, written: str) -> Document | None:
    nothing = _NOTHING.fullmatch(written)
    if nothing is None:
        return parse(_text(name, written))
    if nothing.group(1):
        hint = f"""put it in quotes for YAML, too: {_FLAG} '{name}="{written.strip()}"'"""
        raise UsageError(f"{_FLAG} {name}={written} sets nothing: in YAML, # begins a comment", hint)
    return None


def _doubts(document: Document) -> Iterable[Diagnostic]:
    source = document.source
    for node, code, doubt in doubts_of(document):
        place = source.place(node)
        yield Diagnostic(code, Severity.WARNING, place, doubt.message, doubt.hint, source.line(place))


def _check_name(manifest: Manifest, name: str) -> None:
    if name in manifest.constants:
        return
    if name in manifest.matrix.axes:
        hint = f"--where {name}=VALUE chooses among its values"
        raise UsageError(f"{_FLAG} cannot set {name!r}: it is an axis of the matrix", hint)
    if any(name in image.vars for image in manifest.images):
        raise UsageError(f"{_FLAG} cannot set {name!r}: it is a variable of pictures", "change it where they have it")
    add = f"give it a value there: vars: {{{name}: ...}}"
    hint = known_here(name, manifest.constants) if manifest.constants else add
    raise UsageError(f"{_FLAG} names {name!r}, which is not under vars", hint)
