"""The requests of a sandbox in its SQLite file: all SQL is here."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path

from runner.sandbox.errors import SandboxError

_VERSION = 1
_SCHEMA = f"""
CREATE TABLE request (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,  -- place in the queue, from 1
    request_id   TEXT NOT NULL UNIQUE,
    model        TEXT NOT NULL,
    payload      TEXT NOT NULL,     -- JSON as it was sent, but with "" for each picture in Base64
    pictures     TEXT NOT NULL,     -- JSON: the sha256 or the URL of each picture, by parameter
    filled       TEXT NOT NULL,     -- JSON: the payload with the model's defaults
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


class Status(StrEnum):
    """How far a request is."""

    QUEUED = "queued"
    DISPATCHED = "dispatched"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Draft:
    """A request that passed every check, before it has a place in the queue. See the schema for the fields."""

    model: str
    payload: str
    pictures: str
    filled: str
    digest: str


@dataclass(frozen=True, slots=True)
class Request:
    """A row of the table; see the schema for the fields."""

    number: int
    request_id: str
    model: str
    payload: str
    pictures: str
    filled: str
    digest: str
    ordinal: int
    status: Status
    worker: str
    error: str
    created_at: float
    updated_at: float
    dispatched_at: float
    video_sha256: str
    thumbnail_sha256: str

    @classmethod
    def of(cls, row: sqlite3.Row) -> Request:
        return cls(**{**dict(row), "status": Status(row["status"])})


class Store:
    """One connection for all threads. The file is one sandbox's at a time; the kernel frees that of a dead one."""

    def __init__(self, path: Path) -> None:
        """Raises SandboxError when the file is in use, not writable, damaged or of another version."""
        self._lock = threading.Lock()
        try:
            self._connection = _connected(path)
        except sqlite3.Error as error:
            raise SandboxError(_trouble(path, error)) from error

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def add(self, draft: Draft, request_id: str, now: float) -> Request:
        """Put a request at the end of the queue; it is on the disk when this returns."""
        with self._transaction() as connection:
            equal = connection.execute("SELECT count(*) FROM request WHERE digest = ?", (draft.digest,)).fetchone()[0]
            connection.execute(
                "INSERT INTO request (model, payload, pictures, filled, digest, ordinal, request_id, status,"
                " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*astuple(draft), equal + 1, request_id, Status.QUEUED, now, now),
            )
            return self._one(connection, request_id)

    def get(self, request_id: str) -> Request | None:
        with self._lock:
            row = self._connection.execute("SELECT * FROM request WHERE request_id = ?", (request_id,)).fetchone()
        return Request.of(row) if row else None

    def all(self, model: str | None = None) -> list[Request]:
        """In the order of creation, those of one model or of all."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT * FROM request WHERE ?1 IS NULL OR model = ?1 ORDER BY number", (model,)
            ).fetchall()
        return [Request.of(row) for row in rows]

    def next_created(self) -> float | None:
        """When the request at the head of the queue was created."""
        with self._lock:
            row = self._connection.execute(
                "SELECT created_at FROM request WHERE status = ? ORDER BY number LIMIT 1", (Status.QUEUED,)
            ).fetchone()
        return float(row[0]) if row else None

    def dispatch(self, worker: str, created_before: float, now: float) -> Request | None:
        """Give the head of the queue to a worker, if it has waited long enough."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT * FROM request WHERE status = ? ORDER BY number LIMIT 1", (Status.QUEUED,)
            ).fetchone()
            if row is None or row["created_at"] > created_before:
                return None
            connection.execute(
                "UPDATE request SET status = ?, worker = ?, dispatched_at = ?, updated_at = ? WHERE number = ?",
                (Status.DISPATCHED, worker, now, now, row["number"]),
            )
            return self._one(connection, row["request_id"])

    def process(self, request_id: str, now: float) -> None:
        self._update("status = ?", (Status.PROCESSING,), request_id, now)

    def succeed(self, request_id: str, video_sha256: str, thumbnail_sha256: str, now: float) -> None:
        values = (Status.SUCCESS, video_sha256, thumbnail_sha256)
        self._update("status = ?, video_sha256 = ?, thumbnail_sha256 = ?", values, request_id, now)

    def fail(self, request_id: str, error: str, now: float) -> None:
        self._update("status = ?, error = ?", (Status.FAILED, error), request_id, now)

    def requeue(self, now: float) -> None:
        """Put back what was with a worker when the sandbox stopped; places in the queue stay as they were."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE request SET status = ?, worker = '', dispatched_at = 0, updated_at = ? WHERE status IN (?, ?)",
                (Status.QUEUED, now, Status.DISPATCHED, Status.PROCESSING),
            )

    def _update(self, assignments: str, values: tuple[str, ...], request_id: str, now: float) -> None:
        with self._transaction() as connection:
            # The assignments are the constants above; only values come from outside.
            connection.execute(
                f"UPDATE request SET {assignments}, updated_at = ? WHERE request_id = ?",
                (*values, now, request_id),
            )

    @staticmethod
    def _one(connection: sqlite3.Connection, request_id: str) -> Request:
        return Request.of(connection.execute("SELECT * FROM request WHERE request_id = ?", (request_id,)).fetchone())

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection


def _connected(path: Path) -> sqlite3.Connection:
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
            raise SandboxError(f"{path} has version {version}, not {_VERSION}: delete it or use another folder")
    except (sqlite3.Error, SandboxError):
        connection.close()
        raise
    return connection


def _trouble(path: Path, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"{path.parent} is in use by another sandbox: stop that one or use another folder"
    if isinstance(error, sqlite3.OperationalError):
        return f"{path} cannot be written: {error}"
    return f"{path} is damaged: {error}; delete it or use another folder"
