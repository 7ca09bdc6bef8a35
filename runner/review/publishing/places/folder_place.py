"""A folder that is published to.

Each file is made in a hidden folder beside the others, noted in a journal, and renamed to its name.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from runner.errors import LockedError
from runner.results.atomic_files import sweep, temporary_of
from runner.review.publishing.places.published_place import FOREIGN, LIST, Made
from runner.state.disk import disk_errors, hash_file, inside, make_folder, sync_folder, sync_parents, unfollowed

_STAGING = ".publishing"
_JOURNAL = "journal"
_BLOCK = 1 << 20


class FolderPlace:
    """Paths of an archive or a sheet may lead out of the folder. It need not be there yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    @contextmanager
    def held(self) -> Iterator[None]:
        """One publish at a time: the lock is the kernel's, and ends with the process."""
        if not self._folder.is_dir():
            with disk_errors(f"write {self._folder}"):
                make_folder(self._folder)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                said = f"another publish writes to {self._folder}"
                raise LockedError(said, "wait until it has ended") from None
            yield
        finally:
            os.close(descriptor)

    def read_list(self) -> bytes | None:
        target = self._folder / LIST
        if not os.path.lexists(target):
            return None
        with disk_errors(f"read {target}"):
            return target.read_bytes()

    def noted(self) -> Iterator[tuple[str, Made]]:
        """The last line of the journal may be cut: its file was not renamed yet."""
        with suppress(FileNotFoundError), (self._folder / _STAGING / _JOURNAL).open("rb") as file:
            for line in file:
                with suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    yield entry["path"], Made.of(entry)

    def expect(self, empty: Mapping[str, Any], paths: Collection[str]) -> None:
        """Nothing to do: each file is noted before it is renamed."""

    def actual(self, path: str, known: Sequence[Made]) -> Made | None:
        target = self._folder / path
        if not os.path.lexists(target):
            return None
        if not target.is_file() or target.is_symlink():
            return FOREIGN
        with disk_errors(f"read {target}"):
            return {made.sha256: made for made in known}.get(hash_file(target), FOREIGN)

    @contextmanager
    def staged(self, path: str) -> Iterator[Path]:
        """On the same disk."""
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

    def put(self, staged: Path, path: str, made: Made, before: Made | None) -> Made:
        is_inside = _is_inside(path)
        target = inside(self._folder, path) if is_inside else self._folder / path
        make_folder(target.parent)
        _sync(staged)
        self._note(path, made)
        os.replace(staged, target)
        sync_parents(target.parent, self._folder if is_inside else target.parent)
        return made

    def _note(self, path: str, made: Made) -> None:
        folder = self._folder / _STAGING
        make_folder(folder)
        with open(folder / _JOURNAL, "ab", opener=unfollowed) as file:
            file.write(json.dumps({"path": path, **made.document()}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def remove(self, path: str) -> None:
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

    def blocks(self, path: str, made: Made) -> Iterator[bytes]:
        target = self._folder / path
        with disk_errors(f"read {target}"), target.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block

    def write_list(self, content: bytes, going: Mapping[str, Made]) -> bool:
        target = self._folder / LIST
        for path, made in going.items():
            self._note(path, made)
        if target.is_file() and target.read_bytes() == content:
            return False
        with self.staged(LIST) as staged:
            staged.write_bytes(content)
            _sync(staged)
            os.replace(staged, target)
            sync_folder(self._folder)
        return True

    def clear(self) -> None:
        shutil.rmtree(self._folder / _STAGING, ignore_errors=True)


def _is_inside(path: str) -> bool:
    return path.split("/")[0] != ".."


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
