"""The state file as a database: how it is opened, read and written, and what its errors mean."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.errors import DiskError
from runner.state.disk import disk_errors, make_folder, refuse_network_disk, sync_folder
from runner.state.migrations import VERSION, damaged, migrate, version_of

# A file that nobody writes is read without locks, which would leave files beside it (https://www.sqlite.org/uri.html).
_STILL = "mode=ro&immutable=1"
# A whole check of a larger file takes longer than people wait; its pages are still checked as they are read.
_CHECKED_BYTES = 64 * 1024 * 1024
# The ids of a million jobs in their index: they come in no order, and each has to find its place.
_CACHE_KIB = 64 * 1024
# So long the lock of another process is waited for, in seconds.
_PATIENCE = 5.0

_DISK_CODES = frozenset(
    (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    )
)


class Database:
    """An open state file. Writes belong into `transaction`; reads see the last commit, or their own transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path, written: int | None = None) -> None:
        """`written` is when the file was last written (ns), where it is read as one that stands still."""
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._path = path
        self._written = written

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for writing; create and migrate where needed. The caller holds the run lock.

        Raises StateError (damaged, newer, not ours, on a network disk) and DiskError; then the file is as it was.
        """
        refuse_network_disk(path)
        with disk_errors(f"open the state {path}"):
            make_folder(path.parent)
            with _connected(path, "mode=rwc") as connection:
                _prepare(connection, path)
                # Whoever created it: a run may have been killed before it had come so far.
                sync_folder(path.parent)
        return cls(connection, path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Open for reading; None where there is no state yet. Raises StateError as `open` does.

        Nothing is left behind. A file of an older version is read as a run would migrate it.
        """
        written = _last_written(path)
        if written is None:
            return None
        way = _way_to_read(path)
        with _connected(path, way) as connection:
            if version_of(connection, path) < VERSION:
                connection = _migrated_copy(connection, path)
        return cls(connection, path, written if way == _STILL else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Raises DiskError where a run wrote what was read meanwhile: its parts may not fit together."""
        self._connection.close()
        if self._written is not None and self._written != _last_written(self._path):
            raise DiskError(f"a run went on while {self._path} was read", "run the same command again")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are durable together when it ends, or none of them is.

        The first one, that of the first plan, is written at its place: through the log, a plan of a million jobs would
        be written twice. From then on the log lets others read while a run writes (https://www.sqlite.org/wal.html).
        """
        with sqlite_errors(self._path):
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
            self._connection.execute("PRAGMA journal_mode = WAL")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[sqlite3.Row]:
        with sqlite_errors(self._path):
            yield from self._connection.execute(sql, parameters)

    def scalar(self, sql: str, parameters: Sequence[object] = ()) -> object:
        """The first column of the first row; None where there is no row."""
        return next((row[0] for row in self.rows(sql, parameters)), None)

    def write(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Write, and return the number of the row where one was added."""
        return self._connection.execute(sql, parameters).lastrowid or 0


@contextlib.contextmanager
def _connected(path: Path, way: str) -> Iterator[sqlite3.Connection]:
    """A connection, which is closed where the block fails."""
    with sqlite_errors(path), contextlib.ExitStack() as failing:
        # as_uri quotes what would be syntax in a URI: ? # %
        uri = f"{path.absolute().as_uri()}?{way}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE)
        failing.callback(connection.close)
        yield connection
        failing.pop_all()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version_of(connection, path)
    if path.stat().st_size <= _CHECKED_BYTES:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise damaged(path, str(verdict))
    # Every commit is durable (https://www.sqlite.org/pragma.html).
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    migrate(connection, path)
    connection.execute("PRAGMA foreign_keys = ON")


def _way_to_read(path: Path) -> str:
    """How SQLite is to open a file for reading."""
    if Path(f"{path}-journal").exists():
        # A run writes its first plan; or it was killed, and the half of it is taken back, for which one has to write.
        return "mode=rw"
    return "mode=ro" if Path(f"{path}-wal").exists() else _STILL


def _last_written(path: Path) -> int | None:
    """When a file was last written (ns); None where there is none."""
    with disk_errors(f"read {path}"):
        return path.stat().st_mtime_ns if path.exists() else None


def _migrated_copy(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """What was read, in a file of SQLite's own, which is gone with the connection."""
    copy = sqlite3.connect("", isolation_level=None)
    with contextlib.closing(connection):
        connection.backup(copy)
    migrate(copy, path)
    return copy


@contextlib.contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours: DiskError for the disk, StateError for the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary in _DISK_CODES:
            raise DiskError(
                f"cannot use {path}: {error}",
                "free space or mend the permissions, then run the same command again: nothing is lost",
            ) from error
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DiskError(
                f"{path} is busy: a run is writing its first plan to it, or another program keeps it open",
                "run the same command again once it has planned, or when it has ended",
            ) from error
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise damaged(path, str(error)) from error
        raise
