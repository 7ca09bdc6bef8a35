"""Two manifests of one state: each sees its own jobs, and a job that neither has is orphaned."""

import shutil
from contextlib import contextmanager

import pytest

from runner.model import Status
from runner.state.store import Store
from tests import kit
from tests.kit import make_job, write_state

ONE, TWO, BOTH, GONE = (make_job(number) for number in range(1, 5))


@pytest.fixture
def folder(tmp_path):
    """Two manifests, and the output folder that both name."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).touch()
    return tmp_path


@contextmanager
def seen(folder, name):
    with Store.open(folder / "out" / "state.sqlite") as store:
        yield store.seen_from(folder / name)


def planned(folder, name, *jobs, digest=None, submit=()):
    """Register the plan of a manifest, and submit some of its jobs."""
    with seen(folder, name) as store, store.transaction():
        kit.register(store, jobs, digest)
        for job in submit:
            store.accept(store.intend(job, 1.0, None, "USD"), f"r-{job.id}", 2.0)


def told(folder, name):
    """The jobs that a manifest sees in their order, each with whether it is orphaned."""
    with seen(folder, name) as store:
        return [(each.variables["n"], each.orphaned) for each in store.records()]


def test_each_manifest_sees_its_own_jobs_and_the_orphans(folder):
    planned(folder, "a.yaml", ONE, BOTH, GONE, submit=(ONE, GONE))
    planned(folder, "a.yaml", ONE, BOTH)
    planned(folder, "b.yaml", TWO, BOTH, submit=(TWO,))
    assert told(folder, "a.yaml") == [(1, False), (3, False), (4, True)]
    assert told(folder, "b.yaml") == [(2, False), (3, False), (4, True)]
    with seen(folder, "a.yaml") as store:
        assert store.totals()[Status.WAITING] == sum(store.totals().values()) - 1 == 2
        assert store.unfinished_totals() == {Status.PENDING: 1, Status.WAITING: 2}
        assert [each.variables["n"] for each in store.unfinished()] == [1, 3, 4]
        assert [each.variables["n"] for each in store.unfinished(2)] == [1, 3]
        ids = {int(job.id, 16) for job in (ONE, BOTH)}
        assert store.orphan_totals(ids) == {Status.WAITING: 1}
        assert [each.id for each in store.orphans(ids)] == [GONE.id]


def test_a_name_goes_when_a_later_plan_lacks_the_job(folder):
    planned(folder, "a.yaml", ONE, BOTH, submit=(ONE, BOTH))
    planned(folder, "b.yaml", BOTH)
    planned(folder, "a.yaml", TWO)
    assert told(folder, "a.yaml") == [(2, False), (1, True)]
    assert told(folder, "b.yaml") == [(3, False), (1, True)]
    planned(folder, "b.yaml", TWO)
    assert told(folder, "b.yaml") == [(2, False), (3, True), (1, True)]
    planned(folder, "a.yaml", BOTH, ONE)
    assert told(folder, "a.yaml") == [(3, False), (1, False)], "in the order of its plan"


@pytest.mark.parametrize("order", [(ONE, BOTH, TWO), (BOTH, TWO, ONE), (TWO, ONE, BOTH)])
def test_the_order_is_that_of_each_manifest(folder, order):
    planned(folder, "a.yaml", *order)
    planned(folder, "b.yaml", *order[::-1])
    numbers = [job.variables["n"] for job in order]
    assert [number for number, _ in told(folder, "a.yaml")] == numbers
    assert [number for number, _ in told(folder, "b.yaml")] == numbers[::-1]


def test_a_name_goes_with_its_file_and_a_new_manifest_may_be_that_one(folder):
    planned(folder, "a.yaml", ONE, submit=(ONE,))
    planned(folder, "b.yaml", TWO, submit=(TWO,))
    (folder / "a.yaml").unlink()
    assert told(folder, "b.yaml") == [(2, False), (1, True)]
    (folder / "c.yaml").touch()
    assert told(folder, "c.yaml") == [(1, False)], "it may be a.yaml under another name"
    planned(folder, "c.yaml", ONE)
    assert told(folder, "b.yaml") == [(2, False)]


def test_a_manifest_that_was_never_planned_has_no_jobs(folder):
    planned(folder, "a.yaml", ONE, submit=(ONE,))
    assert told(folder, "b.yaml") == []
    with seen(folder, "b.yaml") as store:
        assert (store.is_planned, sum(store.totals().values())) == (False, 0)


def test_the_manifest_that_made_the_state_has_the_plain_index(folder):
    def names():
        found = {}
        for path in sorted(folder.glob("*.yaml")):
            with seen(folder, path.name) as store:
                found[path.stem] = store.index_name
        return found

    planned(folder, "b.yaml", TWO)
    assert names() == {"a": "index.a", "b": "index"}
    planned(folder, "a.yaml", ONE)
    planned(folder, "b.yaml", TWO, BOTH)
    (folder / "a.yml").touch()
    planned(folder, "a.yml", GONE)
    assert names() == {"a": "index.a", "b": "index"}
    with seen(folder, "a.yml") as store:
        assert store.index_in(folder) == folder / "index.a-2.json"
    (folder / "b.yaml").rename(folder / "c.yaml")
    assert names() == {"a": "index.a", "c": "index"}, "whoever comes when the first one is gone takes its place"
    planned(folder, "c.yaml", TWO)
    assert names() == {"a": "index.a", "c": "index"}


def test_a_plan_that_is_as_before_is_not_registered_again(folder):
    planned(folder, "a.yaml", ONE, digest="1")
    with seen(folder, "a.yaml") as store, store.transaction():
        assert store.registering("1") is None
        assert store.registering(None) is not None
    planned(folder, "a.yaml", ONE, BOTH, digest="2")
    planned(folder, "b.yaml", TWO, digest="2")
    with seen(folder, "a.yaml") as store, store.transaction():
        assert store.registering("2") is None
    planned(folder, "b.yaml", BOTH, digest="3")
    with seen(folder, "a.yaml") as store, store.transaction():
        assert store.registering("2") is not None, "the keys of a shared job are those of the last plan that has it"


def test_both_may_be_moved_together(folder):
    planned(folder, "a.yaml", ONE)
    planned(folder, "b.yaml", TWO)
    moved = folder.parent / f"{folder.name}-moved"
    shutil.move(folder, moved)
    assert told(moved, "a.yaml") == [(1, False)]
    (folder.parent / f"{folder.name}-link").symlink_to(moved)
    assert told(folder.parent / f"{folder.name}-link", "b.yaml") == [(2, False)], "by whatever way one comes"


def test_the_jobs_of_an_older_state_have_the_name_of_the_first_manifest_until_another_claims_them(tmp_path):
    """A state of version 5 did not say whose its last plan was."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "out").mkdir()
    write_state(tmp_path / "out" / "state.sqlite", 5)

    def orphans(name):
        with seen(tmp_path, name) as store:
            return {each.variables.get("fate") for each in store.records() if each.orphaned}

    with seen(tmp_path, "a.yaml") as store:
        lost = next(each for each in store.open_attempts() if each.request_id is None)
        assert len([each for each in store.records() if not each.orphaned]) == 13
    assert orphans("a.yaml") == {"gone", "leaving"}
    planned(tmp_path, "a.yaml", ONE)
    assert orphans("a.yaml") == {"gone", "leaving"}, "the others may be those of b.yaml"
    with seen(tmp_path, "a.yaml") as store:
        listed = {each.variables.get("fate"): each.orphaned for each in store.records()}
        assert listed[lost.variables["fate"]] is False, "it stands in the index all the same"
        assert not store.is_orphan(lost.job_id)
    planned(tmp_path, "a.yaml", ONE, TWO)
    assert lost.variables["fate"] in orphans("a.yaml")
