"""Whether a state is the latest, as the files beside it tell: real files, copies put back, links planted."""

import json
import os
import shutil
from contextlib import closing
from sqlite3 import connect

import pytest

from runner.errors import DamagedStateError, DiskError, StateError
from runner.state import journal
from runner.state.store import Store
from tests.kit import make_job, register, write_state


@pytest.fixture
def state(tmp_path):
    """A state with two attempts, its journal and its index; and in `before` the files as they were after the first."""
    path = tmp_path / "out" / "state.sqlite"
    attempt(path, 1)
    shutil.copytree(path.parent, tmp_path / "before")
    attempt(path, 2)
    return path


def attempt(path, number):
    index = path.with_name("index.json")
    with Store.open(path, index) as store:
        with store.transaction():
            register(store, [make_job(number)], None)
            made = store.intend(make_job(number), 1000.0, None, "USD")
        store.secure(made.number)
        head = {"version": 1, "state": store.id, "intents": store.intents(), "totals": {}, "jobs": []}
        index.write_text(json.dumps(head))


def files(folder):
    """All but what readers of a log share, in which they note their locks."""
    found = (each for each in folder.iterdir() if each.is_file() and not each.name.endswith("-shm"))
    return {each.name: each.read_bytes() for each in found}


def assert_damaged(path, words):
    """Both ways of opening refuse the state, say the way on, and leave every file as it is."""
    before = files(path.parent)
    for opening in (Store.open, Store.read):
        with pytest.raises(DamagedStateError, match=words) as caught:
            opening(path, path.with_name("index.json"))
        assert "--new-state" in caught.value.hint
        assert files(path.parent) == before


def put_back(path, *names):
    for name in names:
        shutil.copy(path.parent.parent / "before" / name, path.parent / name)


def test_the_latest_state_is_opened(state):
    for opening in (Store.open, Store.read):
        with opening(state, state.with_name("index.json")) as store:
            assert store.intents() == 2


@pytest.mark.parametrize("gone", ["state.sqlite.journal", "index.json"])
def test_a_copy_that_was_put_back_is_not_the_latest(state, gone):
    put_back(state, "state.sqlite")
    state.with_name(gone).unlink()
    assert_damaged(state, "ends with submission 1, but .* tells of number 2")


@pytest.mark.parametrize("gone", ["state.sqlite.journal", "index.json"])
def test_another_state_is_not_the_latest(state, gone):
    other = state.parent.parent / "other" / "state.sqlite"
    for number in (1, 2, 3):
        attempt(other, number)
    shutil.copy(other, state)
    state.with_name(gone).unlink()
    assert_damaged(state, "is of another state")


@pytest.mark.parametrize("kept", ["state.sqlite.journal", "index.json"])
def test_a_state_that_is_gone_is_missed(state, kept):
    for name in {"state.sqlite", "state.sqlite.journal", "index.json"} - {kept}:
        state.with_name(name).unlink()
    assert_damaged(state, f"it is gone, but .*{kept} is there")


def test_a_write_ahead_log_of_a_state_that_is_gone_is_not_mixed_into_a_new_one(tmp_path):
    (tmp_path / "state.sqlite-wal").write_bytes(b"pages of the old state")
    assert_damaged(tmp_path / "state.sqlite", "it is gone, but .*-wal is there")


def test_an_empty_file_is_no_state_whatever_lies_beside_it(state):
    os.truncate(state, 0)
    assert_damaged(state, "it is empty")
    for name in ("state.sqlite.journal", "index.json"):
        state.with_name(name).unlink()
    assert_damaged(state, "it is empty")


def test_all_of_it_put_back_together_is_what_nobody_can_tell_from_the_latest(state):
    put_back(state, "state.sqlite", "state.sqlite.journal", "index.json")
    with Store.open(state, state.with_name("index.json")) as store:
        assert store.intents() == 1


def test_where_nothing_is_known_a_new_state_is_made(tmp_path):
    index = tmp_path / "index.json"
    assert Store.read(tmp_path / "state.sqlite", index) is None
    with Store.open(tmp_path / "state.sqlite", index) as store:
        assert (store.intents(), len(store.id)) == (0, 32)
    assert list(tmp_path.iterdir()) == [tmp_path / "state.sqlite"]


def test_every_state_has_an_id_of_its_own_and_keeps_it(tmp_path):
    ids = []
    for name in ("one", "two", "one"):
        with Store.open(tmp_path / name) as store:
            ids.append(store.id)
    assert ids[0] == ids[2] != ids[1]


def test_an_older_state_gets_an_id_from_a_run_alone(tmp_path):
    path = write_state(tmp_path / "state.sqlite", 4)
    with Store.read(path) as store:
        assert (store.id, store.intents()) == (None, 15)
    with Store.open(path) as store:
        assert (len(store.id), store.intents()) == (32, 15)


def test_an_older_state_that_was_put_back_after_its_migration_is_not_the_latest(tmp_path):
    path = write_state(tmp_path / "state.sqlite", 4)
    older = path.read_bytes()
    with Store.open(path) as store:
        store.secure(15)
    path.write_bytes(older)
    assert_damaged(path, "is of another state")


