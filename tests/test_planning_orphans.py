"""Orphans: counted at once, and read from the state when they are asked for."""

from __future__ import annotations

from pathlib import Path

from runner.model import Status
from runner.planning.plan import Orphans
from runner.state.store import Store
from tests.kit import make_job, register


def test_they_are_counted_and_read_again(tmp_path):
    path = tmp_path / "state.sqlite"
    jobs = [make_job(number) for number in range(6)]
    with Store.open(path) as store:
        for plan in (jobs[:3], jobs[3:]):
            with store.transaction():
                register(store, plan, repr(plan))
        with store.transaction():
            for job in jobs[1:5]:
                store.intend(job, 1000.0, None, "USD")
            store.withdraw(next(each for each in store.open_attempts() if each.job_id == jobs[1].id))
        ids = {int(jobs[4].id, 16)}
        orphans = Orphans(store.orphan_totals(ids), path, ids)
    assert orphans.totals == {Status.UNKNOWN: 2}
    assert len(orphans) == 2
    # The latest plan's first; what was never submitted is none.
    assert [each.key for each in orphans] == [jobs[3].key, jobs[2].key]
    assert list(orphans) == list(orphans)


def test_where_there_are_none_nothing_is_read():
    assert not Orphans()
    assert list(Orphans({}, Path("/nowhere"), ())) == []
