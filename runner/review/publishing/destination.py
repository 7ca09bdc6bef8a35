"""The folder that is published to: what an earlier publish made there, and how files come and go.

Each file is made in a hidden folder beside the others, noted in a journal, and renamed to its name: whatever crashes,
a name has a whole file or none, and the next publish knows what is its own. What it did not make it does not touch.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from runner.errors import LockedError, UsageError
from runner.results.atomic_files import sweep, temporary_of
from runner.secret import refuse_key
from runner.state.disk import disk_errors, hash_file, inside, make_folder, sync_folder, sync_parents, unfollowed

LIST = "published.json"
VERSION = 1
_STAGING = ".publishing"
_JOURNAL = "journal"


class Fate(StrEnum):
    """What became of a file. EDITED: something else is in its place, or somebody changed it; it was left."""

    KEPT = "kept"
    WRITTEN = "written"
    REMOVED = "removed"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Made:
    """A file as it was written: its content, what decided that, and the job that it is of, empty for all others."""

    sha256: str
    recipe: str
    job: str = ""


class Destination:
    """A folder while it is published to. Paths are relative to it; those of an archive or a sheet may lead out."""

    def __init__(self, folder: Path, known: dict[str, list[Made]], owner: str | None = None) -> None:
        """`owner` is the file name of the manifest that was published here before."""
        self._folder = folder
        self._owner = owner
        # The last one is what stands in the list; a publish that was cut may have left any of them.
        self._known = known
        self.fates: dict[str, Fate] = {}

    def check_owner(self, manifest: str) -> None:
        """Raise UsageError where another manifest was published to this folder: its clips would go."""
        if self._owner not in (None, manifest):
            said = f"{self._folder} has what {self._owner} published"
            raise UsageError(said, f"name another folder for {manifest}, or empty this one")

    def put(self, path: str, recipe: str, make: Callable[[Path], None], job: str = "") -> Fate:
        """Have a file at this path that `make` writes, unless it is there as the recipe says.

        Raises DiskError, and what `make` raises.
        """
        fate = self.fates[path] = self._put(path, recipe, make, job)
        return fate

    def _put(self, path: str, recipe: str, make: Callable[[Path], None], job: str) -> Fate:
        actual = self._actual(path)
        known = {made.sha256: made for made in self._known.get(path, ())}
        if actual is not None and actual not in known:
            return Fate.EDITED
        if actual is not None and known[actual].recipe == recipe:
            self._known[path] = [known[actual]]
            return Fate.KEPT
        with self._staged(path) as staged:
            make(staged)
            made = Made(hash_file(staged), recipe, job)
            if made.sha256 == actual:
                self._known[path] = [made]
                return Fate.KEPT
            self._place(staged, path, made)
        return Fate.WRITTEN

    def _actual(self, path: str) -> str | None:
        """The sha256 of what is at a path, None if nothing is; empty if it is no file."""
        target = self._folder / path
        if not os.path.lexists(target):
            return None
        with disk_errors(f"read {target}"):
            return hash_file(target) if target.is_file() and not target.is_symlink() else ""

    @contextmanager
    def _staged(self, path: str) -> Iterator[Path]:
        """Where the file of a path is made: on the same disk. It is removed if the block does not move it."""
        folder, target = self._folder / _STAGING, self._folder / path
        with disk_errors(f"write {target}"):
            make_folder(folder if _is_inside(path) else target.parent)
            staged = folder / uuid4().hex if _is_inside(path) else temporary_of(target)
            try:
                yield staged
                if not _is_inside(path):
                    sweep(target, now=time.time())
            finally:
                staged.unlink(missing_ok=True)

    def _place(self, staged: Path, path: str, made: Made) -> None:
        is_inside = _is_inside(path)
        target = inside(self._folder, path) if is_inside else self._folder / path
        make_folder(target.parent)
        _sync(staged)
        self._note(path, made)
        os.replace(staged, target)
        sync_parents(target.parent, self._folder if is_inside else target.parent)
        self._known[path] = [made]

    def _note(self, path: str, made: Made) -> None:
        folder = self._folder / _STAGING
        make_folder(folder)
        with open(folder / _JOURNAL, "ab", opener=unfollowed) as file:
            file.write(json.dumps({"path": path, **asdict(made)}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def remove_others(self, wanted: Collection[str], picked: Collection[str]) -> None:
        """Remove what was made for clips whose jobs are not picked any more, or have another name now, unless somebody
        changed it. What is picked, and was not asked for this time, stays."""
        jobs = {self._known[path][-1].job for path in wanted if path in self._known}
        for path, known in list(self._known.items()):
            job = known[-1].job
            if path in wanted or not job or (job in picked and job not in jobs):
                continue
            actual = self._actual(path)
            if actual is not None and actual not in {made.sha256 for made in known}:
                self.fates[path] = Fate.EDITED
                continue
            if actual is not None:
                self._remove(path)
                self.fates[path] = Fate.REMOVED
            del self._known[path]

    def _remove(self, path: str) -> None:
        target = inside(self._folder, path)
        with disk_errors(f"remove {target}"):
            target.unlink()
            for folder in target.parents:
                sync_folder(folder)
                # Only an empty folder goes.
                with suppress(OSError):
                    if folder != self._folder:
                        folder.rmdir()
                        continue
                break

    def sha256_of(self, path: str) -> str:
        """That of a file as it was written."""
        return self._known[path][-1].sha256

    def has(self, path: str) -> bool:
        """Whether a publish made the file at this path."""
        return path in self._known

    def is_as_written(self, path: str) -> bool:
        """Whether a publish made the file at this path, and nobody changed it since."""
        return self.has(path) and self.fates.get(path) is not Fate.EDITED

    def finish(self, document: Mapping[str, Any]) -> None:
        """Write the list, if it is another than before, and clear what is left of the work."""
        files = {path: asdict(known[-1]) for path, known in sorted(self._known.items())}
        content = bytes_of({"version": VERSION, **document, "files": files})
        target = self._folder / LIST
        if not target.is_file() or target.read_bytes() != content:
            refuse_key((content.decode(),), LIST)
            with self._staged(LIST) as staged:
                staged.write_bytes(content)
                _sync(staged)
                os.replace(staged, target)
                sync_folder(self._folder)
            self.fates[LIST] = Fate.WRITTEN
        shutil.rmtree(self._folder / _STAGING, ignore_errors=True)


@contextmanager
def opened(folder: Path) -> Iterator[Destination]:
    """A folder to publish to, which need not be there yet. One publish at a time.

    Raises UsageError for a list that no publish wrote, LockedError and DiskError.
    """
    if not folder.is_dir():
        with disk_errors(f"write {folder}"):
            make_folder(folder)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(f"another publish writes to {folder}", "wait until it has ended") from None
        known, owner = _listed(folder / LIST)
        for path, made in _noted(folder / _STAGING / _JOURNAL):
            known.setdefault(path, []).append(made)
        yield Destination(folder, known, owner)
    finally:
        os.close(descriptor)


def _is_inside(path: str) -> bool:
    return path.split("/")[0] != ".."


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def bytes_of(document: Mapping[str, Any]) -> bytes:
    """A list as its file has it. Half of a surrogate pair, which UTF-8 does not have, stands as JSON's escape of it."""
    return f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode(errors="backslashreplace")


def _listed(path: Path) -> tuple[dict[str, list[Made]], str | None]:
    """What the list says was made, and the file name of the manifest that it is of."""
    if not os.path.lexists(path):
        return {}, None
    try:
        with disk_errors(f"read {path}"):
            document = json.loads(path.read_text("utf-8"))
        owner = document["manifest"]["file"]
        return {name: [Made(**made)] for name, made in document["files"].items()}, str(owner)
    except (ValueError, KeyError, TypeError, AttributeError):
        hint = "name another folder, or put back the one that publish wrote: it says which files are whose"
        raise UsageError(f"{path} is no list that publish wrote", hint) from None


def _noted(path: Path) -> Iterator[tuple[str, Made]]:
    """The lines of a journal. The last one may be cut: its file was not renamed yet."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            with suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                yield entry.pop("path"), Made(**entry)
