"""Which files of a plan have to be put where the service can read them, as a model takes addresses only."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path

from runner.manifest.pictures.media_files import sendable
from runner.media import Encoding, Medium, media_of, parameters_of
from runner.model import Action, Image, Manifest, ModelSchema, Origin, Planned, Uploads, Variables
from runner.planning.plan_diagnostics import Place, PlanDiagnostics, PlanWarning
from runner.video.file_types import type_of, type_of_file


def needs_address(medium: Medium, uploads: Uploads | None) -> bool:
    """Whether a file of a request is sent as an address."""
    if not medium.is_file:
        return False
    is_wanted = uploads is not None and uploads.is_always and Encoding.URL in medium.parameter.encodings
    return is_wanted or sendable(medium.parameter) is None


def addressed(payload: Variables, schema: ModelSchema, uploads: Uploads | None) -> list[str]:
    """The references of the files that a request sends as addresses, each once."""
    media = media_of(payload, parameters_of(schema))
    return list(dict.fromkeys(each.text for each in media if needs_address(each, uploads)))


def check_uploads(
    manifest: Manifest, references: Iterable[str], files: Mapping[str, Image], diagnostics: PlanDiagnostics
) -> None:
    """Report files that the store of the service does not take (E418), and uploads that nobody agreed to (W421)."""
    needed = [files[each] for each in references if each in files]
    place = Place(("model",))
    for image in needed:
        if _type_of(image) is None:
            message = f"{image.written or image.id} would have to be uploaded, and the store takes no such file"
            hint = "save it as JPEG or PNG, or give its address"
            diagnostics.add("E418", place, message, hint, about=image.reference)
    if manifest.uploads is None and needed:
        number = "1 file" if len(needed) == 1 else f"{len(needed):,} files"
        first = needed[0].written or needed[0].id
        message = f"{number} would be put where everybody with the address can read: {first}"
        hint = "write uploads: {to: service}, or give addresses; run --allow-uploads agrees for one run"
        diagnostics.warn(PlanWarning("W421", place, message, hint))


def _type_of(image: Image) -> str | None:
    try:
        if image.origin is Origin.INLINE:
            return type_of(base64.b64decode(image.location[:32]))
        return type_of_file(Path(image.location))
    except OSError:
        # It was there a moment ago: the run tells of it.
        return "jpeg"


class NeededUploads:
    """Collects the files that the submissions of a plan need as addresses."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self.references: dict[str, None] = {}
        # Most models take files within the request: their jobs need not be looked at.
        self._models = {
            model
            for model, schema in manifest.schemas.items()
            if manifest.uploads is not None or any(sendable(each) is None for each in parameters_of(schema))
        }

    def see(self, planned: Planned) -> None:
        if planned.action is Action.SUBMIT and planned.job.model in self._models:
            schema = self._manifest.schemas[planned.job.model]
            self.references.update(dict.fromkeys(addressed(planned.job.payload, schema, self._manifest.uploads)))
