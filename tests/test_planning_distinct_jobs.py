"""Distinct jobs: the same whether a plan is held in memory or made again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ManifestError
from runner.manifest.reader import load
from runner.model import Action, Status
from runner.planning import plan as planning
from runner.planning import tally
from runner.planning.plan import RemadeJobs, make_plan
from runner.planning.selection import Selection
from runner.state.store import Store
from tests.kit import write_manifest
from tests.test_planning_plan import state_of

VALUES = st.lists(
    st.sampled_from(["rock", "Rock", "rock!", "sand", "a/b", "con", 1, 1.0, "1", True]), min_size=1, max_size=5
)


@pytest.fixture
def small(monkeypatch):
    """Every plan is too large to be held, and the state is asked in small parts."""
    monkeypatch.setattr(tally, "KEPT", 0)
    monkeypatch.setattr(tally, "HELD", 2)
    monkeypatch.setattr(planning, "_BATCH", 2)


def sweep(folder, values=("wet rock", "wet-rock", "sand"), **keys):
    content = {
        "prompts": [{"id": "a", "text": "{{ s | string }} pans"}, {"id": "b", "text": "sand pans"}],
        "takes": 2,
        **keys,
    }
    return load(write_manifest(folder, matrix={"s": list(values)}, **content))


def seen(made):
    return (
        list(made.jobs),
        list(made.submits),
        made.opened,
        made.groups,
        made.duplicates,
        made.totals,
        made.cells,
        len(made.jobs),
    )


def test_a_plan_that_is_made_again_is_the_plan_that_is_held(tmp_path, monkeypatch):
    manifest = sweep(tmp_path)
    held = make_plan(manifest)
    monkeypatch.setattr(tally, "KEPT", 0)
    monkeypatch.setattr(planning, "_BATCH", 3)
    again = make_plan(manifest)
    assert isinstance(again.jobs, RemadeJobs)
    assert seen(again) == seen(held)
    assert again.jobs[1] == held.jobs[1]
    assert again.jobs[1:3] == list(held.jobs[1:3])


@given(VALUES)
@settings(max_examples=30)
def test_any_values_plan_alike(tmp_path_factory, values):
    manifest = sweep(tmp_path_factory.mktemp("any"), values)
    held = make_plan(manifest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "KEPT", 0)
        patch.setattr(tally, "HELD", 1)
        patch.setattr(planning, "_BATCH", 1)
        assert seen(make_plan(manifest)) == seen(held)
    keys = [each.job.key.casefold() for each in held.jobs]
    assert len(set(keys)) == len(keys)


@pytest.mark.usefixtures("small")
def test_the_state_is_told_of_late_names_too(tmp_path):
    manifest = sweep(tmp_path)
    with Store.open(manifest.output.state) as store:
        with store.transaction():
            made = make_plan(manifest, store, open_register=store.registering)
        records = list(store.records())
    assert [(each.key, each.aliases) for each in records] == [(each.job.key, each.job.aliases) for each in made.jobs]
    assert any("~" in each.key for each in records)
    assert any(each.aliases for each in records)


@pytest.mark.usefixtures("small")
def test_a_resumed_plan_keeps_only_what_is_left(tmp_path):
    manifest = sweep(tmp_path)
    first = make_plan(manifest)
    fates = (Status.SUCCEEDED, Status.FAILED, Status.WAITING)
    with state_of(first, *fates) as store:
        made = make_plan(manifest, store, Selection(skip=("*sand/take-2",)))
        assert made.totals[Action.KEEP] == 1
        assert list(made.submits) == [each for each in made.jobs if each.action is Action.SUBMIT]
        assert list(made.opened) == [each for each in made.jobs if each.action is Action.ATTACH]
        assert made.submits
        assert made.opened


@pytest.mark.usefixtures("small")
def test_what_is_submitted_late_in_a_large_plan_is_what_was_planned(tmp_path):
    """The others are made again while the first are under way: the state tells of those, and their place is kept."""
    manifest = sweep(tmp_path)
    with Store.open(manifest.output.state) as store:
        with store.transaction():
            made = make_plan(manifest, store, open_register=store.registering)
        expected = [each.job.id for each in made.jobs]
        seen = []
        for each in made.submits:
            seen.append(each.job.id)
            with store.transaction():
                store.intend(each.job, 1000.0, None, "USD")
        assert seen == expected


@pytest.mark.usefixtures("small")
def test_a_name_that_moved_is_no_change_in_a_large_plan_either(tmp_path):
    arms = [{"id": "a", "text": "one pans"}, {"id": "b", "text": "two pans"}, {"id": "c", "text": "three"}]
    made = make_plan(load(write_manifest(tmp_path, prompts=arms)))
    with state_of(made, Status.SUCCEEDED, Status.SUCCEEDED) as store:
        moved = [{"id": "b", "text": "new pans"}, {"id": "d", "text": "two pans"}, {"id": "a", "text": "newer"}]
        again = make_plan(load(write_manifest(tmp_path, prompts=moved)), store)
        assert [(each.job.prompt_id, each.reason) for each in again.jobs] == [
            ("b", "new"), ("d", "done"), ("a", "changed: prompt 'a'"),
        ]  # fmt: skip
        assert {(group.action, group.reason, group.jobs) for group in again.groups} == {
            (Action.SUBMIT, "new", 1), (Action.KEEP, "done", 1), (Action.SUBMIT, "changed: prompt 'a'", 1),
        }  # fmt: skip


@pytest.mark.usefixtures("small")
def test_shared_paths_are_told_in_a_large_plan_too(tmp_path):
    with pytest.raises(ManifestError) as caught:
        make_plan(sweep(tmp_path, output={"dir": "out", "file": "{{ prompt.id }}-{{ take }}"}))
    codes = [each.code for each in caught.value.diagnostics]
    assert codes == ["E602"]


def test_problems_beyond_the_most_jobs_are_told(tmp_path):
    arms = [{"id": "a", "text": "{{ s }} pans"}, {"id": "b", "text": "{{ t }}"}]
    with pytest.raises(ManifestError) as caught:
        make_plan(sweep(tmp_path, prompts=arms, budget={"max_jobs": 2}))
    assert sorted(each.code for each in caught.value.diagnostics) == ["E311", "E507"]
