"""Migrations, on real files of every version: what was bought stays known, and a step applies with its record."""

import re
import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from runner.errors import DamagedStateError, StateError
from runner.model import Budget, Status
from runner.state import migrations
from runner.state.migrations import VERSION
from runner.state.store import Store
from tests.kit import MODEL, write_state

OLDER = range(1, VERSION)
# Of each fate: the status, the request and how many attempts there were.
FATES = {
    "succeeded": (Status.SUCCEEDED, "request-3", 1),
    "retried": (Status.SUCCEEDED, "request-5", 2),
    "failed": (Status.FAILED, "request-6", 1),
    "rejected": (Status.REJECTED, None, 1),
    "cancelled": (Status.CANCELLED, "request-8", 1),
    "processing": (Status.WAITING, "request-9", 1),
    "finished": (Status.WAITING, "request-10", 1),
    "doubted": (Status.UNKNOWN, "request-11", 1),
    "lost": (Status.UNKNOWN, None, 1),
    "intended": (Status.UNKNOWN, None, 1),
    "given up": (Status.PENDING, None, 1),
    "withdrawn": (Status.PENDING, None, 0),
    "pending": (Status.PENDING, None, 0),
    # Those that the last plan does not have.
    "gone": (Status.SUCCEEDED, "request-1", 1),
    "leaving": (Status.WAITING, "request-2", 1),
}


@pytest.fixture(params=OLDER)
def older(tmp_path, request):
    """A state of each earlier version."""
    return write_state(tmp_path / "state.sqlite", request.param)


def run(path, sql):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


def tables(path):
    """What the database is made of, as it was written, but for comments, quotes and spaces."""
    rows = run(path, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return {name: re.sub(r'--.*|"|\s+', " ", sql).split() for name, sql in rows}


@pytest.mark.parametrize("version", range(1, VERSION + 1))
@pytest.mark.parametrize("opening", [Store.read, Store.open])
def test_a_file_of_each_version_says_what_was_bought(tmp_path, version, opening):
    with opening(write_state(tmp_path / "state.sqlite", version)) as store:
        records = list(store.records())
        fates = {str(each.variables["fate"]): (each.status, each.request_id, each.attempts) for each in records}
        assert list(fates.items()) == list(FATES.items()), "in the order of their plans"
        assert [each.variables["fate"] for each in records if each.orphaned] == ["gone", "leaving"]
        # One was bought when there was no price yet, and one was rejected.
        assert store.spent(Budget()) == (Decimal("3.00"), 13)
        assert store.spent(Budget(price_per_job=Decimal("0.5"))) == (Decimal("3.50"), 13)
        kept = {str(each.variables["fate"]): (each.video.bytes, each.thumbnail.bytes) for each in records if each.video}
        assert kept == {"succeeded": (41, 45), "retried": (39, 43), "gone": (36, 40)}
        opened = {str(each.variables["fate"]): each.request_id for each in store.open_attempts()}
        assert opened == {name: asked for name, (status, asked, _) in FATES.items() if status in ("waiting", "unknown")}
        assert store.claimed([f"request-{number}" for number in range(20)]) == {
            f"request-{number}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11)
        }
        assert store.learned(MODEL, 5.0) == ([0.6] * 3 if version > 2 else [])


def test_a_migrated_file_is_made_as_a_new_one_is(tmp_path, older):
    Store.open(tmp_path / "new.sqlite").close()
    Store.open(older).close()
    assert tables(older) == tables(tmp_path / "new.sqlite")
    assert run(older, "PRAGMA user_version") == run(tmp_path / "new.sqlite", "PRAGMA user_version") == [(VERSION,)]
    assert run(older, "PRAGMA integrity_check") == [("ok",)]
    assert run(older, "PRAGMA foreign_key_check") == []


def test_a_migrated_file_keeps_the_promises(older):
    with Store.open(older) as store:
        (attempt, *_) = store.open_attempts()
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"), store.transaction():
            store.write("INSERT INTO attempts (job_id, currency, intended_at) VALUES ('none', 'USD', 1)")
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"), store.transaction():
            store.write("INSERT INTO attempts (job_id, currency, intended_at) VALUES (?, 'USD', 1)", (attempt.job_id,))
        with pytest.raises(sqlite3.IntegrityError, match="two requests share one job id"), store.transaction():
            store.write("UPDATE jobs SET take = 7 WHERE id = ?", (attempt.job_id,))
        with store.transaction():
            store.write("INSERT INTO attempts (job_id, currency, intended_at) SELECT id, 'USD', 1 FROM jobs"
                        " WHERE status = 'succeeded' LIMIT 1")  # fmt: skip
        assert store.scalar("SELECT max(number) FROM attempts") == 16, "15 was withdrawn, and is not given again"


def test_the_first_list_without_a_lost_attempt_is_looked_at_anew(older):
    if run(older, "PRAGMA user_version") >= [(5,)]:
        run(older, "UPDATE attempts SET looked_boot = 'b', looked_at = 7.0, looked_failed = '[]' WHERE number = 12")
    else:
        assert run(older, "SELECT count(*) FROM attempts WHERE absent_at IS NOT NULL") == [(1,)]
    with Store.open(older) as store:
        assert {each.looked_at for each in store.open_attempts()} == {None}


def test_a_migration_that_fails_leaves_the_file_as_it_was(older, monkeypatch):
    before, version = tables(older), run(older, "PRAGMA user_version")
    with monkeypatch.context() as broken:
        broken.setattr(migrations, "_ANEW", (*migrations._ANEW, (OLDER, "", "INSERT INTO nowhere VALUES (1);")))
        with pytest.raises(DamagedStateError, match="nowhere"):
            Store.open(older)
    assert (tables(older), run(older, "PRAGMA user_version")) == (before, version)
    with Store.open(older) as store:
        assert len(list(store.records())) == len(FATES)


def test_a_new_file_is_made_once(tmp_path):
    path = tmp_path / "state.sqlite"
    Store.open(path).close()
    before = path.read_bytes()
    Store.open(path).close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [-1, 0, 1, VERSION])
def test_a_state_that_lacks_tables_is_damaged(tmp_path, version):
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"PRAGMA application_id = {migrations.APPLICATION_ID}; PRAGMA user_version = {version};"
            " CREATE TABLE jobs (id TEXT);"
        )
    before = path.read_bytes()
    for opening in (Store.open, Store.read):
        with pytest.raises(StateError, match=r"damaged \(tables are missing\)"):
            opening(path)
    assert path.read_bytes() == before
