"""The inventory: compares every file that the state and the index name with the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runner.model import Artifact, JobRecord
from runner.state.disk import disk_errors, hash_file

# The suffixes of unfinished downloads, which a run continues.
_UNFINISHED = (".part", ".etag")


class Kind(StrEnum):
    """What is wrong with a file. STALE: the file is intact, but index.json has another hash for it, or none."""

    MISSING = "missing"
    CHANGED = "changed"
    FOREIGN = "foreign"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A file that is not as it should be. `path` is relative to the output folder; a foreign file has no `job_id`."""

    kind: Kind
    path: str
    job_id: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """How many artifacts were hashed, and every discrepancy."""

    artifacts: int
    discrepancies: tuple[Discrepancy, ...]

    def of(self, *kinds: Kind) -> list[Discrepancy]:
        return [each for each in self.discrepancies if each.kind in kinds]


def take(
    index: Path,
    records: Iterable[JobRecord],
    is_selected: Callable[[JobRecord], bool] = lambda record: True,
    others: Iterable[str] = (),
    further: Mapping[str, Sequence[Artifact]] | None = None,
) -> Inventory:
    """Hash the artifacts of the selected jobs, look for files that no job has, and read the index. Raises DiskError.

    The output folder is that of the index. `others` are paths of files of the jobs of other manifests, and
    `further` the videos beyond the first of a request, by job.
    """
    output_dir = index.parent
    found: list[Discrepancy] = []
    known: set[str] = set(others)
    hashed = 0
    indexed = _indexed(index)
    for record in records:
        artifacts = files_of(record, further or {})
        known.update(each.path for each in artifacts)
        for artifact in artifacts if is_selected(record) else ():
            hashed += 1
            kind = _kind_on_disk(output_dir / artifact.path, artifact)
            if kind is None and indexed.get(artifact.path) != artifact.sha256 and artifact is record.video:
                kind = Kind.STALE
            if kind is not None:
                found.append(Discrepancy(kind, artifact.path, record.id, record.key))
    found.extend(Discrepancy(Kind.FOREIGN, path) for path in _files(output_dir) if path not in known)
    return Inventory(hashed, tuple(found))


def files_of(record: JobRecord, further: Mapping[str, Sequence[Artifact]]) -> list[Artifact]:
    """The files of a job, the video first."""
    return [each for each in (record.video, record.thumbnail, *further.get(record.id, ())) if each is not None]


def _kind_on_disk(path: Path, artifact: Artifact) -> Kind | None:
    with disk_errors(f"read {path}", "run 'reelrun verify' again"):
        if not path.is_file():
            return Kind.MISSING
        if path.stat().st_size != artifact.bytes:
            return Kind.CHANGED
        digest = hash_file(path)
    return None if digest == artifact.sha256 else Kind.CHANGED


def _indexed(index: Path) -> dict[str, str]:
    """The hashes of videos in the index, by their paths; empty if the index cannot be read."""
    try:
        document = json.loads(index.read_text(encoding="utf-8"))
        videos = [job["video"] for job in document["jobs"] if job["video"] is not None]
        return {str(video["path"]): str(video["sha256"]) for video in videos}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _files(output_dir: Path) -> Iterator[str]:
    for folder in ("videos", "thumbnails"):
        for path in sorted(_below(output_dir / folder)):
            if path.is_file() and not path.name.endswith(_UNFINISHED):
                yield path.relative_to(output_dir).as_posix()


def _below(folder: Path) -> Iterator[Path]:
    """All that lies below a folder, however deep. Links to folders are not followed."""
    waiting = [folder] if folder.is_dir() else []
    while waiting:
        with disk_errors(f"read {waiting[-1]}"), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    yield Path(entry.path)
