"""What is published, and whose each file is: what an earlier publish made, and how files come and go.

Whatever crashes, a name has a whole file or none, and the next publish knows what is its own. What it did not make it
does not touch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from runner.errors import BucketError, ObjectChangedError, UsageError
from runner.model import Json, Manifest
from runner.review.publishing.places.published_place import (
    FOREIGN,
    LIST,
    VERSION,
    Made,
    PublishedPlace,
    bytes_of,
    listed,
)
from runner.secret import refuse_key
from runner.state.disk import hash_file

# A bucket that failed for so many files in a row is not asked for the rest.
_PATIENCE = 2


class Fate(StrEnum):
    """What became of a file. EDITED: something else is in its place, or somebody changed it; it was left."""

    KEPT = "kept"
    WRITTEN = "written"
    REMOVED = "removed"
    EDITED = "edited"


class Destination:
    """A place while it is published to. Paths are relative to it; those of an archive or a sheet may lead out.

    `failures` are the files that the bucket did not take, with what was wrong, and `trouble` the first error of these.
    """

    def __init__(self, place: PublishedPlace, manifest: Manifest, known: dict[str, list[Made]]) -> None:
        self._place = place
        self._manifest = {"name": manifest.name, "file": manifest.path.name}
        # The last one is what stands in the list; a publish that was cut may have left any of them.
        self._known = known
        self.fates: dict[str, Fate] = {}
        self.failures: dict[str, str] = {}
        self.trouble: BucketError | None = None
        self._in_a_row = 0

    def expect(self, paths: Collection[str]) -> None:
        """Say what may be put, before anything is. Raises UsageError for a path that the place does not take."""
        self._place.expect(self.listing([]), paths)

    def put(self, path: str, recipe: str, make: Callable[[Path], None], job: str = "") -> Fate | None:
        """Have a file at this path that `make` writes, unless it is there as the recipe says. None: it failed.

        Raises DiskError, and what `make` raises.
        """
        fate = None
        with self._noting(path):
            self._check_patience()
            fate = self.fates[path] = self._put(path, recipe, make, job)
        return fate

    def _put(self, path: str, recipe: str, make: Callable[[Path], None], job: str) -> Fate:
        found = self._place.actual(path, self._known.get(path, ()))
        if found is FOREIGN:
            return Fate.EDITED
        if found is not None and found.recipe == recipe:
            self._known[path] = [found]
            return Fate.KEPT
        with self._place.staged(path) as staged:
            make(staged)
            version = found.version if found is not None else ""
            made = Made(hash_file(staged), recipe, job, version)
            if found is not None and found.sha256 == made.sha256:
                self._known[path] = [made]
                return Fate.KEPT
            try:
                self._known[path] = [self._place.put(staged, path, made, found)]
            except ObjectChangedError:
                return Fate.EDITED
        return Fate.WRITTEN

    @contextmanager
    def _noting(self, path: str) -> Iterator[None]:
        """Notes that the bucket failed for a file, and goes on."""
        try:
            yield
            self._in_a_row = 0
        except BucketError as error:
            self.trouble = self.trouble or error
            self.failures[path] = error.message
            self._in_a_row += 1

    def _check_patience(self) -> None:
        """A bucket that is gone is not waited for each time."""
        if self._in_a_row >= _PATIENCE:
            raise BucketError("not tried any more")

    def finish(self, clips: list[Json], wanted: Collection[str], picked: Collection[str]) -> None:
        """Write the list, if it is another than before, and then remove what was made for clips whose jobs are not
        picked any more, or have another name now, unless somebody changed it. What is picked, and was not asked for
        this time, stays."""
        with self._noting(LIST):
            self._check_patience()
            going = self._going(wanted, picked)
            if self._write_list(clips, going):
                self.fates[LIST] = Fate.WRITTEN
            for path, made in going.items():
                with self._noting(path):
                    self._check_patience()
                    self._remove(path, made)
            if not self.failures.keys() & going.keys():
                self._place.clear()

    def _going(self, wanted: Collection[str], picked: Collection[str]) -> dict[str, Made]:
        """What is to be removed. What somebody changed stays, and is told each time."""
        jobs = {self._known[path][-1].job for path in wanted if path in self._known}
        going = {}
        for path, known in list(self._known.items()):
            job = known[-1].job
            if path in wanted or not job or (job in picked and job not in jobs):
                continue
            actual = self._place.actual(path, known)
            if actual is FOREIGN:
                self.fates[path] = Fate.EDITED
                continue
            if actual is not None:
                going[path] = actual
            del self._known[path]
        return going

    def listing(self, clips: list[Json]) -> dict[str, Json]:
        """What the list says of the manifest and these clips."""
        return {"version": VERSION, "manifest": self._manifest, "clips": clips}

    def _write_list(self, clips: list[Json], going: Mapping[str, Made]) -> bool:
        files: dict[str, Json] = {path: {**known[-1].document()} for path, known in sorted(self._known.items())}
        content = bytes_of({**self.listing(clips), "files": files})
        refuse_key((content.decode(),), LIST)
        return self._place.write_list(content, going)

    def _remove(self, path: str, made: Made) -> None:
        # Looked at once more: the list was written meanwhile.
        if self._place.actual(path, [made]) not in (None, FOREIGN):
            self._place.remove(path)
            self.fates[path] = Fate.REMOVED

    def blocks(self, path: str) -> Iterator[bytes]:
        """The content of a file that is as it was written."""
        return self._place.blocks(path, self._known[path][-1])

    def sha256_of(self, path: str) -> str:
        """That of a file as it was written."""
        return self._known[path][-1].sha256

    def has(self, path: str) -> bool:
        """Whether a publish made the file at this path."""
        return path in self._known

    def is_as_written(self, path: str) -> bool:
        """Whether a publish made the file at this path, and nobody changed it since."""
        return self.has(path) and self.fates.get(path) is not Fate.EDITED


@contextmanager
def opened(place: PublishedPlace, manifest: Manifest) -> Iterator[Destination]:
    """A place to publish to. One publish at a time.

    Raises UsageError for a list that no publish wrote, or that is another manifest's; LockedError, DiskError and
    BucketError.
    """
    with place.held():
        try:
            owner, known = listed(place.read_list())
            for path, made in place.noted():
                known.setdefault(path, []).append(made)
        except (ValueError, KeyError, TypeError, AttributeError):
            hint = "name another place, or put back the one that publish wrote: it says which files are whose"
            raise UsageError(f"{LIST} of {place} is no list that publish wrote", hint) from None
        if owner not in (None, manifest.path.name):
            said = f"{place} has what {owner} published"
            raise UsageError(said, f"name another place for {manifest.path.name}, or empty this one")
        yield Destination(place, manifest, known)
