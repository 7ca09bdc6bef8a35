"""Retakes in the plan: which there are, why, and within which limits."""

from __future__ import annotations

import pytest
import yaml

from runner.errors import ManifestError
from runner.manifest.reader import load
from runner.model import Action, AskedTake, Status
from runner.planning import lockfile
from runner.verdicts.verdict import Undo
from runner.verdicts.verdict_files import append, file_of, folder_of
from tests.kit import write_manifest
from tests.reviewing import buy, open_store, planned, say

ON = {"rejected": True, "most": 2}


def campaign(folder, **keys):
    """2 pictures x 2 prompts x 2 takes = 8 jobs, of which all are bought."""
    prompts = [{"id": name, "text": f"A slow push-in, {name}"} for name in ("plain", "mood")]
    keys = {"takes": 2, "prompts": prompts, "retake": ON, "budget": {"price_per_job": 1}, **keys}
    return write_manifest(folder, pictures=2, **keys)


@pytest.fixture
def bought(tmp_path):
    path = campaign(tmp_path)
    return path, {job.key: job for job in buy(path)}


def changed(path, **keys):
    content = yaml.safe_load(path.read_text())
    content.update(keys)
    path.write_text(yaml.safe_dump({name: each for name, each in content.items() if each is not None}))


def submits(plan):
    return {each.job.key: each.reason for each in plan.submits}


def test_a_rejected_take_is_replaced_by_a_further_one(bought):
    path, jobs = bought
    assert submits(planned(path)) == {}
    say(path, jobs["p0/plain/take-1"])
    say(path, jobs["p1/mood/take-2"], by="bob")
    say(path, jobs["p1/mood/take-2"])
    plan = planned(path)
    assert submits(plan) == {
        "p0/plain/take-3": "retake: rejected by ann",
        "p1/mood/take-3": "retake: rejected by ann and bob",
    }
    assert (plan.retakes, plan.totals[Action.KEEP], plan.cost) == (2, 8, 2)
    first = next(iter(plan.submits)).job
    original = jobs["p0/plain/take-1"]
    assert (first.fingerprint, first.take, first.cell) == (original.fingerprint, 3, original.cell)
    assert len(buy(path)) == 2
    assert submits(planned(path)) == {}, "bought once"


@pytest.mark.parametrize("way", ["picked by another", "undone", "stale", "marked none", "not on", "no clip"])
def test_what_is_no_rejection_that_counts(bought, way):
    path, jobs = bought
    job = jobs["p0/plain/take-1"]
    line = say(path, job, sha256="0" * 64 if way == "stale" else "")
    if way == "picked by another":
        say(path, job, "pick", "bob")
    if way == "undone":
        append(folder_of(path), "ann", Undo(line.sha256), {})
    if way == "marked none":
        say(path, job, "none")
    if way == "not on":
        changed(path, retake=None)
    if way == "no clip":
        with open_store(load(path)) as store, store.transaction():
            store.write("DELETE FROM artifacts WHERE job_id = ?", (job.id,))
    plan = planned(path)
    assert submits(plan) == {}
    assert bool(plan.notes) == (way in ("stale", "no clip"))


def test_there_are_at_most_so_many_a_cell(bought):
    path, jobs = bought
    for take in (1, 2):
        say(path, jobs[f"p0/plain/take-{take}"])
    assert set(submits(planned(path))) == {"p0/plain/take-3", "p0/plain/take-4"}
    for job in buy(path):
        say(path, job)
    assert submits(planned(path)) == {}, "most is 2"
    changed(path, retake={"rejected": True, "most": 3})
    assert set(submits(planned(path))) == {"p0/plain/take-5"}, "a retake that is rejected is replaced, too"


def test_never_fewer_than_were_bought(bought):
    path, jobs = bought
    say(path, jobs["p0/plain/take-1"])
    (retake,) = buy(path)
    file_of(folder_of(path), "ann").unlink()
    changed(path, retake=None)
    plan = planned(path)
    assert (len(plan.jobs), plan.retakes, len(plan.orphaned), submits(plan)) == (9, 1, 0, {})
    changed(path, takes=1)
    assert {each.job.take for each in planned(path).jobs if each.job.cell == retake.cell} == {1, 2, 3}


def test_a_gap_below_a_bought_one_is_not_bought_by_itself(bought):
    path, jobs = bought
    for take in (1, 2):
        say(path, jobs[f"p0/plain/take-{take}"])
    third, fourth = (each.job for each in planned(path).submits)
    buy(path, [fourth])
    assert submits(planned(path)) == {third.key: "retake: rejected by ann"}
    assert submits(planned(path, is_locked=True)) == {}
    file_of(folder_of(path), "ann").unlink()
    plan = planned(path)
    assert (submits(plan), {each.job.take for each in plan.jobs if each.job.cell == fourth.cell}) == ({}, {1, 2, 4})


def test_bought_ones_stay_whatever_max_jobs_is(bought):
    path, jobs = bought
    say(path, jobs["p0/plain/take-1"])
    (retake,) = buy(path)
    changed(path, budget={"max_jobs": 8})
    plan = planned(path)
    assert (len(plan.jobs), len(plan.orphaned), submits(plan)) == (9, 0, {})
    assert retake.id in {each.job.id for each in plan.jobs}


