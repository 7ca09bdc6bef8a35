"""The version of a state file, and the migration of an older file to the version of this program."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from runner.errors import StateError

# "reel" in ASCII: tells our files from other SQLite files (PRAGMA application_id).
APPLICATION_ID = 0x7265656C
VERSION = 4
# The tables that every version has.
_TABLES = frozenset(("meta", "jobs", "paths", "attempts", "artifacts"))

# Versions 1 to 3 have the same columns as this one, but other keys, constraints and indices of the jobs. `absent_at` is
# cleared, because older programs accepted listings as conclusive that this one does not.
_SET_ASIDE = """
CREATE TEMP TABLE older AS SELECT * FROM main.jobs ORDER BY generation, position;
DROP TABLE main.jobs;
"""
_PUT_BACK = """
INSERT INTO jobs SELECT * FROM older ORDER BY older.rowid;
DROP TABLE older;
UPDATE attempts SET absent_at = NULL;
"""


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The version of a state file, 0 for an empty one. Raises StateError if it is not ours, newer, or damaged."""
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    # Checked before the tables are read: those of a newer program may be unreadable here.
    if application == APPLICATION_ID and version > VERSION:
        raise StateError(
            f"{path} was written by a newer reelrun (state version {version}; this one knows {VERSION})",
            "update reelrun: pip install --upgrade reelrun; the file was not touched",
        )
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    if not tables and version == 0:
        return 0
    if application != APPLICATION_ID:
        raise StateError(
            f"{path} is an SQLite file, but not a state of reelrun",
            "name another file in output.state, or move it away",
        )
    if version < 1 or not tables >= _TABLES:
        raise damaged(path, "tables are missing")
    return int(version)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Create the tables of an empty file, or migrate an older file. One transaction does that and sets the version.

    The connection must be in autocommit mode. It must not enforce foreign keys yet, because they refer to the table
    jobs, which is dropped and created again.
    """
    version = version_of(connection, path)
    if version < VERSION:
        schema = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
        connection.executescript(
            f"BEGIN IMMEDIATE; {_SET_ASIDE if version else ''} {schema} {_PUT_BACK if version else ''}"
            f" PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        )


def damaged(path: Path, detail: str) -> StateError:
    return StateError(
        f"the state {path} is damaged ({detail})",
        "it was not touched; put back a copy, or move it away and see what the service has: reelrun requests",
    )
