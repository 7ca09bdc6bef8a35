"""The names of published clips: what a template makes of each pick, safe, and no two alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from runner.diagnostics.words import joined
from runner.errors import ManifestError, UsageError
from runner.model import NO_IMAGE, JobRecord, Manifest, folded
from runner.planning.expansion.arms import Compiler
from runner.planning.expansion.cells import context_of
from runner.planning.expansion.constants import with_constants
from runner.planning.expansion.paths import safe_path, unsafe_text
from runner.planning.plan_diagnostics import PlanDiagnostics
from runner.planning.templates.template import Template, Templates
from runner.planning.templates.template_errors import InvalidTemplateError

Namer = Callable[[JobRecord], str]


def namer(manifest: Manifest, template: str | None) -> Namer:
    """What names a clip, without its extension: its key, or what the template makes of its variables.

    Raises UsageError for a template that is wrong.
    """
    if template is None:
        return lambda record: safe_path(record.key)
    wrong = unsafe_text(template)
    if wrong is not None:
        raise UsageError(f"--name {template} is not allowed: {wrong}", "for example: '{{ image.id }}-{{ take }}'")
    templates = Templates(manifest.folders)
    try:
        compiled = templates.compile(template)
    except InvalidTemplateError as error:
        raise _wrong(template, error) from None
    made, images = _with_constants(manifest, templates), {image.id: image for image in manifest.images}

    def name(record: JobRecord) -> str:
        image = images.get(record.image, NO_IMAGE)
        context = {**context_of(made, image, record.prompt_id, record.model), **record.variables, "take": record.take}
        with templates.watch.kept():
            return safe_path(_rendered(compiled, context, template))

    return name


def _rendered(compiled: Template, context: dict[str, object], template: str) -> str:
    try:
        return compiled.render(context)
    except InvalidTemplateError as error:
        raise _wrong(template, error) from None


def _wrong(template: str, error: InvalidTemplateError) -> UsageError:
    return UsageError(f"--name {template}: {error.diagnostic.message}", error.diagnostic.hint)


def _with_constants(manifest: Manifest, templates: Templates) -> Manifest:
    diagnostics = PlanDiagnostics(manifest)
    whole = replace(manifest, constants={**manifest.constants, **manifest.set})
    made, _ = with_constants(whole, Compiler(templates, diagnostics), diagnostics)
    if diagnostics.has_errors:
        raise ManifestError(diagnostics.ordered(None))
    return made


def check_distinct(paths: Iterable[tuple[str, str]]) -> None:
    """Raise UsageError where two clips, each given by its path and key, would have one name, on any file system."""
    holders: dict[str, list[tuple[str, str]]] = {}
    for path, key in paths:
        holders.setdefault(folded(path), []).append((path, key))
    for same in holders.values():
        if len(same) > 1:
            keys = joined((key for _, key in same), "and", limit=4)
            hint = "let --name tell them apart, for example with {{ take }}; or pick one of them"
            raise UsageError(f"{len(same)} clips would have the name {same[0][0]}: {keys}", hint)
