"""A manifest file to a checked Manifest, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runner.errors import Diagnostic, ManifestError, Severity
from runner.manifest import settings
from runner.manifest.consequences import NOTHING, Consequences, consequences_of
from runner.manifest.diagnostics import Diagnostics
from runner.manifest.document import Document, parse
from runner.manifest.files import folders_of, read_text
from runner.manifest.images import Fetch, read_images
from runner.manifest.inputs import read_inputs
from runner.manifest.models import ANYTHING, read_models
from runner.manifest.nearby import nearby
from runner.manifest.pictures import Rules
from runner.manifest.prompts import read_prompts
from runner.manifest.source import Source
from runner.manifest.structure import Structure, checked
from runner.manifest.text import Text, problem
from runner.manifest.values import integer, items, mapping
from runner.manifest.words import described
from runner.model import Image, Json, Manifest, ModelSchema, Origin, Prompt, Route

MAX_BYTES = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Reading:
    """A manifest as far as it could be read. The diagnostics are all problems, by place, and none that follows.

    The manifest is None only where nothing of the file could be read. Where there are errors it is mended, and good for
    nothing but finding more of them: of what planning then finds, `consequences` tells what may merely follow.
    """

    manifest: Manifest | None
    diagnostics: tuple[Diagnostic, ...]
    consequences: Consequences = NOTHING

    @property
    def has_errors(self) -> bool:
        return any(map(_is_error, self.diagnostics))


def load(path: Path, *, fetch: Fetch | None = None, allow_outside: Sequence[str | Path] = ()) -> Manifest:
    """Read a manifest that has no errors. Raises ManifestError with all that reading finds where it has some."""
    reading = read(path, fetch=fetch, allow_outside=allow_outside)
    if reading.manifest is None or reading.has_errors:
        raise ManifestError(reading.diagnostics)
    return reading.manifest


def read(path: Path, *, fetch: Fetch | None = None, allow_outside: Sequence[str | Path] = ()) -> Reading:
    """Read and check a manifest, with its pictures, tables, prompt files and schemas.

    `fetch` returns the bytes of a URL, or raises OSError; without it URLs are not looked at. Texts lie below the
    manifest's folder or one of `allow_outside`. Raises UsageError where one of these is no folder.
    """
    full = path.absolute().parent.resolve() / path.name
    folders = folders_of(full.parent, allow_outside)
    try:
        document = parse(_text(path))
        content = _mapping(document)
    except ManifestError as error:
        return Reading(None, error.diagnostics)
    found = Diagnostics(document.source, folders)
    structure = checked(document, content, found)
    parts = _parts(full, structure, found, fetch)
    manifest = replace(_manifest(parts, structure, found.source), folders=folders)
    problems = found.ordered(manifest.ignored)
    if not any(map(_is_error, problems)):
        return Reading(manifest, problems)
    _note_stand_ins(parts, manifest, structure)
    return Reading(manifest, problems, consequences_of(problems, manifest, found.source, structure.loss, parts.unknown))


def _is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity is Severity.ERROR


def _text(path: Path) -> Text:
    file = str(path)
    nowhere = Text(file, "")
    try:
        return read_text(path, file, MAX_BYTES)
    except FileNotFoundError:
        hint = nearby(path, file)
        raise problem("E101", nowhere, nowhere.at(0), "there is no such file", hint) from None
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise problem("E101", nowhere, nowhere.at(0), message, "give the path of a manifest") from None


def _mapping(document: Document) -> Mapping[str, Json]:
    value, source = document.value, document.source
    if isinstance(value, Mapping):
        return value
    for fault in document.faults:
        raise problem(fault.code, source.text, source.place(fault.node), fault.message, fault.hint)
    message = f"the manifest is {described(value)}; it must be a mapping"
    hint = "it begins with version: 1; reelrun init writes one to start from"
    raise problem("E204", source.text, source.position(()), message, hint)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a manifest names. There is at least one of each; `unknown` tells of which there may be more."""

    path: Path
    schemas: Mapping[str, ModelSchema]
    images: tuple[Image, ...]
    prompts: tuple[Prompt, ...]
    unknown: frozenset[str]


def _parts(full: Path, structure: Structure, found: Diagnostics, fetch: Fetch | None) -> _Parts:
    content = structure.content
    named = _models(content.get("model"))
    schemas = read_models(named, mapping(content.get("models")), full.parent, found, structure.loss.keys)
    sound = [schema for schema in schemas.values() if schema.document is not ANYTHING]
    rules = list(dict.fromkeys(map(Rules.of, sound))) or [Rules()]
    images = read_images(items(content.get("images")), full.parent, rules, found, fetch)
    prompts = read_prompts(items(content.get("prompts")), full.parent, found)
    whole = {
        "image": images.are_all and bool(images.all),
        "prompt": prompts.are_all and bool(prompts.all),
        "model": bool(schemas) and None not in items(content.get("model")),
    }
    return _Parts(
        path=full,
        schemas=schemas or {"model": ModelSchema("model", ANYTHING)},
        images=images.all or (_image(content),),
        prompts=prompts.all or (Prompt("prompt", "", {}, ("prompts",)),),
        unknown=frozenset(each for each, is_whole in whole.items() if not is_whole),
    )


def _image(content: Mapping[str, Json]) -> Image:
    """Stands for the pictures where none is known, with the variables that are."""
    own = (mapping(mapping(entry).get("vars")) for entry in items(content.get("images")))
    variables = {name: value for each in own for name, value in each.items()}
    return Image("image", Origin.URL, "", "sha256:", variables, ("images",))


def _manifest(parts: _Parts, structure: Structure, source: Source) -> Manifest:
    content, full = structure.content, parts.path
    matrix = settings.matrix(mapping(content.get("matrix")))
    constants = mapping(content.get("vars"))
    defined = {*constants, *matrix.axes, *(name for entry in matrix.include for name in entry)}
    lost = structure.loss.undefined(defined)
    return Manifest(
        path=full,
        name=str(content.get("name", full.stem)),
        models=tuple(parts.schemas),
        axis_of_models=not isinstance(content.get("model"), str),
        # The names of pictures' variables may be those of lost ones; nothing else can hold these.
        images=tuple(replace(each, vars={**lost, **each.vars}) for each in parts.images) if lost else parts.images,
        prompts=parts.prompts,
        constants=constants,
        matrix=matrix,
        params=mapping(content.get("params")),
        takes=integer(content.get("takes"), 1),
        budget=settings.budget(mapping(content.get("budget"))),
        run=settings.run(mapping(content.get("run"))),
        output=settings.output(mapping(content.get("output")), full),
        schemas=parts.schemas,
        source=source,
        inputs=read_inputs(full.name, content, source),
        ignored=settings.ignored(content),
    )


def _note_stand_ins(parts: _Parts, manifest: Manifest, structure: Structure) -> None:
    """What may follow from stand-ins for all pictures, or for schemas."""
    entries = items(structure.content.get("images"))
    if parts.images[0].route == ("images",) and not (entries and all("glob" in mapping(each) for each in entries)):
        structure.loss.codes.add("E311")
    has_stand_in = any(schema.document is ANYTHING for schema in parts.schemas.values())
    if has_stand_in and manifest.budget.price_per_second is not None:
        structure.loss.codes.add("E701")


def _models(model: Json) -> list[tuple[str, Route]]:
    if isinstance(model, str):
        return [(model, ("model",))]
    return [(each, ("model", index)) for index, each in enumerate(items(model)) if isinstance(each, str)]
