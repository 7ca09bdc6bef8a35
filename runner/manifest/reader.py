"""Reads a manifest file to a checked Manifest, or finds everything that is wrong with it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.diagnostics.diagnostic_limit import TooManyErrorsError
from runner.diagnostics.suggestions import nearby
from runner.diagnostics.text import Text, file_error
from runner.errors import Diagnostic, ManifestError, Severity, Stage, UsageError
from runner.manifest import settings
from runner.manifest.axes import AxisFile, with_values
from runner.manifest.dictionaries import stem_of, yaml_of
from runner.manifest.files import check_key, folders_of, read_text
from runner.manifest.json_values import integer, items, mapping
from runner.manifest.parameters import check_parameters
from runner.manifest.pictures.entries import Candidate, candidates
from runner.manifest.pictures.images import Fetch, read_images
from runner.manifest.pictures.inspection import Rules
from runner.manifest.prompts import for_pictures, read_prompts
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.manifest.schema.model_schemas import Schemas, read_models
from runner.manifest.structure import checked, schema
from runner.manifest.tables.image_table import Table
from runner.manifest.yaml.defaults import KEY as DEFAULTS
from runner.manifest.yaml.defaults import with_defaults
from runner.manifest.yaml.document import Document, parse
from runner.manifest.yaml.source import Source
from runner.media import first_picture
from runner.model import Image, Input, InputKind, Json, Manifest, Matrix, Prompt, Route

MAX_BYTES = 20 * 2**20
# Where a diagnostic of a manifest is that is no file.
_NOWHERE = "<manifest>"
# A file without one of these keys is some other file, and nobody asked for its lines.
_MANIFEST = re.compile(r"^[\s\"'{]*(?:version|name|model|images|prompts|vars|matrix|params)[\"']?\s*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A manifest, None if it has errors. `checked` is the last stage checked, `diagnostics` are all of that stage."""

    manifest: Manifest | None
    diagnostics: tuple[Diagnostic, ...]
    checked: Stage

    def valid(self) -> Manifest:
        """The manifest. Raises ManifestError with all diagnostics if it has errors."""
        if self.manifest is None:
            raise ManifestError(self.diagnostics, self.checked)
        return self.manifest


def load(path: Path, *, fetch: Fetch | None = None, allow_outside: Sequence[str | Path] = ()) -> Manifest:
    """Read a manifest. Raises ManifestError with all diagnostics if it has errors."""
    return read(path, fetch=fetch, allow_outside=allow_outside).valid()


def read(path: Path, *, fetch: Fetch | None = None, allow_outside: Sequence[str | Path] = ()) -> Reading:
    """Read and check a manifest, with its pictures, tables, prompt files and schemas.

    `fetch` returns the bytes of a URL, or raises OSError; without it pictures at URLs are not inspected. Text files
    must lie below the manifest's folder or one of `allow_outside`. Raises UsageError if one of these is not a folder.
    """
    full = path.absolute().parent.resolve() / path.name
    return _read(lambda: _text(path), full, fetch, allow_outside)


def read_dictionary(
    content: Mapping[str, object], base: Path, *, fetch: Fetch | None = None, allow_outside: Sequence[str | Path] = ()
) -> Reading:
    """Check a manifest that is no file, as if it lay in the folder `base` under its name.

    Diagnostics show its lines as YAML. Raises UsageError for what a manifest cannot hold, and as `read` does.
    """
    if not base.is_dir():
        raise UsageError(f"base_dir is {base}, and there is no such folder", "name the folder of the pictures")
    text = Text(_NOWHERE, yaml_of(content))

    def checked_text() -> Text:
        check_key(text)
        return text

    reading = _read(checked_text, base.resolve() / stem_of(content), fetch, allow_outside)
    return replace(reading, manifest=reading.manifest and replace(reading.manifest, is_file=False))


def _read(text: Callable[[], Text], full: Path, fetch: Fetch | None, allow_outside: Sequence[str | Path]) -> Reading:
    folders = folders_of(full.parent, allow_outside)
    try:
        document = _document(text(), full, folders)
    except ManifestError as error:
        return Reading(None, error.diagnostics, Stage.YAML)
    found = ReadingDiagnostics(document.source, folders)
    try:
        manifest = _checked(document, full, found, fetch)
    except TooManyErrorsError:
        manifest = None
    return Reading(manifest, found.ordered(settings.ignored(mapping(document.value))), Stage.STRUCTURE)


def _document(text: Text, full: Path, folders: Sequence[Path]) -> Document:
    """The document, merged with its defaults. Raises ManifestError if one of the two cannot be read."""
    document = parse(text)
    found = ReadingDiagnostics(document.source, folders)
    whole = with_defaults(document, full.parent, schema(), found)
    if found.has_errors:
        raise ManifestError(found.found)
    return whole


@dataclass(frozen=True, slots=True)
class NamedPictures:
    """The pictures that a manifest names, whatever they are; the models' rules for them; errors in the naming.

    `base` is the resolved folder of the manifest.
    """

    candidates: tuple[Candidate, ...]
    rules: tuple[Rules, ...]
    source: Source
    base: Path
    errors: tuple[Diagnostic, ...]


