"""How a state file is opened, locked and recovered: real SQLite, real processes, a real disk."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest

from runner.errors import DamagedStateError, DiskError, LockedError, SecretError, StateError
from runner.model import Status
from runner.state import database
from runner.state.migrations import VERSION
from runner.state.store import Store
from tests import kit
from tests.kit import make_job

# Registers more jobs than fit into the cache, and hangs before they are committed.
WRITER = """
import sys, time
from pathlib import Path
from runner.state import database
from runner.state.store import Store
from tests.kit import make_job, register

database._CACHE_KIB = 100
with Store.open(Path(sys.argv[1])) as store, store.transaction():
    register(store, (make_job(number) for number in range(2000)), "digest")
    print("written", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "state.sqlite") as opened:
        yield opened


def register(store, *jobs):
    with store.transaction():
        kit.register(store, jobs, repr(jobs))


@pytest.fixture
def writing(tmp_path):
    """A process amid its first plan, and the path of the state."""
    path = tmp_path / "state.sqlite"
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        yield process, path
        process.kill()


def test_commits_are_durable(store):
    """Those of the first plan are written at their place, all others ahead."""
    assert store.scalar("PRAGMA synchronous") == 2
    register(store, make_job())
    values = {name: store.scalar(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_readers_need_a_state(tmp_path):
    assert Store.read(tmp_path / "none.sqlite") is None


def test_a_reader_sees_commits_of_a_writer_and_cannot_write(tmp_path, store):
    register(store, make_job())
    with Store.read(tmp_path / "state.sqlite") as reader:
        assert len(list(reader.records())) == 1
        with pytest.raises(DiskError):
            register(reader, make_job(2))


def test_a_reader_leaves_nothing_behind(tmp_path, store):
    register(store, make_job())
    store.close()
    path = tmp_path / "state.sqlite"
    content, written = path.read_bytes(), path.stat().st_mtime_ns
    with Store.read(path) as reader:
        assert len(list(reader.records())) == 1
        assert list(tmp_path.iterdir()) == [path]
    assert list(tmp_path.iterdir()) == [path]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, written)


def test_a_reader_sees_what_a_killed_run_wrote_ahead(tmp_path, store):
    register(store, make_job())
    register(store, make_job(), make_job(2))
    (tmp_path / "killed").mkdir()
    for name in ("state.sqlite", "state.sqlite-wal"):
        shutil.copy(tmp_path / name, tmp_path / "killed" / name)
    with Store.read(tmp_path / "killed" / "state.sqlite") as reader:
        assert len(list(reader.records())) == 2


def test_a_reader_of_a_log_without_a_run_leaves_nothing_behind(tmp_path, store):
    register(store, make_job())
    register(store, make_job(2))
    (tmp_path / "killed").mkdir()
    for name in ("state.sqlite", "state.sqlite-wal"):
        shutil.copy(tmp_path / name, tmp_path / "killed" / name)
    with Store.read(tmp_path / "killed" / "state.sqlite") as reader:
        assert len(list(reader.records())) == 1
        assert reader.totals()[Status.PENDING] == 1
    assert sorted(each.name for each in (tmp_path / "killed").iterdir()) == ["state.sqlite", "state.sqlite-wal"]


def test_who_read_while_a_run_wrote_is_told(tmp_path, store):
    register(store, make_job())
    store.close()
    reader = Store.read(tmp_path / "state.sqlite")
    with Store.open(tmp_path / "state.sqlite") as writer:
        register(writer, make_job(2))
    with pytest.raises(DiskError, match="a run went on while"):
        reader.close()


def test_a_newer_state_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "state.sqlite"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    for opening in (Store.open, Store.read):
        with pytest.raises(StateError, match="newer reelrun"):
            opening(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not SQLite at all " * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_state_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "state.sqlite"
    path.write_bytes(content)
    for opening in (Store.open, Store.read):
        with pytest.raises(StateError, match="damaged"):
            opening(path)
    assert path.read_bytes() == content


def test_damage_inside_is_found_before_anything_is_written(tmp_path):
    path = tmp_path / "state.sqlite"
    with Store.open(path) as store:
        register(store, *(make_job(number) for number in range(200)))
    content = bytearray(path.read_bytes())
    content[5 * 4096 : 9 * 4096] = b"\x55" * (4 * 4096)
    path.write_bytes(content)
    with pytest.raises(StateError, match="damaged"):
        Store.open(path)
    assert path.read_bytes() == bytes(content)


def test_a_foreign_database_is_refused(tmp_path):
    path = tmp_path / "state.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    with pytest.raises(StateError, match="not a state of reelrun"):
        Store.open(path)


def test_a_folder_in_its_place_is_a_disk_error(tmp_path):
    (tmp_path / "state.sqlite").mkdir()
    with pytest.raises(DiskError):
        Store.open(tmp_path / "state.sqlite")


def test_a_first_plan_keeps_readers_waiting_and_they_are_told(writing, monkeypatch):
    _, path = writing
    monkeypatch.setattr(database, "_PATIENCE", 0.05)
    with pytest.raises(DiskError, match="is writing its first plan") as caught:
        Store.read(path)
    assert "once it has planned" in caught.value.hint


@pytest.mark.parametrize("opening", [Store.read, Store.open])
def test_a_first_plan_that_was_killed_is_taken_back(writing, opening):
    process, path = writing
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (path.parent / "state.sqlite-journal").stat().st_size > 0
    with opening(path) as opened:
        assert opened.totals() == dict.fromkeys(Status, 0)
        assert opened.note("plan") is None
    with Store.open(path) as opened:
        register(opened, make_job(1), make_job(2))
        assert opened.totals()[Status.PENDING] == 2


def test_a_plan_after_the_first_lets_readers_in(tmp_path, store):
    register(store, make_job(1))
    with store.transaction():
        kit.register(store, [make_job(2)], "another")
        with Store.read(tmp_path / "state.sqlite") as reader:
            assert reader.totals()[Status.PENDING] == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("payload", "{broken"),
        ("payload", "[1]"),
        ("payload", '{"cfg_scale": NaN}'),
        ("payload", '{"cfg_scale": 1e999}'),
        ("variables", "null"),
        ("variables", "[" * 100_000),
        ("aliases", '{"a": 1}'),
        ("aliases", "[5]"),
        ("aliases", b"\xff"),
        ("status", "sleeping"),
    ],
)
def test_a_value_that_does_not_decode_is_damage(tmp_path, column, value):
    path = tmp_path / "state.sqlite"
    with Store.open(path) as store:
        register(store, make_job())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute(f"UPDATE jobs SET {column} = CAST(? AS TEXT)", (value,))
    connection.commit()
    connection.close()
    with Store.open(path) as store:
        with pytest.raises(DamagedStateError, match="damaged") as caught:
            list(store.records())
        with pytest.raises(DamagedStateError):
            store.check_values()
    assert "--new-state" in caught.value.hint


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE attempts SET intended_at = 9e999",
        "UPDATE attempts SET intended_at = -5.0",
        "INSERT INTO artifacts VALUES ((SELECT id FROM jobs), 'video', '/etc/passwd', '0', 1, 5.0, 1, 1, 8.0, 'h264')",
        "INSERT INTO artifacts VALUES ((SELECT id FROM jobs), 'video', 'a/../../b', '0', 1, 5.0, 1, 1, 8.0, 'h264')",
        "INSERT INTO artifacts VALUES ((SELECT id FROM jobs), 'video', 'videos/a', '0', 1, 9e999, 1, 1, 8.0, 'h264')",
        "DROP TABLE artifacts",
        "UPDATE meta SET value = 'many' WHERE name = 'generation'",
        "INSERT INTO moves SELECT 1, id, 'a', '../a', NULL FROM jobs",
    ],
)
def test_what_no_run_writes_is_damage(tmp_path, statement):
    path = tmp_path / "state.sqlite"
    with Store.open(path) as store:
        register(store, make_job())
        with store.transaction():
            store.intend(make_job(), 1000.0, None, "USD")
            store.write(statement)
    with pytest.raises(DamagedStateError), Store.open(path) as store:
        store.check_values()


