"""Brings a state file to the version that this program knows, each step in one transaction with its record."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from runner.errors import StateError

# "reel" in ASCII: tells our files from other SQLite files (PRAGMA application_id).
APPLICATION_ID = 0x7265656C

# Step n brings version n to n + 1. The first one is the schema itself; a published step is never edited.
STEPS = tuple(
    Path(__file__).with_name(name).read_text(encoding="utf-8")
    for name in ("schema.sql", "version_2.sql", "version_3.sql", "version_4.sql")
)
VERSION = len(STEPS)
# From this version on a file can be read as it is: later steps only changed how it is stored, or added to it.
READABLE = 1


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The version of a state file, 0 for an empty one. Raises StateError where it is not ours, or newer than we are."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if application != APPLICATION_ID and not (empty and version == 0):
        raise StateError(
            f"{path} is an SQLite file, but not a state of reelrun",
            "name another file in output.state, or move it away",
        )
    if version > VERSION:
        raise StateError(
            f"{path} was written by a newer reelrun (state version {version}; this one knows {VERSION})",
            "update reelrun: pip install --upgrade reelrun; the file was not touched",
        )
    return version


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply the steps that are missing. The connection must be in autocommit mode, and not enforce foreign keys yet.

    A table that others refer to is changed by putting a new one in its place (sqlite.org/lang_altertable.html, 7).
    """
    for version in range(version_of(connection, path), VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE; {STEPS[version]}; PRAGMA application_id = {APPLICATION_ID};"
            f" PRAGMA user_version = {version + 1}; COMMIT;"
        )