def test_one_that_is_under_way_is_carried_through(bought):
    path, jobs = bought
    say(path, jobs["p0/plain/take-1"])
    buy(path, status=Status.UNKNOWN)
    file_of(folder_of(path), "ann").unlink()
    (attached,) = (each for each in planned(path).jobs if each.action is Action.ATTACH)
    assert attached.job.key == "p0/plain/take-3"


def test_above_max_jobs_they_are_told_and_not_planned(bought):
    path, jobs = bought
    for key in ("p0/plain/take-1", "p0/mood/take-1", "p1/mood/take-1"):
        say(path, jobs[key])
    changed(path, budget={"max_jobs": 10})
    plan = planned(path)
    assert (len(submits(plan)), plan.retakes, plan.above) == (2, 2, 1)
    (found,) = plan.diagnostics
    assert (found.code, found.message) == ("W541", "retakes above max_jobs are not planned: 1")
    assert "max_jobs: 11" in found.hint
    assert plan.notes == ("1 retake is wanted, and not planned: max_jobs is 10",)
    # Those that were bought go before new ones, whatever the order of the cells.
    buy(path, [each.job for each in plan.submits][1:])
    changed(path, budget={"max_jobs": 9})
    (kept,) = (each for each in planned(path).jobs if each.job.take > 2)
    assert (kept.action, kept.job.key) == (Action.KEEP, "p0/mood/take-3")
    changed(path, budget={"max_jobs": 7})
    with pytest.raises(ManifestError, match="more than 7 jobs"):
        planned(path)


def test_locked_there_are_no_new_ones_and_the_lockfile_has_none(bought):
    path, jobs = bought
    target = lockfile.path_of(path)
    for key in ("p0/plain/take-1", "p1/mood/take-1"):
        say(path, jobs[key])
    with_retakes = planned(path)
    target.write_text("".join(lockfile.lines(with_retakes.manifest, with_retakes.each())))
    assert len(lockfile.read(target).section("jobs")) == 8
    locked = planned(path, is_locked=True)
    assert (len(locked.jobs), locked.held, submits(locked)) == (8, 2, {})
    assert locked.notes == ("2 retakes are wanted, and not bought: --locked buys no new ones",)
    assert lockfile.check(locked.manifest, locked.each()) == ()
    buy(path, [next(iter(with_retakes.submits)).job])
    locked = planned(path, is_locked=True)
    assert (len(locked.jobs), locked.retakes, locked.held, submits(locked)) == (9, 1, 1, {})
    assert lockfile.check(locked.manifest, locked.each(), strict=True) == ()


def test_takes_that_differ_in_their_requests(tmp_path):
    path = campaign(tmp_path, params={"negative_prompt": "not {{ take }}"})
    jobs = {job.key: job for job in buy(path)}
    say(path, jobs["p0/plain/take-2"])
    (retake,) = buy(path)
    assert (retake.key, retake.payload["negative_prompt"]) == ("p0/plain/take-3", "not 3")
    assert retake.cell == jobs["p0/plain/take-1"].fingerprint
    changed(path, retake=None)
    plan = planned(path)
    assert (len(plan.jobs), plan.retakes, submits(plan)) == (9, 1, {})


def test_what_was_asked_for_is_there_with_and_without_retake(bought):
    path, jobs = bought
    changed(path, retake=None)
    job = jobs["p0/plain/take-1"]
    with open_store(load(path)) as store, store.transaction():
        store.ask(AskedTake(job.cell, 1, 3, "bob"))
        store.ask(AskedTake(job.cell, 1, 4, "ann"))
    assert submits(planned(path)) == {"p0/plain/take-3": "retake: asked for by bob"}
    say(path, job)
    assert submits(planned(path)) == {"p0/plain/take-3": "retake: rejected by ann"}
    changed(path, retake=ON)
    assert len(submits(planned(path))) == 1, "the rejection and the ask are one retake"
    assert planned(path, is_locked=True).held == 1


def test_cells_of_one_request_have_their_retakes_together(tmp_path):
    prompts = [{"id": name, "text": "A slow push-in"} for name in ("plain", "same")]
    path = campaign(tmp_path, prompts=prompts)
    jobs = buy(path)
    say(path, jobs[0])
    plan = planned(path)
    assert submits(plan) == {"p0/plain/take-3": "retake: rejected by ann"}
    assert ("p0/plain/take-3", "p0/same/take-3") in plan.duplicates


def test_a_plan_too_large_for_memory_has_the_same_retakes(bought, monkeypatch):
    path, jobs = bought
    say(path, jobs["p0/plain/take-1"])
    kept = [(each.job.key, each.reason) for each in planned(path).jobs]
    monkeypatch.setattr("runner.planning.tally.KEPT", 3)
    assert [(each.job.key, each.reason) for each in planned(path).jobs] == kept
    assert ("p0/plain/take-3", "retake: rejected by ann") in kept


def test_a_plan_with_other_retakes_is_registered_anew(bought):
    path, jobs = bought
    say(path, jobs["p0/plain/take-1"])
    buy(path, [])
    with open_store(load(path)) as store:
        assert sum(1 for _ in store.records()) == 9
    file_of(folder_of(path), "ann").unlink()
    buy(path, [])
    with open_store(load(path)) as store:
        assert sum(1 for _ in store.records()) == 8, "it was never bought"
