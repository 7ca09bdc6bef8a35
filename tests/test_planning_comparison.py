"""What the state says of jobs, asked about a part of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner.model import REFUSED_CONTENT, Action, Change, Status
from runner.planning.comparison import NOT_SELECTED, compared
from runner.planning.prices import Prices
from runner.planning.selection import EVERYTHING, Selection
from tests.test_planning_plan import plan, state_of


def test_without_a_state_every_job_is_new(tmp_path):
    made = plan(tmp_path, takes=2)
    jobs = [each.job for each in made.jobs]
    found = list(compared(made.manifest, jobs, None, EVERYTHING, Prices(made.manifest)))
    assert [(each.action, each.reason, each.former) for each in found] == [(Action.SUBMIT, "new", "")] * 2


def test_a_job_tells_which_one_had_its_key(tmp_path):
    made = plan(tmp_path)
    with state_of(made, Status.SUCCEEDED) as store:
        changed = plan(tmp_path, params={"cfg_scale": 0.7})
        (found,) = compared(changed.manifest, [changed.jobs[0].job], store, EVERYTHING, Prices(changed.manifest))
    assert found.changes == (Change("cfg_scale", 0.5, 0.7),)
    assert found.former == made.jobs[0].job.id
    assert found.reason == "changed: cfg_scale"


def test_what_was_spent_comes_along_whatever_is_done(tmp_path):
    made = plan(tmp_path, takes=3, budget={"price_per_job": 1})
    with state_of(made, Status.SUCCEEDED, Status.FAILED) as store:
        jobs = [each.job for each in made.jobs]
        found = list(compared(made.manifest, jobs, store, Selection(only=("*take-2",)), Prices(made.manifest)))
    assert [(each.reason, each.spent) for each in found] == [
        (NOT_SELECTED, Decimal("0.25")),
        ("failed; --retry-failed submits it again", Decimal("0.25")),
        (NOT_SELECTED, Decimal(0)),
    ]


@pytest.mark.parametrize(
    ("flags", "submitted"),
    [({}, []), ({"retry_failed": True}, [0]), ({"retry_rejected": True}, [1, 2])],
)
def test_each_retry_is_for_one_kind_of_end_alone(tmp_path, flags, submitted):
    made = plan(tmp_path, takes=3)
    with state_of(made, Status.FAILED, Status.FAILED, Status.REJECTED) as store:
        jobs = [each.job for each in made.jobs]
        with store.transaction():
            store.write("UPDATE jobs SET reason = ? WHERE id = ?", (REFUSED_CONTENT, jobs[1].id))
        found = list(compared(made.manifest, jobs, store, Selection(**flags), Prices(made.manifest)))
    assert [number for number, each in enumerate(found) if each.action is Action.SUBMIT] == submitted
    if not flags:
        assert [each.reason for each in found] == [
            "failed; --retry-failed submits it again",
            "failed (refused for its content); --retry-rejected submits it again",
            "rejected; --retry-rejected submits it again",
        ]
