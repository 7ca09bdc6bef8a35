"""The copy of a state that lives in a bucket: a run works on it, and what only reads reads it.

Beside it lie the address of the bucket, the version that it equals if it was not written to since, and the holders of
the lease that worked on it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from runner.buckets.bucket import Bucket
from runner.errors import StateError
from runner.state.disk import disk_errors, make_folder, set_aside_together, sync_folder, unfollowed
from runner.state.journal import files_beside
from runner.state.store import Store

FOLDER = "bucket-state"
# Of the object.
STATE = "state.sqlite"
_HOME, _EQUALS, _HOLDERS = "home", "equals", "lease-holders"


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
        """The ids under which runs of this copy may hold the lease: the last one, and the one before it."""
        with disk_errors(f"read {self._beside(_HOLDERS)}"), suppress(FileNotFoundError):
            return _read(self._beside(_HOLDERS)).split()
        return []

    def check_home(self) -> None:
        """Raise StateError where the copy is of another bucket."""
        home = home_of(self.path.parent.parent)
        if home not in (None, str(self._bucket.address)):
            raise StateError(
                f"{self.path.parent} has the state of {home}, not of {self._bucket.address}",
                "name that one in --state, or another folder in --output",
            )

    def begin(self, holder: str) -> None:
        """Note durably that a run is about to take the lease under this id."""
        with disk_errors(f"write {self.path.parent}"):
            make_folder(self.path.parent)
            _write(self._beside(_HOME), str(self._bucket.address))
            _write(self._beside(_HOLDERS), "\n".join((*self.holders[-1:], holder)))

    def will_change(self) -> None:
        """Note durably that the copy may be ahead of the bucket from now on."""
        with disk_errors(f"write {self.path.parent}"):
            self._beside(_EQUALS).unlink(missing_ok=True)
            sync_folder(self.path.parent)

    def equals(self, version: str) -> None:
        """Note durably that the copy is this version of the object."""
        with disk_errors(f"write {self.path.parent}"):
            _write(self._beside(_EQUALS), version)

    def refresh(self) -> str | None:
        """Make the copy the state that the bucket has, and return its version; None if the bucket has none.

        A copy that may know more is set aside. Raises BucketError and DiskError.
        """
        found = self._bucket.find(STATE)
        if found is None:
            return None
        with disk_errors(f"write {self.path}"):
            if self._equaled() == found.version and self.path.exists():
                return found.version
            make_folder(self.path.parent)
            _write(self._beside(_HOME), str(self._bucket.address))
            part = self.path.with_name(f"{STATE}.part")
            with open(part, "wb", opener=unfollowed) as file:
                for block in self._bucket.blocks(STATE, found.version):
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            self.clear()
            part.replace(self.path)
            _write(self._beside(_EQUALS), found.version)
        return found.version

    def take(self, former: Path) -> None:
        """Make the copy what a state on this disk is, which is to move into the bucket."""
        store = Store.read(former)
        assert store is not None, "the caller saw the file"
        make_folder(self.path.parent)
        with store, closing(sqlite3.connect(self.path)) as target:
            store.copy_to(target)
        self.equals("")

    def clear(self) -> None:
        """Take the copy away. One that may know more than the bucket is renamed."""
        files = [each for each in (self.path, *files_beside(self.path)) if os.path.lexists(each)]
        if files and self._equaled() is None:
            set_aside_together(files)
            return
        for each in files:
            each.unlink()

    def _equaled(self) -> str | None:
        with suppress(FileNotFoundError):
            return _read(self._beside(_EQUALS))
        return None

    def _beside(self, name: str) -> Path:
        return self.path.with_name(name)


def _read(path: Path) -> str:
    with open(path, encoding="utf-8", opener=unfollowed) as file:
        return file.read(4096)


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    with open(part, "w", encoding="utf-8", opener=unfollowed) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)
