"""What the index tells of a clip beyond its file: previews, measures, defects, and what is to be looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runner.model import JobRecord, Json, Manifest
from runner.planning.expansion.portable import ports_of
from runner.planning.selection import Selection
from runner.results.camera_check import contradictions
from runner.results.clip_verdicts import ClipVerdicts
from runner.results.duplicates import duplicates
from runner.results.job_document import NOTHING
from runner.state.store import Store
from runner.video.defects import Defect, defects_of
from runner.video.looking.previews import FOLDER, SMALL, SPRITE, names_in
from runner.video.measures import DUPLICATE

WARNING_CODES = ("duplicate", "sound", "camera", "looking")
_SHOWN = 20
_OFF = (False, None, "off", "no", "none", "false")


@dataclass(frozen=True, slots=True)
class ClipWarning:
    """Something about a clip that people should look at. `code` is one of `WARNING_CODES`."""

    code: str
    message: str


class ClipReports:
    """Tells of each clip. `previews` are the names of those that are there."""

    def __init__(self, manifest: Manifest, store: Store, verdicts: ClipVerdicts | None = None) -> None:
        self._manifest = manifest
        self._verdicts = verdicts or ClipVerdicts()
        self._previews = names_in(manifest.output.dir)
        self._duplicates = duplicates(store.same_files(), store.signatures())

    def __call__(self, record: JobRecord) -> dict[str, Json]:
        if record.video is None:
            return dict(NOTHING)
        return {
            "previews": self._previews_of(record.video.sha256),
            "measures": self._measures_of(record),
            "defects": [_defect(each) for each in self.defects_of(record)],
            "warnings": [{"code": each.code, "message": each.message} for each in self.warnings_of(record)],
            **self._verdicts(record),
        }

    def defects_of(self, record: JobRecord) -> Iterator[Defect]:
        return defects_of(record.measured, self._manifest.thresholds)

    def warnings_of(self, record: JobRecord) -> Iterator[ClipWarning]:
        """What is told of a clip, and is no defect."""
        measured = record.measured
        if (twin := self._duplicates.get(record.id)) is not None:
            yield ClipWarning("duplicate", f"it is as good as the clip of {twin}")
        if measured is None:
            return
        if measured.values.get("sound") and self._wants_no_sound(record):
            yield ClipWarning("sound", "there is sound in it, and none was asked for")
        seconds = record.video.seconds if record.video is not None else None
        for words in contradictions(_prompt(record), measured.values, seconds or 0.0):
            yield ClipWarning("camera", words)
        if measured.note:
            yield ClipWarning("looking", measured.note)

    def _previews_of(self, sha256: str) -> Json:
        paths = {name: f"{sha256}{suffix}" for name, suffix in (("sprite", SPRITE), ("small", SMALL))}
        found: dict[str, Json] = {
            name: {"path": f"{FOLDER}/{path}"} if path in self._previews else None for name, path in paths.items()
        }
        return found if any(found.values()) else None

    def _measures_of(self, record: JobRecord) -> Json:
        measured = record.measured
        if measured is None or all(value is None for value in measured.values.values()):
            return None
        return {**measured.values, DUPLICATE: self._duplicates.get(record.id)}

    def _wants_no_sound(self, record: JobRecord) -> bool:
        """Whether the manifest says so, or the model has a parameter for sound that is not on."""
        if self._manifest.video.get("sound") is False:
            return True
        schema = self._manifest.schemas.get(record.model)
        ports = [port.name for port in ports_of(schema) if "sound" in port.of] if schema is not None else []
        return bool(ports) and all(record.payload.get(name) in _OFF for name in ports)


@dataclass(slots=True)
class ClipTotals:
    """What is to be told of clips: how many have which defect and which warning, are measured, or not, or without
    OpenCV, and the first ones with their defects and warnings in words."""

    defects: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    measured: int = 0
    unmeasured: int = 0
    without_flow: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)
    others: int = 0

    @classmethod
    def of(cls, manifest: Manifest, store: Store, selection: Selection) -> ClipTotals:
        found = cls(unmeasured=_unmeasured(store, selection))
        if store.has_measured():
            reports = ClipReports(manifest, store)
            for record in filter(selection.has, store.measured_records()):
                found.add(record, list(reports.defects_of(record)), list(reports.warnings_of(record)))
        return found

    def add(self, record: JobRecord, defects: Sequence[Defect], warnings: Sequence[ClipWarning]) -> None:
        self.defects.update(each.measure for each in defects)
        self.warnings.update(each.code for each in warnings)
        self.measured += 1
        self.without_flow += record.measured is not None and not record.measured.has_flow
        words = [*map(str, defects), *(each.message for each in warnings)]
        if words and len(self.first) < _SHOWN:
            self.first.append((record.key, "; ".join(words)))
        elif words:
            self.others += 1


def _unmeasured(store: Store, selection: Selection) -> int:
    if selection.is_everything:
        return store.unmeasured()
    chosen = filter(selection.has, store.records())
    return sum(each.video is not None and each.measured is None for each in chosen)


def _prompt(record: JobRecord) -> str:
    prompt = record.payload.get("prompt")
    return prompt if isinstance(prompt, str) else ""


def _defect(defect: Defect) -> dict[str, Json]:
    spans: list[Json] = [list(each) for each in defect.spans]
    return {"measure": defect.measure, "value": defect.value, "limit": defect.limit, "spans": spans}
