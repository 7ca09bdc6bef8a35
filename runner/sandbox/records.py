"""The requests of a sandbox, in its SQLite file. All SQL is here."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path

from runner.errors import ServiceError

_REMEDY = "delete it, or use another folder"
_VERSION = 1
_SCHEMA = f"""
CREATE TABLE request (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,  -- place in the queue, from 1
    request_id   TEXT NOT NULL UNIQUE,
    model        TEXT NOT NULL,
    payload      TEXT NOT NULL,     -- JSON as it was sent, but with sha256:HEX in place of Base64
    pictures     TEXT NOT NULL,     -- JSON: the names of the parameters that hold media
    filled       TEXT NOT NULL,     -- JSON: the payload with the model's defaults, and with the sha256 of media
    digest       TEXT NOT NULL,     -- of model and filled payload: equal requests have equal ones
    ordinal      INTEGER NOT NULL,  -- among equal requests, from 1
    status       TEXT NOT NULL,
    worker       TEXT NOT NULL DEFAULT '',
    error        TEXT NOT NULL DEFAULT '',
    created_at   REAL NOT NULL,     -- Unix seconds, like all times here
    updated_at   REAL NOT NULL,
    dispatched_at REAL NOT NULL DEFAULT 0,
    video_sha256     TEXT NOT NULL DEFAULT '',
    thumbnail_sha256 TEXT NOT NULL DEFAULT '',
    UNIQUE (digest, ordinal)
);
CREATE INDEX request_by_status ON request (status, number);
CREATE INDEX request_by_model ON request (model, number);
PRAGMA user_version = {_VERSION};
"""
# Files made before there were uploads lack it.
_UPLOADS = "CREATE TABLE IF NOT EXISTS upload (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL)"


class FullError(Exception):
    """There are as many requests as there may be."""


class RequestStatus(StrEnum):
    """How far a request is."""

    QUEUED = "queued"
    DISPATCHED = "dispatched"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Request:
    """A row of the table; the schema explains the fields. Number and ordinal are 0 before the request is queued."""

    request_id: str
    model: str
    payload: str
    pictures: str
    filled: str
    digest: str
    created_at: float
    updated_at: float
    number: int = 0
    ordinal: int = 0
    status: RequestStatus = RequestStatus.QUEUED
    worker: str = ""
    error: str = ""
    dispatched_at: float = 0.0
    video_sha256: str = ""
    thumbnail_sha256: str = ""

    @property
    def take(self) -> str:
        """The seed of everything random. It differs between equal requests, and is the same in every sandbox."""
        return f"{self.digest}/{self.ordinal}"


_COLUMNS = [field.name for field in fields(Request) if field.name != "number"]
_INSERT = f"INSERT INTO request ({', '.join(_COLUMNS)}) VALUES (:{', :'.join(_COLUMNS)})"
_UPDATE = f"UPDATE request SET {', '.join(f'{name} = :{name}' for name in _COLUMNS)} WHERE number = :number"


class Records:
    """One connection for all threads. Only one sandbox at a time can have the file; the kernel frees it when one dies.

    What a method writes is on the disk when it returns.
    """

    def __init__(self, path: Path) -> None:
        """Raises ServiceError if the file is in use, not writable, damaged or of another version."""
        self._lock = threading.Lock()
        try:
            self._connection = _connected(path)
        except sqlite3.Error as error:
            raise _service_error(path, error) from error

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def add(self, request: Request, most: int | None = None) -> Request:
        """Put a new request at the end of the queue. Returns it with its number and its ordinal.

        Raises FullError if there are `most` requests already.
        """
        with self._transaction() as connection:
            (count,) = connection.execute("SELECT count(*) FROM request").fetchone()
            if most is not None and count >= most:
                raise FullError
            (equal,) = connection.execute("SELECT count(*) FROM request WHERE digest = ?", (request.digest,)).fetchone()
            numbered = replace(request, ordinal=equal + 1)
            return replace(numbered, number=connection.execute(_INSERT, asdict(numbered)).lastrowid or 0)

    def save(self, request: Request) -> None:
        """Replace the row of a request. Only the worker that has the request may do so."""
        with self._transaction() as connection:
            connection.execute(_UPDATE, asdict(request))

    def keep_upload(self, name: str, digest: str) -> None:
        """Keep which file was put at an address; a later one takes its place."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO upload VALUES (?, ?)", (name, digest))

    def upload(self, name: str) -> str | None:
        """The sha256 of the file at an address."""
        with self._lock:
            row = self._connection.execute("SELECT sha256 FROM upload WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["sha256"])

    def requeue(self, now: float) -> None:
        """Queue again the requests that workers had when the sandbox stopped. They keep their places in the queue."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE request SET status = ?, worker = '', dispatched_at = 0, updated_at = ? WHERE status IN (?, ?)",
                (RequestStatus.QUEUED, now, RequestStatus.DISPATCHED, RequestStatus.PROCESSING),
            )

    def get(self, request_id: str) -> Request | None:
        return next(iter(self._select("WHERE request_id = ?", request_id)), None)

    def head(self) -> Request | None:
        """The next request in the queue."""
        return next(iter(self._select("WHERE status = ? ORDER BY number LIMIT 1", RequestStatus.QUEUED)), None)

    def all(self, model: str | None = None) -> list[Request]:
        """The requests of one model, or of all models, in the order of creation."""
        return self._select("WHERE ?1 IS NULL OR model = ?1 ORDER BY number", model)

    def _select(self, condition: str, value: str | None) -> list[Request]:
        with self._lock:
            rows = self._connection.execute(f"SELECT * FROM request {condition}", (value,)).fetchall()
        return [Request(**{**dict(row), "status": RequestStatus(row["status"])}) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection


def _connected(path: Path) -> sqlite3.Connection:
    # SQLite itself would give a new file no more than 644, whatever the umask allows.
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o666))
    connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")  # from here on the file belongs to this process
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute("COMMIT")
        if version == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        elif version != _VERSION:
            raise ServiceError(f"{path} has version {version}, not {_VERSION}", _REMEDY)
        connection.execute(_UPLOADS)
    except (sqlite3.Error, ServiceError):
        connection.close()
        raise
    return connection


def _service_error(path: Path, error: sqlite3.Error) -> ServiceError:
    if "locked" in str(error):
        return ServiceError(f"{path.parent} is in use by another sandbox", "stop that one, or use another folder")
    if isinstance(error, sqlite3.OperationalError):
        return ServiceError(f"{path} cannot be written: {error}", "use another folder")
    return ServiceError(f"{path} is damaged: {error}", _REMEDY)