@pytest.mark.parametrize("number", [15, 16])
def test_the_index_of_an_older_state_counts_by_its_number_alone(tmp_path, number):
    path = write_state(tmp_path / "state.sqlite", 4)
    (tmp_path / "index.json").write_text(json.dumps({"state": None, "intents": number, "jobs": []}))
    if number > 15:
        assert_damaged(path, "tells of number 16")
    else:
        Store.open(path, tmp_path / "index.json").close()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1]", b'{"state": 5, "intents": "many"}', b'{"jobs": []}', b'{"intents": 1.5}'],
)
def test_an_index_that_cannot_be_read_tells_nothing(state, content):
    state.with_name("index.json").write_bytes(content)
    Store.open(state, state.with_name("index.json")).close()


def test_only_the_head_of_an_index_is_read(state):
    state.with_name("index.json").write_text('{"jobs": [broken')
    Store.open(state, state.with_name("index.json")).close()


def test_the_journal_has_the_number_before_the_posts_leave(state):
    with Store.open(state) as store:
        for number in (3, 7):
            store.secure(number)
        lines = journal.journal_path(state).read_text().split("\n")
        assert [each for each in lines if each] == [f"{store.id} {number}" for number in (2, 3, 7)]
    assert_damaged(state, "ends with submission 2, but .*journal tells of number 7")


@pytest.mark.parametrize("cut", ["", "0", f"{'0' * 32}", f"{'0' * 32} ", f"{'0' * 32} 99"])
def test_a_last_line_without_its_end_does_not_count_and_spoils_no_later_one(state, cut):
    with journal.journal_path(state).open("a") as file:
        file.write(cut)
    Store.open(state).close()
    attempt(state, 3)
    content = journal.journal_path(state).read_text()
    assert content.endswith(" 3\n")
    assert "\n" in content.removesuffix("\n")


def test_a_copy_that_was_put_back_beside_the_log_of_a_killed_run_is_not_the_latest(state):
    """The log alone would make it look like the latest."""
    with Store.open(state) as store:
        with store.transaction():
            store.remember("note", "in the log")
        store.secure(2)
        log = state.with_name("state.sqlite-wal").read_bytes()
    put_back(state, "state.sqlite")
    state.with_name("state.sqlite-wal").write_bytes(log)
    assert_damaged(state, "not the one that .*-wal belongs to")


def test_the_log_of_a_killed_run_belongs_to_its_state(state):
    with Store.open(state) as store:
        with store.transaction():
            register(store, [make_job(3)], None)
            store.secure(store.intend(make_job(3), 1000.0, None, "USD").number)
        shutil.copytree(state.parent, state.parent.parent / "killed")
    for opening in (Store.read, Store.open):
        with opening(
            state.parent.parent / "killed" / state.name, state.parent.parent / "killed" / "index.json"
        ) as store:
            assert store.intents() == 3


def test_a_journal_that_is_none_is_damage(state):
    journal.journal_path(state).write_bytes(b"\0\xff nothing of ours\n")
    assert_damaged(state, "is no journal")


def test_a_long_journal_is_written_anew(state, monkeypatch):
    monkeypatch.setattr(journal, "_LONGEST", 100)
    with Store.open(state) as store:
        for number in range(3, 12):
            store.secure(number)
            assert journal.journal_path(state).stat().st_size < 200
            assert journal.journal_path(state).read_text().endswith(f"{store.id} {number}\n")
    assert not state.with_name("state.sqlite.journal.part").exists()


NAMES = ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm", "state.sqlite-journal", "state.sqlite.journal"]


@pytest.mark.parametrize("name", NAMES)
def test_a_link_in_the_place_of_a_file_is_refused_and_not_followed(state, name):
    precious = state.parent.parent / "precious"
    precious.write_bytes(b"precious")
    state.with_name(name).unlink(missing_ok=True)
    state.with_name(name).symlink_to(precious)
    for opening in (Store.open, Store.read):
        with pytest.raises(StateError, match="is a link") as caught:
            opening(state)
        assert "remove it" in caught.value.hint
    assert precious.read_bytes() == b"precious"


def test_a_link_that_is_planted_during_a_run_is_not_written_through(state):
    precious = state.parent.parent / "precious"
    precious.write_bytes(b"precious")
    with Store.open(state) as store:
        store.secure(3)
        journal.journal_path(state).unlink()
        journal.journal_path(state).symlink_to(precious)
        with pytest.raises(DiskError, match="symbolic links"):
            store.secure(4)
    assert precious.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["state.sqlite", "state.sqlite.journal", "index.json"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(state, name):
    state.with_name(name).unlink()
    os.mkfifo(state.with_name(name))
    if name == "state.sqlite":
        with pytest.raises(StateError, match="it is empty"):
            Store.open(state)
        return
    with Store.open(state, state.with_name("index.json")) as store:
        store.secure(3)
    assert journal.journal_path(state).read_text().endswith(" 3\n")


def test_a_number_that_is_none_is_damage(state):
    with closing(connect(state)) as connection, connection:
        connection.execute("UPDATE sqlite_sequence SET seq = 'many'")
    assert_damaged(state, "ends with submission 0")
