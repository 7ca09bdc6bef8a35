"""The clips that reviewers see, and the names that they go by: a name tells nothing of its clip."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from runner.model import JobRecord, Status, canonical_json
from runner.review.pairing import Cell, Contender
from runner.state.disk import inside
from runner.state.store import Store

_NAME_LENGTH = 24


@dataclass(frozen=True, slots=True)
class ReviewedClip:
    """A finished clip. `path` is absolute, `sha256` what the file's hash was when it was verified.

    `flashes`: who may be harmed by that is asked before they see it.
    """

    job: str
    key: str
    image: str
    cell: Cell = field(repr=False)
    take: int
    path: Path = field(repr=False)
    sha256: str = field(repr=False)
    bytes: int = 0
    fps: float | None = None
    flashes: bool = False

    @property
    def contender(self) -> Contender:
        return Contender(self.job, self.image, self.cell)


def reviewed_clips(store: Store, folder: Path) -> list[ReviewedClip]:
    """The clips of the last plan that are in the output folder, in its order."""
    found = (_clip(record, folder) for record in store.records() if _is_finished(record))
    return [clip for clip in found if clip is not None and clip.path.is_file()]


def _is_finished(record: JobRecord) -> bool:
    return record.status is Status.SUCCEEDED and not record.orphaned


def _clip(record: JobRecord, folder: Path) -> ReviewedClip | None:
    if record.video is None:
        return None
    made_from = {"prompt": record.prompt_id, "model": record.model, **record.variables}
    cell = tuple(sorted((name, canonical_json(value)) for name, value in made_from.items()))
    path, video = inside(folder, record.video.path), record.video
    return ReviewedClip(
        record.id, record.key, record.image, cell, record.take, path, video.sha256, video.bytes, video.fps,
        _flashes(record),
    )  # fmt: skip


def _flashes(record: JobRecord) -> bool:
    flash = None if record.measured is None else record.measured.values.get("flash")
    return flash is not None and flash >= 1


class ClipNames:
    """The random names of clips, made from a secret: who has it makes the same ones."""

    def __init__(self, clips: Iterable[ReviewedClip], secret: bytes) -> None:
        self.clips = {_name(secret, clip.job): clip for clip in clips}
        self._names = {clip.job: name for name, clip in self.clips.items()}

    def of(self, job: str) -> str:
        return self._names[job]

    def clip_of(self, job: str) -> ReviewedClip:
        return self.clips[self._names[job]]


def _name(secret: bytes, job: str) -> str:
    return hmac.new(secret, f"clip {job}".encode(), hashlib.sha256).hexdigest()[:_NAME_LENGTH]
