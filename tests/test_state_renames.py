"""Renames of finished clips: real files, and real kills at every step."""

import hashlib
import os
import signal
from contextlib import contextmanager
from dataclasses import replace

import pytest

from runner.errors import DiskError
from runner.model import Artifact, Status
from runner.state import renames
from runner.state.renames import carry_out
from runner.state.store import Store
from tests import kit
from tests.kit import make_job

OLD, NEW = make_job(1), replace(make_job(2), output=make_job(1).output)
HERO = OLD.output
ASIDE, SPARE = f"orphaned/{HERO}-{OLD.id[:8]}", f"{HERO}-{NEW.id[:8]}"


def files(folder):
    """The contents of all clips and thumbnails, by their paths."""
    found = (path for name in ("videos", "thumbnails") for path in (folder / name).rglob("*"))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found if path.is_file()}


def kept(folder, store, job, path, words):
    """A finished clip with its thumbnail."""
    attempt = store.intend(replace(job, output=path), 1.0, None, "USD")
    for kind, name in (("video", f"videos/{attempt.path}.mp4"), ("thumbnail", f"thumbnails/{attempt.path}.jpg")):
        content = f"{kind} {words}".encode()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        store.keep(job.id, kind, Artifact(name, hashlib.sha256(content).hexdigest(), len(content)))
    store.conclude(attempt, Status.SUCCEEDED, 2.0)


@contextmanager
def opened(folder):
    with Store.open(folder / "state.sqlite") as store:
        yield store


@pytest.fixture
def folder(tmp_path):
    """The clip of an orphan has the name that the current one, which lies beside it, is to get."""
    with opened(tmp_path) as store:
        with store.transaction():
            kit.register(store, [OLD], "before")
            kept(tmp_path, store, OLD, HERO, "old")
        with store.transaction():
            kit.register(store, [NEW], "now")
            kept(tmp_path, store, NEW, HERO, "new")
        assert files(tmp_path)[f"videos/{SPARE}.mp4"] == "video new"
        with store.transaction():
            assert store.give_path(NEW.id, HERO)
    return tmp_path


MOVED = {
    f"videos/{HERO}.mp4": "video new",
    f"thumbnails/{HERO}.jpg": "thumbnail new",
    f"videos/{ASIDE}.mp4": "video old",
    f"thumbnails/{ASIDE}.jpg": "thumbnail old",
}


def assert_recorded(folder, store):
    """The state knows each file by its content."""
    told = {each.path: each for job in (OLD, NEW) for each in store.artifacts(job.id).values()}
    found = files(folder)
    assert {path: hashlib.sha256(found[path].encode()).hexdigest() for path in told} == {
        path: each.sha256 for path, each in told.items()
    }
    assert store.moves() == []


def test_an_orphan_makes_room_for_the_current_clip(folder):
    with opened(folder) as store:
        assert carry_out(store, folder) == 2
        assert files(folder) == MOVED
        assert (store.path_of(NEW.id), store.path_of(OLD.id)) == (HERO, ASIDE)
        assert_recorded(folder, store)
        assert carry_out(store, folder) == 0


def killed_at(step, folder):
    """Carry out the moves in a process that kills itself at a step; whether it came so far."""
    child = os.fork()
    if child == 0:
        left = [step]

        def stepping(work):
            def worked(*values, **names):
                result = work(*values, **names)
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return worked

        for owner, name in ((renames, "_put"), (renames, "_sync"), (renames, "create_folders"), (Store, "finish_move")):
            setattr(owner, name, stepping(getattr(owner, name)))
        with opened(folder) as store:
            committed = store.transaction

            @contextmanager
            def transaction():
                with committed():
                    yield
                stepping(int)()

            store.transaction = transaction
            carry_out(store, folder)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_move_that_is_cut_at_any_step_is_finished_by_the_next_run(tmp_path_factory, folder):
    for step in range(40):
        place = tmp_path_factory.mktemp("cut") / "out"
        os.system(f"cp -r {folder} {place}")
        if not killed_at(step, place):
            break
        assert sorted(files(place).values()) == sorted(MOVED.values()), "nothing is lost, whenever it is cut"
        with opened(place) as store:
            carry_out(store, place)
            assert files(place) == MOVED, step
            assert_recorded(place, store)
    assert step > 10, "each rename, sync, record and commit"


@pytest.mark.parametrize(
    ("where", "paths"), [(f"videos/{ASIDE}.mp4", (HERO, SPARE)), ("videos/orphaned", (HERO, SPARE))]
)
def test_nothing_is_renamed_onto_a_file(folder, where, paths):
    (folder / where).parent.mkdir(parents=True, exist_ok=True)
    (folder / where).write_text("somebody's own")
    before = files(folder)
    with opened(folder) as store:
        assert carry_out(store, folder) == 0
        assert files(folder) == before
        assert (store.path_of(OLD.id), store.path_of(NEW.id)) == paths
        assert_recorded(folder, store)


def test_where_the_name_that_became_free_is_taken_the_clip_stays_beside_it(folder):
    with opened(folder) as store:
        (folder / f"videos/{HERO}.mp4").rename(folder / "own.mp4")
        (folder / f"videos/{HERO}.mp4").symlink_to(folder / "own.mp4")
        (folder / f"videos/{HERO}.webm").write_text("another kind of file is no obstacle")
        carry_out(store, folder)
        assert (folder / f"videos/{ASIDE}.mp4").is_symlink(), "what stands for the orphan's clip goes with it"
        assert (folder / f"videos/{HERO}.mp4").read_text() == "video new"


def test_a_thumbnail_that_cannot_go_along_stays(folder):
    own = folder / f"thumbnails/{ASIDE}.jpg"
    own.parent.mkdir(parents=True)
    own.write_text("somebody's own")
    with opened(folder) as store:
        carry_out(store, folder)
        found = files(folder)
        assert (found[f"videos/{HERO}.mp4"], found[f"thumbnails/{HERO}.jpg"]) == ("video new", "thumbnail old")
        assert found[f"thumbnails/{SPARE}.jpg"] == "thumbnail new"
        assert_recorded(folder, store)


def test_a_clip_that_was_deleted_leaves_its_name_all_the_same(folder):
    (folder / f"videos/{HERO}.mp4").unlink()
    with opened(folder) as store:
        carry_out(store, folder)
        assert files(folder) == {path: words for path, words in MOVED.items() if words != "video old"}
        assert store.artifacts(OLD.id)["video"].path == f"videos/{ASIDE}.mp4"


def test_what_is_being_downloaded_is_waited_for(folder):
    before = files(folder)
    with opened(folder) as store:
        assert carry_out(store, folder, {OLD.id}) == 0
        assert (files(folder), len(store.moves())) == (before, 2)
        assert carry_out(store, folder) == 2
        assert files(folder) == MOVED


def test_no_file_goes_through_a_link_out_of_the_folder(folder, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    (folder / "videos/orphaned").symlink_to(away)
    with opened(folder) as store, pytest.raises(DiskError, match="leads out of"):
        carry_out(store, folder)
    assert os.listdir(away) == []
