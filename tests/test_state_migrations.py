"""Migrations: each applies with its record, or not at all."""

import hashlib
import json
import sqlite3
from decimal import Decimal

import pytest

from runner.model import Budget, Status
from runner.state import migrations
from runner.state.store import Store
from tests.kit import make_job


@pytest.fixture
def connection(tmp_path):
    opened = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)
    yield opened
    opened.close()


def test_a_new_file_is_brought_to_the_present_version(connection, tmp_path):
    assert migrations.version_of(connection, tmp_path) == 0
    migrations.migrate(connection, tmp_path)
    assert migrations.version_of(connection, tmp_path) == migrations.VERSION
    migrations.migrate(connection, tmp_path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_step_that_fails_leaves_the_version_before_it(connection, tmp_path, monkeypatch):
    migrations.migrate(connection, tmp_path)
    broken = (*migrations.STEPS, "CREATE TABLE extra (a); INSERT INTO nowhere VALUES (1)")
    monkeypatch.setattr(migrations, "STEPS", broken)
    monkeypatch.setattr(migrations, "VERSION", len(broken))
    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(connection, tmp_path)
    connection.rollback()
    assert migrations.version_of(connection, tmp_path) == len(broken) - 1
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").fetchone() == (0,)


def test_a_step_that_works_is_applied_to_an_older_file(connection, tmp_path, monkeypatch):
    migrations.migrate(connection, tmp_path)
    steps = (*migrations.STEPS, "CREATE TABLE extra (a INTEGER) STRICT")
    monkeypatch.setattr(migrations, "STEPS", steps)
    monkeypatch.setattr(migrations, "VERSION", len(steps))
    migrations.migrate(connection, tmp_path)
    assert migrations.version_of(connection, tmp_path) == len(steps)
    assert connection.execute("SELECT count(*) FROM extra").fetchone() == (0,)


def test_a_file_of_version_1_keeps_all_that_was_bought(connection, tmp_path, monkeypatch):
    """Written by the first step alone, with a job of each fate; then opened as any run opens it."""
    monkeypatch.setattr(migrations, "VERSION", 1)
    migrations.migrate(connection, tmp_path)
    monkeypatch.undo()
    jobs = [make_job(number) for number in range(1, 5)]
    for place, (job, status) in enumerate(zip(jobs, ("succeeded", "waiting", "unknown", "pending"), strict=True)):
        row = (job.id, job.fingerprint, 1, job.model, json.dumps(job.payload), 5.0, job.key, "[]", "p0", "plain", "{}")
        connection.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * 16)})", (*row, 1, 9 - place, status, "", None))
    connection.execute("INSERT INTO attempts (job_id, request_id, price, currency, intended_at, outcome)"
                       " VALUES (?, 'r-1', 250000, 'USD', 1.0, 'succeeded')", (jobs[0].id,))  # fmt: skip
    connection.execute(
        "INSERT INTO attempts (job_id, request_id, currency, intended_at) VALUES (?, 'r-2', 'USD', 2.0)", (jobs[1].id,)
    )
    connection.execute("INSERT INTO attempts (job_id, currency, intended_at) VALUES (?, 'USD', 3.0)", (jobs[2].id,))
    for job in jobs[:3]:
        connection.execute("INSERT INTO paths VALUES (?, ?, ?)", (job.output, job.output, job.id))
    connection.execute("INSERT INTO meta VALUES ('generation', '1')")
    before = Store.read(tmp_path / "state.sqlite")
    assert before is not None
    with before:
        seen = list(before.records()), before.totals(), before.open_attempts(), before.spent(Budget())
    with Store.open(tmp_path / "state.sqlite") as store:
        assert (list(store.records()), store.totals(), store.open_attempts(), store.spent(Budget())) == seen
        assert [record.key for record in store.records()] == [job.key for job in reversed(jobs)]
        assert [attempt.request_id for attempt in store.open_attempts()] == ["r-2", None]
        assert store.spent(Budget()) == (Decimal("0.25"), 3)
        assert {status: number for status, number in store.totals().items() if number} == {
            Status.PENDING: 1, Status.WAITING: 1, Status.UNKNOWN: 1, Status.SUCCEEDED: 1,
        }  # fmt: skip
        assert list(store._rows("PRAGMA foreign_key_check")) == []
        with pytest.raises(sqlite3.IntegrityError), store.transaction():
            store._write("INSERT INTO attempts (job_id, currency, intended_at) VALUES ('none', 'USD', 1)")
        with pytest.raises(sqlite3.IntegrityError, match="two requests share one job id"), store.transaction():
            store._write("UPDATE jobs SET take = 7 WHERE id = ?", (jobs[0].id,))


def test_the_tables_are_the_same_whether_a_file_is_new_or_was_migrated(connection, tmp_path):
    """What a query may rely on: the names of tables, columns and indices."""
    migrations.migrate(connection, tmp_path)
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL")}
    assert {
        "jobs",
        "jobs_by_place",
        "jobs_by_status",
        "jobs_by_key",
        "attempts_by_cost",
        "one_fingerprint_an_id",
    } <= names
    assert "ordered_jobs" not in names


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_file_with_jobs_in_flight_learns_from_them_once_it_is_migrated(
    connection, tmp_path, monkeypatch, version
):
    monkeypatch.setattr(migrations, "VERSION", version)
    migrations.migrate(connection, tmp_path)
    monkeypatch.undo()
    assert migrations.version_of(connection, tmp_path) == version
    job = make_job()
    row = (job.id, job.fingerprint, 1, job.model, json.dumps(job.payload), 5.0, job.key, "[]", "p0", "plain", "{}")
    connection.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * 16)})", (*row, 1, 0, "waiting", "", None))
    connection.execute(
        "INSERT INTO attempts (job_id, request_id, currency, intended_at, accepted_at)"
        " VALUES (?, 'r-1', 'USD', 2.0, 3.0)",
        (job.id,),
    )
    connection.execute("INSERT INTO paths VALUES (?, ?, ?)", (job.output, job.output, job.id))
    with Store.open(tmp_path / "state.sqlite") as store:
        assert migrations.version_of(connection, tmp_path) == migrations.VERSION
        (attempt,) = store.open_attempts()
        assert store.learned(attempt.model, attempt.seconds) == []
        with store.transaction():
            store.learn(attempt, 60.0, 70.0)
    with Store.open(tmp_path / "state.sqlite") as store:
        assert store.learned(job.model, 5.0) == [(60.0, 70.0)]
        assert [each.request_id for each in store.open_attempts()] == ["r-1"]


def test_the_first_step_is_as_it_was_published():
    """Files were written by it: a change belongs into a step of its own."""
    digest = hashlib.sha256(migrations.STEPS[0].encode()).hexdigest()
    assert digest == "291d9a99de7802d20e05e495da14b023ed183a9241bef8e68db7e7462e5b7b58"
