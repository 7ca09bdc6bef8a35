"""The state file as a database: how it is opened, read and written, and what its errors mean."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from runner.errors import DiskError, StateError
from runner.secret import refuse_key
from runner.state.disk import (
    disk_errors,
    free_name,
    leads_to,
    make_folder,
    refuse_network_disk,
    sync_folder,
    unfollowed,
)
from runner.state.journal import Journal, check_alone, check_latest, is_there
from runner.state.migrations import VERSION, damaged, migrate, version_of
from runner.state.runlock import locked_file

Made = TypeVar("Made")

# A file that nobody writes is read without locks: these would leave files beside it (https://www.sqlite.org/uri.html).
_IMMUTABLE = "mode=ro&immutable=1"
# A full check of a larger file takes longer than people wait. Its pages are still checked when they are read.
_CHECKED_BYTES = 64 * 1024 * 1024
# Room for the index of a million job ids. New ids are random, so that each may need any page of the index.
_CACHE_KIB = 64 * 1024
_LONGEST_PATH = 500
# How long to wait for the lock of another process, in seconds.
_PATIENCE = 5.0

# The highest number that an attempt ever had, also one that was withdrawn.
_INTENTS = "SELECT coalesce((SELECT CAST(seq AS INTEGER) FROM sqlite_sequence WHERE name = 'attempts'), 0)"

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

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        *,
        held: int | None = None,
        base: int = 0,
        written: int | None = None,
    ) -> None:
        """`held` is the descriptor of the locked file if it is open for writing.

        `base` is the highest number of an attempt that the file has without its write-ahead log.
        `written` is the modification time of the file (ns) if it is read as a file that nobody writes.
        """
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._path = path
        self._held = held
        self._base = base
        self._journal: Journal | None = None
        self._written = written
        self._stamp = self._stamp_now()
        self._is_foreign = False

    @classmethod
    def open(cls, path: Path, index: Path | None = None) -> Self:
        """Open for writing; create or migrate the file if needed. The caller holds the run lock.

        `index` is where the index is, if there is one: it and the journal tell whether this is the latest state. Raises
        StateError (damaged, not the latest, newer, not ours, on a network disk), LockedError and DiskError, and leaves
        the file unchanged.
        """
        refuse_network_disk(path)
        with disk_errors(f"open the state {path}"), contextlib.ExitStack() as on_failure:
            make_folder(path.parent)
            if not is_there(path, index):
                _create(path)
            held = locked_file(path, path)
            on_failure.callback(os.close, held)
            _take_over_log(path)
            _check_alone(path)
            with _reading(path) as reading, contextlib.closing(reading):
                _check(reading, path, index)
                _check_pages(reading, path)
            with _connected(path, "mode=rw") as connection:
                _prepare(connection, path)
                base = _completed(connection)
                # Also if the file existed already: an earlier run may have been killed before it synced the folder.
                sync_folder(path.parent)
            on_failure.pop_all()
        return cls(connection, path, held=held, base=base)

    @classmethod
    def read(cls, path: Path, index: Path | None = None) -> Self | None:
        """Open for reading; None if there is no state yet. Raises StateError as `open` does.

        Without `index` the caller has opened the state before: whether it is the latest is known.
        Leaves no files behind. A file of an older version is migrated in a copy, and not touched itself.
        """
        with disk_errors(f"read {path}"):
            if not is_there(path, index):
                return None
            written, mode = path.stat().st_mtime_ns, _read_mode(path)
            if index is not None:
                _check_alone(path)
            with _reading(path) as connection:
                version = version_of(connection, path) if index is None else _check(connection, path, index)
                if version < VERSION:
                    connection = _copied(connection)
                    migrate(connection, path)
        return cls(connection, path, written=written if mode == _IMMUTABLE else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Raises DiskError if a run wrote to it while it was read: the rows may not fit together."""
        try:
            self._save_if_removed()
            if self._held is not None and self._is_foreign and leads_to(self._path, self._held):
                self._close_apart()
        finally:
            self._connection.close()
            # Not before: closing a file drops all locks that this process has on it, those of SQLite, too.
            if self._held is not None:
                os.close(self._held)
                self._held = None
        if self._written is not None and self._written != _last_written(self._path):
            raise DiskError(f"a run went on while {self._path} was read", "run the same command again")

    def _save_if_removed(self) -> None:
        """What the run learned is not lost with the name of the file."""
        if self._held is None or os.fstat(self._held).st_nlink:
            return
        target = free_name(self._path, "saved")
        with disk_errors(f"save the state as {target}"), sqlite_errors(target):
            make_folder(target.parent)
            _make_empty(target)
            with contextlib.closing(sqlite3.connect(target)) as copy:
                self._connection.backup(copy)
            sync_folder(target.parent)

    def _close_apart(self) -> None:
        """Close without bringing the write-ahead log into a file that somebody else wrote: another reader keeps it."""
        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        with (
            contextlib.suppress(sqlite3.DatabaseError),
            contextlib.closing(sqlite3.connect(uri, uri=True)) as reader,
        ):
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            self._connection.close()

    @property
    def path(self) -> Path:
        return self._path

    def copy_to(self, target: sqlite3.Connection) -> None:
        """Copy all that is committed into another database."""
        self._connection.backup(target)

    @property
    def is_in_place(self) -> bool:
        """Whether the path still leads to the file that is open for writing, and nobody else wrote to it."""
        self._watch()
        return self._held is not None and leads_to(self._path, self._held) and not self._is_foreign

    def check_in_place(self) -> None:
        """Raise StateError where `is_in_place` does not hold."""
        if not self.is_in_place:
            raise StateError(
                f"{self._path} was moved, removed, replaced or written to while the run worked with it",
                "nothing more was submitted; put it back where it was with the files beside it, then run the same"
                f" command again (a removed state is saved as {self._path.name}.saved-<n> when the run ends)",
            )

    def _watch(self) -> None:
        """Notice what was written to the file since our last transaction. It is ours alone while we hold it."""
        if not self._is_foreign and self._stamp_now() != self._stamp:
            self._is_foreign = True
            self._connection.execute("PRAGMA wal_autocheckpoint = 0")

    def _stamp_now(self) -> tuple[int, int] | None:
        if self._held is None:
            return None
        found = os.fstat(self._held)
        return found.st_size, found.st_mtime_ns

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """When the block ends, all of its writes are durable; if it raises, none is.

        The first transaction writes the first plan, directly into the file: through the write-ahead log, a plan of a
        million jobs would be written twice. After that the log is on, so that others can read while a run writes
        (https://www.sqlite.org/wal.html).
        """
        self._watch()
        try:
            with sqlite_errors(self._path):
                with self._connection:
                    self._connection.execute("BEGIN IMMEDIATE")
                    yield
                self._connection.execute("PRAGMA journal_mode = WAL")
        finally:
            self._stamp = self._stamp_now()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[sqlite3.Row]:
        return self.each(lambda row: row, sql, parameters)

    def each(self, make: Callable[[sqlite3.Row], Made], sql: str, parameters: Sequence[object] = ()) -> Iterator[Made]:
        """What `make` makes of each row. What it cannot decode (ValueError, TypeError) is damage: StateError."""
        with sqlite_errors(self._path), decoding_errors(self._path):
            for row in self._connection.execute(sql, parameters):
                yield make(row)

    def scalar(self, sql: str, parameters: Sequence[object] = ()) -> object:
        """The first column of the first row; None if there is no row."""
        return next((row[0] for row in self.rows(sql, parameters)), None)

    def intents(self) -> int:
        """The highest number that an attempt ever had."""
        return next(self.each(lambda row: int(row[0]), _INTENTS))

    def write_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._connection.executemany(sql, map(_guarded, rows))

    def write(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Write. If a row was added, returns its number."""
        refuse_key(parameters, "the state")
        return self._connection.execute(sql, parameters).lastrowid or 0


def _guarded(row: Sequence[object]) -> Sequence[object]:
    refuse_key(row, "the state")
    return row


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


def _create(path: Path) -> None:
    """Make a new state. It has its name only once it is whole, so that an empty file is never one of a killed run."""
    part = path.with_name(f"{path.name}.part")
    for ending in ("", "-journal"):
        Path(f"{part}{ending}").unlink(missing_ok=True)
    _make_empty(part)
    with _connected(part, "mode=rw") as connection, contextlib.closing(connection):
        _prepare(connection, path)
    part.rename(path)


def _make_empty(path: Path) -> None:
    """An empty file, with the permissions of the umask: SQLite would never let a group write to it."""
    os.close(unfollowed(str(path), os.O_CREAT | os.O_EXCL | os.O_RDWR))


def _take_over_log(path: Path) -> None:
    """Make the log beside a state ours where another user's program left it: SQLite could not write to it.

    The caller holds the run lock. A reader who still has the old files open reads on in them.
    """
    log = Path(f"{path}-wal")
    if log.exists() and not os.access(log, os.W_OK):
        part = log.with_name(f"{log.name}.part")
        shutil.copyfile(log, part)
        part.replace(log)
    # What all readers share is made from the log.
    memory = Path(f"{path}-shm")
    if memory.exists() and not os.access(memory, os.W_OK):
        memory.unlink()


def _check(connection: sqlite3.Connection, path: Path, index: Path | None) -> int:
    """The version of a state that is the latest. Raises StateError."""
    version = version_of(connection, path)
    check_latest(path, *_facts(connection), index)
    return version


def _check_alone(path: Path) -> None:
    """Raise StateError if the write-ahead log beside a state is not its own.

    No other connection of this process may have the state open: it would lose its locks when this one is closed.
    """
    if Path(f"{path}-wal").exists():
        with _connected(path, _IMMUTABLE) as alone, contextlib.closing(alone):
            version_of(alone, path)
            check_alone(path, *_facts(alone))


def _facts(connection: sqlite3.Connection) -> tuple[str | None, int]:
    """The id of a state, None if it has none yet, and the highest number that an attempt ever had."""
    (name,) = connection.execute("SELECT (SELECT value FROM meta WHERE name = 'state')").fetchone()
    (intents,) = connection.execute(_INTENTS).fetchone()
    return name, intents


def _completed(connection: sqlite3.Connection) -> int:
    """Bring all of the write-ahead log into the file. The highest number that it has then; 0 if readers keep it."""
    is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return 0 if is_busy else _facts(connection)[1]


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size <= _CHECKED_BYTES:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise damaged(path, str(verdict))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Migrate a state, and set up the connection that writes to it."""
    # Every commit is durable (https://www.sqlite.org/pragma.html).
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    migrate(connection, path)
    # Not by the migration: a copy that is migrated for reading is not the state that a run will make.
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('state', lower(hex(randomblob(16))))")
    connection.execute("PRAGMA foreign_keys = ON")


def _read_mode(path: Path) -> str:
    """The URI parameters with which SQLite opens a file for reading. With a log beside it, it may be written to."""
    return "mode=ro" if any(Path(f"{path}{ending}").exists() for ending in ("-wal", "-journal")) else _IMMUTABLE


def _last_written(path: Path) -> int | None:
    """The modification time of a file (ns); None if there is no file."""
    with disk_errors(f"read {path}"):
        return path.stat().st_mtime_ns if path.exists() else None


def _reading(path: Path) -> contextlib.AbstractContextManager[sqlite3.Connection]:
    """A connection for reading, as `_connected` makes it. It makes no files: a log alone would get one beside it."""
    if Path(f"{path}-wal").exists() and not Path(f"{path}-shm").exists():
        return _recovered(path, "-wal")
    if Path(f"{path}-journal").exists() and _is_cut(path):
        return _recovered(path, "-journal")
    return _connected(path, _read_mode(path))


def _is_cut(path: Path) -> bool:
    """Whether a first plan was killed amid its writes, which are to be taken back."""
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError as error:
            return error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK
    return False


@contextlib.contextmanager
def _recovered(path: Path, log: str) -> Iterator[sqlite3.Connection]:
    """A copy of a state and what lies beside it, which no run has open."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        for ending in ("", log):
            shutil.copyfile(f"{path}{ending}", f"{copy}{ending}")
        with _connected(copy, "mode=rw") as connection:
            copied = _copied(connection)
    yield copied


def _copied(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A copy in a nameless file, which SQLite deletes when it is closed. `connection` is closed here."""
    copy = sqlite3.connect("", isolation_level=None)
    with contextlib.closing(connection):
        connection.backup(copy)
    return copy


@contextlib.contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours: DiskError for the disk, StateError for the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary == sqlite3.SQLITE_CANTOPEN and len(os.fsencode(path)) > _LONGEST_PATH:
            raise DiskError(
                f"cannot open {path}: SQLite takes paths of at most {_LONGEST_PATH} bytes",
                "name a file with a shorter path in output.state",
            ) from error
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
        # Broken rules of our own tables and misuse are errors of the program.
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
            raise
        raise damaged(path, str(error)) from error


@contextlib.contextmanager
def decoding_errors(path: Path) -> Iterator[None]:
    """Turn the errors of a conversion into StateError: the value in the state is not what a run writes."""
    try:
        yield
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise damaged(path, f"a value in it cannot be read: {error}") from error
