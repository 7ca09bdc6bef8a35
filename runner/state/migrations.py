"""The version of a state file, and the migration of an older file to the version of this program."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from runner.errors import DamagedStateError, StateError

# "reel" in ASCII: tells our files from other SQLite files (PRAGMA application_id).
APPLICATION_ID = 0x7265656C
VERSION = 11
# What every version has.
_TABLES = frozenset(("meta", "jobs", "paths", "attempts", "artifacts"))

# Versions 1 to 3 had the columns of today in the table of jobs, and other keys, rules and indices.
_JOBS_ASIDE = """
CREATE TEMP TABLE older_jobs AS SELECT * FROM main.jobs ORDER BY generation, position;
DROP TABLE main.jobs;
"""
_JOBS_BACK = """
INSERT INTO jobs SELECT * FROM older_jobs ORDER BY older_jobs.rowid;
DROP TABLE older_jobs;
"""
# Versions 1 to 4 compared times of this machine with times of the service. Those take no part in a decision: a lost
# attempt is looked for in the whole list, and twice anew. Prices were whole millionths.
_ATTEMPTS_ASIDE = """
CREATE TEMP TABLE older_attempts AS SELECT * FROM main.attempts;
CREATE TEMP TABLE older_sequence AS SELECT seq FROM main.sqlite_sequence WHERE name = 'attempts';
DROP TABLE main.attempts;
"""
_ATTEMPTS_BACK = """
INSERT INTO attempts (number, job_id, request_id, price, currency, intended_at, organisation, lost_at, accepted_at,
  remote_status, outcome, error, finished_at)
SELECT number, job_id, request_id, price * 1000, currency, intended_at,
  (SELECT value FROM meta WHERE name = 'organisation'), lost_at, accepted_at, remote_status, outcome, error, finished_at
FROM older_attempts ORDER BY number;
UPDATE sqlite_sequence SET seq = (SELECT seq FROM older_sequence) WHERE name = 'attempts';
INSERT INTO sqlite_sequence SELECT 'attempts', seq FROM older_sequence
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'attempts');
DROP TABLE older_attempts;
DROP TABLE older_sequence;
"""
# Versions 1 to 5 did not say where an orphan was before it made room.
_PATHS_ASIDE = """
CREATE TEMP TABLE older_paths AS SELECT * FROM main.paths;
DROP TABLE main.paths;
"""
_PATHS_BACK = """
INSERT INTO paths (folded, path, job_id) SELECT folded, path, job_id FROM older_paths;
DROP TABLE older_paths;
"""
# A first list without a lost attempt counts only for the program that looked at it.
_LISTS_FORGOTTEN = "UPDATE attempts SET looked_boot = NULL, looked_at = NULL, looked_failed = NULL;"
# What is made anew in a file of these versions, before the tables are created and after it.
_ANEW = (
    (range(1, 4), _JOBS_ASIDE, _JOBS_BACK),
    (range(1, 5), _ATTEMPTS_ASIDE, _ATTEMPTS_BACK),
    (range(1, 6), _PATHS_ASIDE, _PATHS_BACK),
    (range(5, VERSION), "", _LISTS_FORGOTTEN),
)


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The version of a state file, 0 for an empty one. Raises StateError if it is not ours, newer, or damaged."""
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    # Checked before the tables are read: those of a newer program may be unreadable here.
    if application == APPLICATION_ID and version > VERSION:
        raise StateError(
            f"{path} was written by a newer reelrun (state version {version}; this one knows {VERSION})",
            "use the version of reelrun that wrote it, or a newer one; the file was not touched",
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
        aside = "".join(each for versions, each, _ in _ANEW if version in versions)
        back = "".join(each for versions, _, each in _ANEW if version in versions)
        connection.executescript(
            f"BEGIN IMMEDIATE; {aside} {schema} {back}"
            f" PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        )


def damaged(path: Path, detail: str) -> DamagedStateError:
    return DamagedStateError(
        f"the state {path} is damaged ({detail})",
        "nothing was written; put back the latest state with all files that belong to it, or see what the service has"
        " (reelrun requests MODEL) and begin anew: 'reelrun run MANIFEST --new-state' sets the old files aside,"
        " and pays again for what it cannot know of",
    )