def named_pictures(path: Path, *, allow_outside: Sequence[str | Path] = ()) -> NamedPictures:
    """Read as much of a manifest as names pictures. Raises ManifestError if it is no YAML."""
    full = path.absolute().parent.resolve() / path.name
    folders = folders_of(full.parent, allow_outside)
    document = _document(_text(path), full, folders)
    found = ReadingDiagnostics(document.source, folders)
    known: list[Candidate] = []
    rules: list[Rules] = []
    try:
        content = checked(document, found)
        models = content.get("models", {})
        rules = _rules(read_models(_models(content.get("model")), models, full.parent, found), models)
        for index, entry in enumerate(items(content.get("images"))):
            known += candidates(entry, ("images", index), full.parent, found)
    except TooManyErrorsError:
        known = []
    errors = (each for each in found.ordered() if each.severity is Severity.ERROR)
    return NamedPictures(tuple(known), tuple(rules or [Rules()]), document.source, full.parent, tuple(errors))


def _rules(schemas: Schemas, models: Json) -> list[Rules]:
    """What the models that get the pictures demand of them."""
    own = mapping(models)
    pictured = [first_picture(schema) for model, schema in schemas.items() if "images" not in mapping(own.get(model))]
    return list(dict.fromkeys(Rules.of(each) for each in pictured if each is not None)) or [Rules()]


def _checked(document: Document, full: Path, found: ReadingDiagnostics, fetch: Fetch | None) -> Manifest | None:
    """The manifest of a document; None if it has errors. Raises TooManyErrorsError if it has too many."""
    content = checked(document, found)
    schemas = read_models(_models(content.get("model")), content.get("models", {}), full.parent, found)
    errors = found.counts[Severity.ERROR]
    images = read_images(
        items(content.get("images")), full.parent, _rules(schemas, content.get("models")), found, fetch
    )
    has_all = found.counts[Severity.ERROR] == errors
    entries = items(content.get("prompts"))
    prompts = read_prompts(entries, full.parent, found)
    if has_all:
        prompts = for_pictures(prompts, entries, images, found)
    matrix = with_values(content.get("matrix"), full.parent, found)
    check_parameters(content, schemas.values(), found)
    if found.has_errors:
        return None
    return _manifest(full, content, settings.matrix(matrix), schemas, images, prompts, found)


def _text(path: Path) -> Text:
    file = str(path)
    nowhere = Text(file, "")
    try:
        is_inside = path.resolve().is_relative_to(path.parent.resolve())
        return read_text(path, file, MAX_BYTES, lambda text: is_inside and _MANIFEST.search(text) is not None)
    except FileNotFoundError:
        hint = nearby(path, file)
        raise file_error("E101", nowhere, nowhere.at(0), "there is no such file", hint) from None
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise file_error("E101", nowhere, nowhere.at(0), message, "give the path of a manifest") from None


def _models(model: Json) -> list[tuple[str, Route]]:
    if isinstance(model, str):
        return [(model, ("model",))]
    return [(each, ("model", index)) for index, each in enumerate(items(model)) if isinstance(each, str)]


def _manifest(
    full: Path,
    content: Mapping[str, Json],
    matrix: Matrix,
    schemas: Schemas,
    images: tuple[Image, ...],
    prompts: tuple[Prompt, ...],
    found: ReadingDiagnostics,
) -> Manifest:
    return Manifest(
        path=full,
        name=str(content.get("name", full.stem)),
        models=tuple(schemas),
        axis_of_models=not isinstance(content.get("model"), str),
        images=images,
        prompts=prompts,
        constants=mapping(content.get("vars")),
        matrix=matrix,
        params=mapping(content.get("params")),
        takes=integer(content.get("takes"), 1),
        budget=settings.with_prices(
            settings.budget(mapping(content.get("budget")), lambda key: found.source.written(("budget", key))),
            mapping(content.get("models")),
            lambda model, key: found.source.written(("models", model, key)),
        ),
        run=settings.run(mapping(content.get("run"))),
        output=settings.output(mapping(content.get("output")), full),
        schemas=schemas,
        source=found.source,
        inputs=_inputs(full.name, content, found.source),
        ignored=settings.ignored(content),
        folders=tuple(found.folders),
        settings=settings.models(mapping(content.get("models"))),
        video=mapping(content.get("video")),
        uploads=settings.uploads(content.get("uploads")),
        thresholds=settings.thresholds(mapping(content.get("measures"))),
        review=settings.review(mapping(content.get("review"))),
        most_retakes=settings.most_retakes(mapping(content.get("retake"))),
    )


def _inputs(name: str, content: Mapping[str, Json], source: Source) -> tuple[Input, ...]:
    """The manifest under its file name, then each other text file once, sorted by path."""
    named = dict.fromkeys(_named(content, source))
    return (_input(InputKind.MANIFEST, name, source.text), *sorted(named, key=lambda each: (each.path, each.kind)))


def _named(content: Mapping[str, Json], source: Source) -> Iterator[Input]:
    for route, file in source.attached.items():
        if isinstance(file, Table):
            yield _input(InputKind.TABLE, _written(content, route, "table"), file.text)
        elif isinstance(file, AxisFile):
            yield _input(InputKind.AXIS, _written(content, route, "file"), file.text)
        elif isinstance(file, Text):
            yield _input(InputKind.PROMPT, _written(content, route, "file"), file)
    if source.defaults is not None:
        yield _input(InputKind.DEFAULTS, str(content[DEFAULTS]), source.defaults.text)


def _written(content: Mapping[str, Json], route: Route, key: str) -> str:
    """The path of a file as the manifest spells it, in the entry that the route begins with."""
    section, place, *_ = route
    entries = content[str(section)]
    entry = mapping(entries)[place] if isinstance(place, str) else items(entries)[place]
    return str(mapping(entry)[key])


def _input(kind: InputKind, path: str, text: Text) -> Input:
    return Input(kind, path, hashlib.sha256(text.text.encode()).hexdigest())
