"""The version of a state file: which one it has, and how it is brought to the one that this program knows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from runner.errors import StateError

# "reel" in ASCII: tells our files from other SQLite files (PRAGMA application_id).
APPLICATION_ID = 0x7265656C
VERSION = 4
# What every version has.
_TABLES = frozenset(("meta", "jobs", "paths", "attempts", "artifacts"))

# Versions 1 to 3 had the columns of today, and other keys, rules and indices of the jobs. That a list did not show an
# attempt is forgotten: what an older program took for a sound list decides nothing.
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
    """The version of a state file, 0 for an empty one. Raises StateError where it is not ours, newer, or damaged."""
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    # Before its tables are looked at: a newer program may have made them in a way that is not known here.
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
    """Make the tables of an empty file, or bring an older one up, with the record of it in the same transaction.

    The connection must be in autocommit mode, and not enforce foreign keys yet: they name a table that is made anew.
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
