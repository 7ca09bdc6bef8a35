"""A manifest file to a checked Manifest, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import Diagnostic, ManifestError, Severity
from runner.manifest import settings
from runner.manifest.diagnostics import Diagnostics
from runner.manifest.document import Document, parse
from runner.manifest.images import Fetch, read_images
from runner.manifest.inputs import read_inputs
from runner.manifest.models import read_models
from runner.manifest.nearby import nearby
from runner.manifest.pictures import Rules
from runner.manifest.prompts import read_prompts
from runner.manifest.structure import checked
from runner.manifest.text import Text, problem, read_text
from runner.manifest.values import integer, items, mapping, mappings
from runner.manifest.words import described
from runner.model import Json, Manifest, Route

MAX_BYTES = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Reading:
    """A manifest as far as it could be read.

    The manifest is None when its structure is not sound; it is given, with the images and prompts that are, when only
    pictures and the like have errors. The diagnostics are all problems, by place, and none that follows from another.
    """

    manifest: Manifest | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def has_errors(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.diagnostics)


def load(path: Path, *, fetch: Fetch | None = None) -> Manifest:
    """Read a manifest that has no errors. Raises ManifestError with all diagnostics where it has some."""
    reading = read(path, fetch=fetch)
    if reading.manifest is None or reading.has_errors:
        raise ManifestError(reading.diagnostics)
    return reading.manifest


def read(path: Path, *, fetch: Fetch | None = None) -> Reading:
    """Read and check a manifest, with its pictures, tables, prompt files and schemas.

    `fetch` returns the bytes of a URL, or raises OSError; without it URLs are not looked at.
    """
    try:
        document = parse(_text(path))
        content = _mapping(document)
    except ManifestError as error:
        return Reading(None, error.diagnostics)
    found = Diagnostics(document.source)
    sound = checked(document, content, found)
    manifest = None if sound is None else _manifest(path, sound, found, fetch)
    return Reading(manifest, found.ordered(settings.ignored(content)))


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


def _manifest(path: Path, content: Mapping[str, Json], found: Diagnostics, fetch: Fetch | None) -> Manifest | None:
    full = path.absolute().parent.resolve() / path.name
    named = _models(content["model"])
    schemas = read_models(named, mapping(content.get("models")), full.parent, found)
    models = tuple(model for model, _ in named if model in schemas)
    rules = list(dict.fromkeys(Rules.of(schemas[model]) for model in models))
    images = read_images(mappings(content["images"]), full.parent, rules, found, fetch)
    prompts = read_prompts(mappings(content["prompts"]), full.parent, found)
    if not (models and images and prompts):
        return None
    return Manifest(
        path=full,
        name=str(content.get("name", full.stem)),
        models=models,
        axis_of_models=not isinstance(content["model"], str),
        images=images,
        prompts=prompts,
        constants=mapping(content.get("vars")),
        matrix=settings.matrix(mapping(content.get("matrix"))),
        params=mapping(content.get("params")),
        takes=integer(content.get("takes"), 1),
        budget=settings.budget(mapping(content.get("budget"))),
        run=settings.run(mapping(content.get("run"))),
        output=settings.output(mapping(content.get("output")), full),
        schemas={model: schemas[model] for model in models},
        source=found.source,
        inputs=read_inputs(full.name, content, found.source),
        ignored=settings.ignored(content),
    )


def _models(model: Json) -> list[tuple[str, Route]]:
    if isinstance(model, str):
        return [(model, ("model",))]
    return [(str(each), ("model", index)) for index, each in enumerate(items(model))]