def test_a_path_that_is_too_long_for_sqlite_is_told(tmp_path):
    path = tmp_path.joinpath(*["d" * 50] * 10, "state.sqlite")
    path.parent.mkdir(parents=True)
    for opening in (Store.open, Store.read):
        with pytest.raises(DiskError, match="at most 500 bytes") as caught:
            opening(path)
        path.write_bytes(b"a state that another program put there")
        assert "output.state" in caught.value.hint


def test_a_state_is_locked_by_one_runner_alone(tmp_path, store):
    with pytest.raises(LockedError):
        Store.open(tmp_path / "state.sqlite")
    store.close()
    Store.open(tmp_path / "state.sqlite").close()


def test_a_state_that_others_wrote_to_gets_nothing_of_the_log(tmp_path, store):
    register(store, make_job())
    register(store, make_job(2))
    path = tmp_path / "state.sqlite"
    assert store.is_in_place
    shutil.copyfile(kit.write_state(tmp_path / "other.sqlite", 4), path)
    with pytest.raises(StateError, match="written to") as caught:
        store.check_in_place()
    assert "put it back" in caught.value.hint
    store.close()
    assert path.read_bytes() == (tmp_path / "other.sqlite").read_bytes()


def test_a_state_that_was_removed_is_saved_when_it_is_closed(tmp_path, store):
    path = tmp_path / "state.sqlite"
    register(store, make_job())
    register(store, make_job(3))
    path.unlink()
    register(store, make_job(2))
    store.close()
    with pytest.raises(StateError, match="saved-1 is there"):
        Store.read(path)
    path.with_name("state.sqlite.saved-1").rename(path)
    with Store.read(path) as reader:
        assert [each.id for each in reader.records()] == [make_job(2).id]


def test_no_row_holds_the_key(tmp_path, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-very-secret")
    with Store.open(tmp_path / "state.sqlite") as database:
        insert = "INSERT INTO meta VALUES (?, ?)"
        for write in (
            lambda: database.write(insert, ("a", "my sk-very-secret")),
            lambda: database.write_many(insert, [("a", "b"), ("c", "sk-very-secret")]),
        ):
            with pytest.raises(SecretError), database.transaction():
                write()
        assert list(database.rows("SELECT * FROM meta WHERE name IN ('a', 'c')")) == []
