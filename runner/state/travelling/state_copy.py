"""The copy of a state that lives in a bucket: a run works on it, and what only reads reads it.

Beside it lie the address of the bucket, the version that it equals if it was not written to since, and the holders of
the lease that worked on it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from runner.buckets.bucket import Bucket
from runner.errors import ObjectChangedError, ReelrunError, StateError
from runner.state.disk import disk_errors, make_folder, set_aside_together, sync_folder, unfollowed, write_blocks
from runner.state.journal import files_beside
from runner.state.store import Store

FOLDER = "bucket-state"
# Of the object.
STATE = "state.sqlite"
_TRIES = 4
_HOME, _EQUALS, _HOLDERS = "home", "equals", "lease-holders"
# So many of the last holders are kept: a run that could not take the lease wrote its own, too.
_MOST_HOLDERS = 20


def copy_in(output_dir: Path) -> Path:
    """The path of the copy in an output folder, whether it exists or not."""
    return output_dir / FOLDER / STATE


def home_of(output_dir: Path) -> str | None:
    """The address of the bucket that the last copy of this output folder came from."""
    with disk_errors(f"read {output_dir / FOLDER}"), suppress(FileNotFoundError, NotADirectoryError):
        return _read(output_dir / FOLDER / _HOME)
    return None


class StateCopy:
    """The copy at a path, and where it comes from. Only who holds the run lock of the path may change it."""

    def __init__(self, bucket: Bucket, path: Path) -> None:
        self._bucket = bucket
        self.path = path

    @property
    def holders(self) -> list[str]:
        """The ids under which runs of this copy may hold the lease.

        A folder that was copied has none: the run that it was copied from may still go on.
        """
        path = self._beside(_HOLDERS)
        with disk_errors(f"read {path}"), suppress(FileNotFoundError):
            words = _read(path).split()
            return words[1:] if words[:1] == [str(path.stat().st_ino)] else []
        return []

    def check_home(self) -> None:
        """Raise StateError where the copy is of another bucket."""
        home = home_of(self.path.parent.parent)
        if home not in (None, str(self._bucket.address)):
            raise StateError(
                f"{self.path.parent} has the state of {home}, not of {self._bucket.address}",
                "name that one in --state, or another folder in --output; or move that folder away",
            )

    def begin(self, holder: str) -> None:
        """Note durably that a run is about to take the lease under this id."""
        with disk_errors(f"write {self.path.parent}"):
            make_folder(self.path.parent)
            holders = (*self.holders, holder)[-_MOST_HOLDERS:]
            _write(self._beside(_HOLDERS), "\n".join(holders), is_bound=True)

    def will_change(self) -> None:
        """Note durably that the copy belongs to the bucket, and may be ahead of it from now on."""
        with disk_errors(f"write {self.path.parent}"):
            _write(self._beside(_HOME), str(self._bucket.address))
            self._beside(_EQUALS).unlink(missing_ok=True)
            sync_folder(self.path.parent)

    def equals(self, version: str) -> None:
        """Note durably that the copy is this version of the object."""
        with disk_errors(f"write {self.path.parent}"):
            _write(self._beside(_EQUALS), version)

    def refresh(self) -> str | None:
        """Make the copy the state that the bucket has, and return its version; None if the bucket has none.

        A copy that may know more is set aside. Raises StateError where the bucket had a later one before, BucketError
        and DiskError.
        """
        for _ in range(_TRIES - 1):
            # A run may put a later one in between.
            with suppress(ObjectChangedError):
                return self._refreshed()
        return self._refreshed()

    def _refreshed(self) -> str | None:
        found = self._bucket.find(STATE)
        if found is None:
            return None
        with disk_errors(f"write {self.path}"):
            if self._equaled() == found.version and self.path.exists():
                return found.version
            make_folder(self.path.parent)
            _write(self._beside(_HOME), str(self._bucket.address))
            part = self.path.with_name(f"{STATE}.part")
            write_blocks(part, self._bucket.blocks(STATE, found.version))
            self._clear(is_known=self._is_known_in(part))
            part.replace(self.path)
            _write(self._beside(_EQUALS), found.version)
        return found.version

    def begin_anew(self, former: Path) -> None:
        """Where the bucket has no state: make the copy what the one of this disk is, which is to move there, if any.

        Raises StateError where the copy shows that the bucket had one.
        """
        known = _known(self.path)
        if known is not None and known.intents and self._equaled() != "" and not former.exists():
            raise StateError(f"{self._bucket.address.below(STATE)} is gone", self._remedy)
        self._clear(is_known=self._equaled() == "")
        if former.exists():
            self._take(former)

    def _take(self, former: Path) -> None:
        store = Store.read(former)
        assert store is not None, "the caller saw the file"
        make_folder(self.path.parent)
        with store, closing(sqlite3.connect(self.path)) as target:
            store.copy_to(target)
        self.equals("")

    def _clear(self, *, is_known: bool) -> None:
        """Take the copy away. It is renamed unless all that it knows `is_known` elsewhere, too."""
        files = [each for each in (self.path, *files_beside(self.path)) if os.path.lexists(each)]
        if not is_known:
            set_aside_together(files)
            return
        for each in files:
            each.unlink()

    def _is_known_in(self, later: Path) -> bool:
        """Whether a later state has all that the copy has. Raises StateError where it is an earlier one."""
        known, found = _known(self.path), _known(later)
        if self._equaled() is None or known is None or found is None:
            return False
        if self._equaled() and (known.state != found.state or known.intents > found.intents):
            raise StateError(f"{self._bucket.address.below(STATE)} is not the latest state", self._remedy)
        return True

    @property
    def _remedy(self) -> str:
        folder = self.path.parent
        return f"nothing was sent; put {self.path} there, which is later, or move {folder} away if it does not matter"

    def _equaled(self) -> str | None:
        with suppress(FileNotFoundError):
            return _read(self._beside(_EQUALS))
        return None

    def _beside(self, name: str) -> Path:
        return self.path.with_name(name)


@dataclass(frozen=True, slots=True)
class _Known:
    """The id of a state, and the highest number that it gave an attempt."""

    state: str | None
    intents: int


def _known(path: Path) -> _Known | None:
    """None where there is no state that can be read."""
    with suppress(ReelrunError, sqlite3.Error):
        store = Store.read(path)
        if store is not None:
            with store:
                return _Known(store.id, store.intents())
    return None


def _read(path: Path) -> str:
    with open(path, encoding="utf-8", opener=unfollowed) as file:
        return file.read(4096)


def _write(path: Path, text: str, *, is_bound: bool = False) -> None:
    """`is_bound` puts the file's inode before the text, which a copy of the file does not have."""
    part = path.with_name(f"{path.name}.part")
    with open(part, "w", encoding="utf-8", opener=unfollowed) as file:
        file.write(f"{os.fstat(file.fileno()).st_ino}\n" * is_bound + text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)
