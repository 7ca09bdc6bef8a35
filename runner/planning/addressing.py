"""Which files of a plan have to be put where the service can read them, as a model takes addresses only."""

from __future__ import annotations

import math
from collections.abc import Iterable

from runner.buckets.bucket_address import is_bucket_address
from runner.media import Encoding, MediaParameter, media_of, parameters_of
from runner.model import Action, Image, Manifest, Planned, Uploads, Variables
from runner.planning.plan_diagnostics import Place, PlanDiagnostics, PlanWarning
from runner.state.store import Store
from runner.video.file_types import STORED, content_type


class Addressing:
    """Tells which files a request sends as addresses."""

    def __init__(self, manifest: Manifest) -> None:
        is_always = manifest.uploads is not None and manifest.uploads.is_always

        def goes_there(parameter: MediaParameter) -> bool:
            return parameter.inline is None or (is_always and Encoding.URL in parameter.encodings)

        # Most models take files within the request: their payloads need not be looked at.
        self._parameters = {
            model: tuple(filter(goes_there, parameters_of(schema))) for model, schema in manifest.schemas.items()
        }

    def references(self, model: str, payload: Variables) -> list[str]:
        """The references of the files that a request sends as addresses, each once."""
        parameters = self._parameters.get(model, ())
        if not parameters:
            return []
        return list(dict.fromkeys(each.text for each in media_of(payload, parameters) if each.is_file))


class NeededUploads:
    """Collects the files that the submissions of a plan need as addresses."""

    def __init__(self, manifest: Manifest, first: int | None = None) -> None:
        """Only the `first` submissions count, where that is given."""
        self._addressing = Addressing(manifest)
        self._destination = (manifest.uploads or Uploads()).to
        self._left = math.inf if first is None else first
        self.references: dict[str, None] = {}

    def see(self, planned: Planned) -> None:
        if planned.action is Action.SUBMIT and self._left > 0:
            self._left -= 1
            found = self._addressing.references(planned.job.model, planned.job.payload)
            self.references.update(dict.fromkeys(found))

    def missing(self, store: Store | None) -> tuple[str, ...]:
        """Those that no run has put there yet."""
        known = store.uploads(self._destination) if store is not None else {}
        return tuple(each for each in self.references if each not in known)


def check_uploads(manifest: Manifest, references: Iterable[str], diagnostics: PlanDiagnostics) -> None:
    """Report files that the store of the service does not take (E418), and uploads that nobody agreed to (W421)."""
    media = manifest.media
    needed = [media[each] for each in references if each in media]
    place = Place(("model",))
    is_own = manifest.uploads is not None and is_bucket_address(manifest.uploads.to)
    for image in () if is_own else needed:
        if _type_of(image) not in STORED:
            message = f"{image.written or image.id} would have to be uploaded, and the store takes no such file"
            hint = "save it as JPEG or PNG, give its address, or upload to a bucket of yours (uploads: {to: s3://...})"
            diagnostics.add("E418", place, message, hint, about=image.reference)
    if manifest.uploads is None and needed:
        number = "1 file" if len(needed) == 1 else f"{len(needed):,} files"
        first = needed[0].written or needed[0].id
        message = f"{number} would be put where everybody with the address can read: {first}"
        hint = "write uploads: {to: service}, or give addresses; run --allow-uploads agrees for one run"
        diagnostics.warn(PlanWarning("W421", place, message, hint))


def _type_of(image: Image) -> str | None:
    try:
        return content_type(image)
    except OSError:
        # It was there a moment ago: the run tells of it.
        return next(iter(STORED))
