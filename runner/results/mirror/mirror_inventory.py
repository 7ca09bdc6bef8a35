"""The inventory of a mirror: compares every file that the state names with its copy there, by the bytes of the copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from runner.engine.mirror.mirror import Mirror
from runner.errors import BucketError
from runner.model import Artifact, JobRecord, MirrorCopy
from runner.results.inventory import Kind, files_of
from runner.state.copies import Copies

# So many copies are read at once, and so many are asked for before the first is done.
_AT_ONCE, _BATCH = 8, 256


@dataclass(frozen=True, slots=True)
class MirrorGap:
    """A file that the mirror lacks, or has otherwise. `path` is that of the file, `object` the address of its copy."""

    kind: Kind
    path: str
    sha256: str
    object: str | None
    job_id: str
    key: str


@dataclass(frozen=True, slots=True)
class MirrorInventory:
    """How many copies were read and hashed, what is wrong, and the error that ended it early, if one did."""

    address: str
    objects: int = 0
    gaps: tuple[MirrorGap, ...] = ()
    error: BucketError | None = None

    def of(self, kind: Kind) -> list[MirrorGap]:
        return [each for each in self.gaps if each.kind is kind]

    @property
    def is_whole(self) -> bool:
        return not self.gaps and self.error is None


@dataclass(frozen=True, slots=True)
class _Wanted:
    record: JobRecord
    file: Artifact
    copy: MirrorCopy | None


def take_mirror(
    mirror: Mirror,
    store: Copies,
    records: Iterable[JobRecord],
    is_selected: Callable[[JobRecord], bool] = lambda record: True,
) -> MirrorInventory:
    """Read and hash the copies of the files of the selected jobs. Files with one content have one copy."""
    objects, gaps = 0, []
    wanted = _wanted(mirror, store, filter(is_selected, records), store.further_videos())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while batch := list(islice(wanted, _BATCH)):
            try:
                for each, found in zip(batch, pool.map(lambda one: _found(mirror, one.copy), batch), strict=True):
                    objects += found is not None
                    if found != each.file.sha256:
                        gaps.append(_gap(mirror, each, found))
            except BucketError as error:
                return MirrorInventory(mirror.name, objects, tuple(gaps), error)
    return MirrorInventory(mirror.name, objects, tuple(gaps))


def _wanted(
    mirror: Mirror, store: Copies, records: Iterable[JobRecord], further: Mapping[str, Sequence[Artifact]]
) -> Iterator[_Wanted]:
    seen = set()
    for record in records:
        for file in files_of(record, further):
            if file.sha256 not in seen:
                seen.add(file.sha256)
                yield _Wanted(record, file, store.copy_of(mirror.name, file.sha256))


def _found(mirror: Mirror, copy: MirrorCopy | None) -> str | None:
    return None if copy is None else mirror.sha256_of(copy)


def _gap(mirror: Mirror, wanted: _Wanted, found: str | None) -> MirrorGap:
    kind = Kind.MISSING if found is None else Kind.CHANGED
    place = None if wanted.copy is None else str(mirror.address.below(wanted.copy.path))
    record, file = wanted.record, wanted.file
    return MirrorGap(kind, file.path, file.sha256, place, record.id, record.key)
