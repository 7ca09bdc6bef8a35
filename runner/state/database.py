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

# A file that nobody writes is read without locks: these would leave files beside it (https://www.sqlite.org/uri.html).
_IMMUTABLE = "mode=ro&immutable=1"
# A full check of a larger file takes longer than people wait. Its pages are still checked when they are read.
_CHECKED_BYTES = 64 * 1024 * 1024
# Room for the index of a million job ids. New ids are random, so that each may need any page of the index.
_CACHE_KIB = 64 * 1024
# How long to wait for the lock of another process, in seconds.
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
    """An open state file. Write only inside `transaction`. Reads see the last commit, or the open transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path, written: int | None = None) -> None:
        """`written` is the modification time of the file (ns) if it is read as a file that nobody writes."""
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._path = path
        self._written = written

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for writing; create or migrate the file if needed. The caller holds the run lock.

        Raises StateError (damaged, newer, not ours, on a network disk) and DiskError, and leaves the file unchanged.
        """
        refuse_network_disk(path)
        with disk_errors(f"open the state {path}"):
            make_folder(path.parent)
            with _connected(path, "mode=rwc") as connection:
                _prepare(connection, path)
                # Also if the file existed already: an earlier run may have been killed before it synced the folder.
                sync_folder(path.parent)
        return cls(connection, path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Open for reading; None if there is no state yet. Raises StateError as `open` does.

        Leaves no files behind. A file of an older version is migrated in a copy, and not touched itself.
        """
        written = _last_written(path)
        if written is None:
            return None
        mode = _read_mode(path)
        with _connected(path, mode) as connection:
            if version_of(connection, path) < VERSION:
                connection = _migrated_copy(connection, path)
        return cls(connection, path, written if mode == _IMMUTABLE else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Raises DiskError if a run wrote to it while it was read: the rows may not fit together."""
        self._connection.close()
        if self._written is not None and self._written != _last_written(self._path):
            raise DiskError(f"a run went on while {self._path} was read", "run the same command again")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """When the block ends, all of its writes are durable; if it raises, none is.

        The first transaction writes the first plan, directly into the file: through the write-ahead log, a plan of a
        million jobs would be written twice. After that the log is on, so that others can read while a run writes
        (https://www.sqlite.org/wal.html).
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
        """The first column of the first row; None if there is no row."""
        return next((row[0] for row in self.rows(sql, parameters)), None)

    def write(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Write. If a row was added, returns its number."""
        return self._connection.execute(sql, parameters).lastrowid or 0


@contextlib.contextmanager
def _connected(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection. It is closed if the block raises, and else stays open."""
    with sqlite_errors(path), contextlib.ExitStack() as on_failure:
        # as_uri quotes what would be syntax in a URI: ? # %
        uri = f"{path.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE)
        on_failure.callback(connection.close)
        yield connection
        on_failure.pop_all()


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


def _read_mode(path: Path) -> str:
    """The URI parameters with which SQLite opens a file for reading."""
    if Path(f"{path}-journal").exists():
        # A run is writing its first plan, or was killed in the middle of it. SQLite must then write, to roll it back.
        return "mode=rw"
    return "mode=ro" if Path(f"{path}-wal").exists() else _IMMUTABLE


def _last_written(path: Path) -> int | None:
    """The modification time of a file (ns); None if there is no file."""
    with disk_errors(f"read {path}"):
        return path.stat().st_mtime_ns if path.exists() else None


def _migrated_copy(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """A migrated copy in a temporary file, which SQLite deletes when it is closed. `connection` is closed here."""
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
