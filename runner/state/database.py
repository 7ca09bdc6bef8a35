"""The state file as a database: how it is opened, read and written, and what its errors mean."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

from runner.errors import DiskError, StateError
from runner.state import migrations
from runner.state.disk import disk_trouble, make_folder, refuse_network_disk, sync_folder

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

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._path = path
        self._is_written_ahead = True

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for writing; create and migrate where needed. The caller holds the run lock.

        Raises StateError (damaged, newer, not ours, on a network disk) and DiskError; then the file is as it was.
        """
        refuse_network_disk(path)
        is_new = not path.exists()
        with disk_trouble(f"create the folder of {path}"):
            make_folder(path.parent)
        with sqlite_trouble(path):
            opened = cls(sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE), path)
            try:
                opened._prepare()
            except BaseException:
                opened.close()
                raise
        if is_new:
            sync_folder(path.parent)
        return opened

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Open for reading; None where there is no state yet. Raises StateError as `open` does."""
        if not path.exists():
            return None
        with sqlite_trouble(path):
            try:
                return cls._opened_to_read(path)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_BUSY and Path(f"{path}-journal").exists():
                    # The one writing of ours that keeps readers out: see `transaction`.
                    hint = "run the same command again once it has planned, or when it has ended"
                    raise DiskError(f"a run is writing its first plan to {path}", hint) from error
                if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                    raise
            # A run was killed while it wrote its first plan: only who may write can take back the half of it.
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            return cls._opened_to_read(path)

    @classmethod
    def _opened_to_read(cls, path: Path) -> Self:
        # as_uri quotes what would be syntax in a URI: ? # %
        uri = f"{path.absolute().as_uri()}?mode=ro"
        opened = cls(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE), path)
        try:
            if migrations.version_of(opened._connection, path) < migrations.READABLE:
                raise StateError(f"{path} is of an older version", "reelrun run brings it up to date")
        except BaseException:
            opened.close()
            raise
        return opened

    def _prepare(self) -> None:
        run = self._connection.execute
        migrations.version_of(self._connection, self._path)
        if self._path.stat().st_size <= _CHECKED_BYTES:
            verdict = run("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise damaged(self._path, str(verdict))
        # Every commit is durable (https://www.sqlite.org/pragma.html).
        run("PRAGMA synchronous = FULL")
        run(f"PRAGMA cache_size = -{_CACHE_KIB}")
        migrations.migrate(self._connection, self._path)
        self._is_written_ahead = False
        if run("SELECT 1 FROM jobs LIMIT 1").fetchone() is not None:
            self._write_ahead()
        run("PRAGMA foreign_keys = ON")

    def _write_ahead(self) -> None:
        """Let status and plan read while a run writes (https://www.sqlite.org/wal.html)."""
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._is_written_ahead = True

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are durable together when it ends, or none of them is.

        The first one, that of the first plan, is written at its place: through the log, a plan of a million jobs
        would be written twice.
        """
        with sqlite_trouble(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                # SQLite rolls back by itself on some errors, such as a full disk.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            if not self._is_written_ahead:
                self._write_ahead()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[sqlite3.Row]:
        with sqlite_trouble(self._path):
            yield from self._connection.execute(sql, parameters)

    def scalar(self, sql: str, parameters: Sequence[object] = ()) -> object:
        with sqlite_trouble(self._path):
            row = self._connection.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    def write(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Write, and return the number of the row where one was added."""
        return self._connection.execute(sql, parameters).lastrowid or 0

    def write_all(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._connection.executemany(sql, rows)


@contextlib.contextmanager
def sqlite_trouble(path: Path) -> Iterator[None]:
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
                f"another program keeps {path} busy",
                "close it, then run the same command again",
            ) from error
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise damaged(path, str(error)) from error
        raise


def damaged(path: Path, detail: str) -> StateError:
    return StateError(
        f"the state {path} is damaged ({detail})",
        "it was not touched; put back a copy, or move it away and see what the service has: reelrun requests",
    )
