"""Migrations: each applies with its record, or not at all."""

import sqlite3

import pytest

from runner.state import migrations


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
