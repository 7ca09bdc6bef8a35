from __future__ import annotations

import json
import random
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ManifestError
from runner.manifest.reader import load
from runner.model import Action, Status, folded
from runner.planning import tally
from runner.planning.plan import lowered, make_plan
from runner.planning.selection import Selection
from runner.state.store import Store
from tests.kit import MODEL, register, write_manifest

ARMS = [
    {"id": "plain", "text": "A push-in on {{ surface }}"},
    {"id": "mood", "text": "Fog, {{ surface }}, {{ lens | default('wide') }}"},
]


def plan(folder: Path, selection: Selection | None = None, store: Store | None = None, **keys):
    return make_plan(load(write_manifest(folder, **keys)), store, selection or Selection())


def problem(folder: Path, **keys):
    with pytest.raises(ManifestError) as caught:
        plan(folder, **keys)
    (found,) = caught.value.diagnostics
    return found


@contextmanager
def state_of(made, *statuses: Status):
    """A state in which the first jobs of a plan stand so."""
    with Store.open(made.manifest.output.state) as store:
        with store.transaction():
            register(store, (each.job for each in made.jobs), "the first plan")
            for number, (each, status) in enumerate(zip(made.jobs, statuses, strict=False)):
                if status is Status.PENDING:
                    continue
                attempt = store.intend(each.job, 1000.0 + number, Decimal("0.25"), "USD")
                if status is Status.UNKNOWN:
                    store.lose(attempt, 1001.0, "lost")
                    continue
                store.accept(attempt, f"request-{number}", 1001.0, "processing")
                if status is not Status.WAITING:
                    store.conclude(attempt, status, 1002.0)
        yield store


# Identity


def document(draw_order: random.Random | None = None, **keys):
    """A manifest of 2 pictures, 2 arms and 2 axes, its keys and lists in an order of their own."""
    whole = {
        "version": 1,
        "model": MODEL,
        "images": [{"file": "p0.jpg", "id": "one"}, {"file": "p1.jpg", "id": "two"}],
        "prompts": [dict(arm) for arm in ARMS],
        "matrix": {"surface": ["wet rock", "warm sand"], "cfg": [0.3, 1]},
        "params": {"cfg_scale": "{{ cfg }}", "negative_prompt": "blurry"},
        "takes": 2,
        **keys,
    }
    if draw_order is None:
        return whole

    def shuffled(value):
        if isinstance(value, dict):
            items = [(name, shuffled(each)) for name, each in value.items()]
            return dict(draw_order.sample(items, len(items)))
        if isinstance(value, list):
            return draw_order.sample([shuffled(each) for each in value], len(value))
        return value

    return shuffled(whole)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With two pictures in it."""
    made = tmp_path_factory.mktemp("plans")
    write_manifest(made, pictures=2)
    return made


def ids_of(folder: Path, whole, **layout):
    path = folder / "identity.yaml"
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, **{"sort_keys": False, **layout}), encoding="utf-8")
    made = make_plan(load(path))
    # What a cell is, whatever it is called.
    return {
        (
            each.job.payload["image"],
            each.job.payload["prompt"],
            each.job.payload["cfg_scale"],
            each.job.take,
        ): each.job.id
        for each in made.jobs
    }


@given(
    randomness=st.randoms(use_true_random=False), flow=st.sampled_from([True, False, None]), width=st.integers(20, 200)
)
def test_ids_depend_on_neither_order_nor_layout(folder, randomness, flow, width):
    assert ids_of(folder, document(randomness), default_flow_style=flow, width=width) == ids_of(folder, document())


@given(names=st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), min_size=4, max_size=4, unique=True))
def test_ids_do_not_depend_on_names(folder, names):
    renamed = document(
        images=[{"file": "p0.jpg", "id": names[0]}, {"file": "p1.jpg", "id": names[1]}],
        prompts=[{**ARMS[0], "id": names[2]}, {**ARMS[1], "id": names[3]}],
        name=names[0],
    )
    assert ids_of(folder, renamed) == ids_of(folder, document())


@given(
    surfaces=st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=9), max_size=4)
)
def test_a_value_more_changes_no_other_job(folder, surfaces):
    before = ids_of(folder, document())
    grown = document(matrix={"surface": ["wet rock", *surfaces, "warm sand"], "cfg": [0.3, 1]}, takes=3)
    after = ids_of(folder, grown)
    assert before.items() <= after.items()


def test_equal_numbers_are_one_identity(folder):
    ones = document(matrix={"surface": ["wet rock", "warm sand"], "cfg": [0.3, 1.0]})
    assert ids_of(folder, ones) == ids_of(folder, document())


def test_a_default_that_is_written_out_changes_nothing(folder):
    written = document(params={"cfg_scale": "{{ cfg }}", "negative_prompt": "blurry", "duration": "5"})
    assert ids_of(folder, written) == ids_of(folder, document())


def test_the_same_bytes_are_the_same_picture_wherever_they_are(tmp_path):
    before = plan(tmp_path / "a").jobs[0].job.id
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "b" / "deep" / "other.png").write_bytes((tmp_path / "a" / "p0.jpg").read_bytes())
    assert plan(tmp_path / "b", images=[{"file": "deep/other.png"}]).jobs[0].job.id == before


def test_what_changes_an_id(folder):
    usual = ids_of(folder, document())
    for changed in (
        document(model="Kling-Image2Video-V1.6-Pro"),
        document(params={"cfg_scale": "{{ cfg }}", "negative_prompt": "blurry "}),
        document(params={"cfg_scale": "{{ cfg }}", "negative_prompt": "blurry", "duration": "10"}),
    ):
        assert not set(ids_of(folder, changed).values()) & set(usual.values())


# Keys, aliases and paths


@given(
    values=st.lists(
        st.text(st.sampled_from("aAäÄé /-_.!"), min_size=1, max_size=4), min_size=1, max_size=6, unique=True
    )
)
def test_keys_are_unique_on_every_disk(folder, values):
    whole = document(matrix={"surface": values}, params={})
    path = folder / "keys.yaml"
    path.write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
    made = make_plan(load(path))
    assert len({folded(each.job.key) for each in made.jobs}) == len(made.jobs)
    assert len({folded(each.job.output) for each in made.jobs}) == len(made.jobs)


def test_equal_keys_are_told_apart_by_the_id(tmp_path):
    made = plan(tmp_path, matrix={"s": ["wet rock", "Wet Rock!", "sand"]}, prompts=[{"id": "a", "text": "{{ s }}"}])
    first, second, third = (each.job for each in made.jobs)
    assert first.key == f"p0/a/s=wet-rock/take-1~{first.id[:8]}"
    assert second.key == f"p0/a/s=Wet-Rock/take-1~{second.id[:8]}"
    assert third.key == "p0/a/s=sand/take-1"


def test_keys_that_differ_only_by_case_are_told_apart(tmp_path):
    """They are folders of the default path, and many disks ignore case."""
    made = plan(tmp_path, prompts=[{"id": "Arm", "text": "one"}, {"id": "arm", "text": "two"}])
    assert [each.job.key for each in made.jobs] == [
        f"p0/{name}/take-1~{each.job.id[:8]}" for name, each in zip(("Arm", "arm"), made.jobs, strict=True)
    ]


def test_equal_requests_are_one_job_under_the_first_key(tmp_path):
    made = plan(tmp_path, prompts=[{"id": name, "text": "same"} for name in ("a", "b", "c")], takes=2)
    assert [each.job.key for each in made.jobs] == ["p0/a/take-1", "p0/a/take-2"]
    assert made.jobs[0].job.aliases == ("p0/b/take-1", "p0/c/take-1")
    assert made.cells == 6
    assert made.duplicates == (
        ("p0/a/take-1", "p0/b/take-1", "p0/c/take-1"),
        ("p0/a/take-2", "p0/b/take-2", "p0/c/take-2"),
    )


@pytest.mark.parametrize(
    ("values", "file"),
    [
        (["Rock", "rock"], "{{ s }}"),
        (["a", "b"], "same"),
        (["é", "e\u0301x"], "{{ s | replace('x', '') }}"),
        (["CON", "_con"], "{{ s }}"),
    ],
)
def test_two_jobs_with_one_path(tmp_path, values, file):
    found = problem(tmp_path, matrix={"s": values}, prompts=[{"id": "a", "text": "{{ s }}"}], output={"file": file})
    assert found.code == "E602"
    assert found.source.strip().startswith("file:")
    assert "p0/a/" in found.message
    assert "{{ prompt.id }}" in found.hint


def test_many_jobs_with_one_path_are_one_diagnostic(tmp_path):
    found = problem(
        tmp_path, matrix={"s": [1, 2, 3, 4]}, prompts=[{"id": "a", "text": "{{ s }}"}], output={"file": "x"}
    )
    assert "(in 3 of 4 cells" in found.message


# Limits


def test_a_product_too_large_is_refused_before_it_is_expanded(tmp_path):
    """Expanding this one would never end."""
    axes = {f"a{number}": list(range(100)) for number in range(8)}
    found = problem(tmp_path, matrix=axes)
    assert found.code == "E505"
    assert "10,000,000,000,000,000 combinations" in found.message


def test_max_jobs_counts_distinct_jobs(tmp_path):
    same = [{"id": name, "text": "same"} for name in "abcde"]
    assert len(plan(tmp_path, prompts=same, budget={"max_jobs": 1}).jobs) == 1
    path = write_manifest(
        tmp_path, prompts=[{"id": "a", "text": "{{ s }}"}], matrix={"s": [1, 2]}, budget={"max_jobs": 1}
    )
    with pytest.raises(ManifestError) as caught:
        make_plan(load(path))
    (found,) = caught.value.diagnostics
    assert (found.code, found.source) == ("E507", "  max_jobs: 1")


def test_the_default_of_max_jobs(tmp_path):
    found = problem(tmp_path, matrix={"s": list(range(1001))}, prompts=[{"id": "a", "text": "{{ s }}"}])
    assert (found.code, found.message) == ("E507", "there are more than 1,000 jobs: the sweep has up to 1,001 cells")


def test_nothing_is_left(tmp_path):
    found = problem(tmp_path, matrix={"s": [1], "exclude": [{"s": 1}]})
    assert found.code == "E504"


def test_max_cost_needs_a_price(tmp_path):
    (found,) = [each for each in plan(tmp_path, budget={"max_cost": 5}).diagnostics if each.code == "W701"]
    assert found.source == "  max_cost: 5"


def unpriced(folder: Path):
    folder.mkdir(exist_ok=True)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"image": {}, "prompt": {}},
    }
    (folder / "own.json").write_text(json.dumps(schema))
    return {"model": "own", "models": {"own": "own.json"}}


def test_a_price_per_second_says_nothing_of_an_unknown_length(tmp_path):
    own = unpriced(tmp_path)
    assert plan(tmp_path, budget={"price_per_second": 1}, **own).cost is None
    assert plan(tmp_path, budget={"price_per_job": 2}, **own).cost == 2
    found = plan(tmp_path, budget={"price_per_second": 1, "max_cost": 5}, **own).diagnostics
    assert ["own" in each.message for each in found if each.code == "W701"] == [True]


def test_a_length_that_is_no_number_is_unknown(tmp_path):
    schema = {
        "type": "object",
        "properties": {"image": {}, "prompt": {}, "length": {"type": "string", "x-seconds": True}},
    }
    (tmp_path / "own.json").write_text(json.dumps(schema))
    own = {"model": "own", "models": {"own": "own.json"}}
    lengths = [
        plan(tmp_path, params={"length": text}, **own).jobs[0].job.seconds for text in ("long", "nan", "-1", "7.5")
    ]
    assert lengths == [None, None, None, 7.5]


def test_costs(tmp_path):
    two = {"takes": 2}
    assert plan(tmp_path, **two).cost is None
    assert plan(tmp_path, budget={"price_per_job": 0.25}, **two).cost == Decimal("0.50")
    assert plan(tmp_path, budget={"price_per_second": 0.1}, params={"duration": "10"}, **two).cost == Decimal("2.0")
    assert plan(tmp_path, Selection(only=("*take-1",)), budget={"price_per_job": 0.25}, **two).cost == Decimal("0.25")


@given(jobs=st.none() | st.integers(1, 2000), cost=st.none() | st.decimals(0, 100, places=2))
def test_flags_only_lower_limits(folder, jobs, cost):
    manifest = load(write_manifest(folder, pictures=2, budget={"max_jobs": 500, "max_cost": 40, "price_per_job": 1}))
    budget = lowered(manifest, jobs, cost).budget
    assert budget.max_jobs == min(500, jobs or 500)
    assert budget.max_cost == min(Decimal(40), Decimal(40) if cost is None else cost)


def test_a_flag_sets_the_limit_where_there_is_none(tmp_path):
    manifest = load(write_manifest(tmp_path))
    assert lowered(manifest, None, Decimal(3)).budget.max_cost == 3
    assert lowered(manifest, None, None) == manifest


# Actions and reasons


def actions(made):
    return [(each.action, each.reason) for each in made.jobs]


def test_all_is_new_without_a_state(tmp_path):
    made = plan(tmp_path, takes=2)
    assert actions(made) == [(Action.SUBMIT, "new")] * 2
    assert made.totals == {Action.SUBMIT: 2, Action.ATTACH: 0, Action.FETCH: 0, Action.KEEP: 0, Action.SKIP: 0}


def test_what_the_state_says(tmp_path):
    made = plan(tmp_path, takes=7, budget={"price_per_job": 0.25})
    stands = (
        Status.SUCCEEDED,
        Status.WAITING,
        Status.UNKNOWN,
        Status.FAILED,
        Status.REJECTED,
        Status.CANCELLED,
        Status.PENDING,
    )
    with state_of(made, *stands) as store:
        again = make_plan(made.manifest, store)
        assert [each.action for each in again.jobs] == ["keep", "attach", "attach", "skip", "skip", "skip", "submit"]
        assert [each.reason.split(";")[0].split(":")[0] for each in again.jobs] == [
            "done",
            "in flight",
            "unknown",
            "failed",
            "rejected",
            "cancelled",
            "new",
        ]
        assert again.spent == Decimal("1.25"), "all attempts but the rejected one"
        assert again.cost == Decimal("0.25")
        retried = make_plan(made.manifest, store, Selection(retry_failed=True, retry_rejected=True))
        assert [each.reason for each in retried.jobs[3:6]] == ["retry: failed", "retry: rejected", "retry: cancelled"]
        resubmitted = make_plan(made.manifest, store, Selection(resubmit_unknown=True))
        assert [each.action for each in resubmitted.jobs].count("submit") == 2


def test_a_finished_request_is_fetched(tmp_path):
    made = plan(tmp_path)
    with state_of(made, Status.WAITING) as store:
        with store.transaction():
            store.observe(store.open_attempts()[0], "success")
        assert actions(make_plan(made.manifest, store)) == [(Action.FETCH, "finished, not downloaded yet")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prompts": [{"id": "plain", "text": "A quick push-in"}]}, "changed: prompt 'plain'"),
        ({"params": {"duration": "10"}}, "changed: duration"),
        ({"params": {"duration": "10", "cfg_scale": 0.1}}, "changed: duration, cfg_scale"),
        ({"params": {"negative_prompt": "{{ none }}"}}, "changed: negative_prompt"),
        ({"images": [{"file": "p1.jpg", "id": "p0"}]}, "changed: picture 'p0'"),
        ({"model": "Kling-Image2Video-V1.6-Pro"}, "changed: model"),
        ({"prompts": [{"id": "other", "text": "A quick push-in"}]}, "new"),
    ],
)
def test_why_a_job_is_submitted(tmp_path, change, reason):
    made = plan(tmp_path, pictures=2, images=[{"file": "p0.jpg"}])
    with state_of(made, Status.SUCCEEDED) as store:
        changed = plan(tmp_path, store=store, **{"pictures": 2, "images": [{"file": "p0.jpg"}], **change})
        assert actions(changed) == [(Action.SUBMIT, reason)]
        # A run that stops before it submits keeps the reason.
        with store.transaction():
            register(store, (each.job for each in changed.jobs), "the changed plan")
        assert actions(make_plan(changed.manifest, store)) == [(Action.SUBMIT, reason)]


def test_a_name_that_moves_to_another_request_is_no_change(tmp_path):
    arms = [{"id": "a", "text": "one"}, {"id": "b", "text": "two"}]
    made = plan(tmp_path, prompts=arms)
    with state_of(made, Status.SUCCEEDED, Status.SUCCEEDED) as store:
        swapped = plan(tmp_path, store=store, prompts=[{"id": "b", "text": "one"}, {"id": "a", "text": "two"}])
        assert actions(swapped) == [(Action.KEEP, "done")] * 2


def test_selection(tmp_path):
    made = plan(
        tmp_path,
        Selection(only=("*/b/*", "p0/a/take-2")),
        prompts=[{"id": name, "text": name} for name in "ab"],
        takes=2,
    )
    assert [(each.job.key, each.action) for each in made.jobs] == [
        ("p0/a/take-1", Action.SKIP),
        ("p0/a/take-2", Action.SUBMIT),
        ("p0/b/take-1", Action.SUBMIT),
        ("p0/b/take-2", Action.SUBMIT),
    ]
    assert made.jobs[0].reason == "not selected"


def told(path, store):
    """How many jobs the state is told of by a plan."""
    counts = []

    def registering(digest):
        register = store.registering(digest)
        return register and (lambda jobs: counts.append(len(jobs)) or register(jobs))

    with store.transaction():
        make_plan(load(path), store, open_register=registering)
    return sum(counts)


def test_the_state_is_told_of_a_plan_that_is_not_the_last_one(tmp_path):
    (tmp_path / "look.j2").write_text("in fog")
    (tmp_path / "away.j2").write_text("in rain")
    text = "A slow push-in {% include 'look.j2' %}"
    path = write_manifest(tmp_path, prompts=[{"id": "plain", "text": text}])
    with Store.open(load(path).output.state) as store:
        assert [told(path, store), told(path, store)] == [1, 0]
        # The key stays the same, the name in the index does not.
        write_manifest(tmp_path, prompts=[{"id": "Plain!", "text": text}])
        assert [told(path, store), told(path, store)] == [1, 0]
        (tmp_path / "look.j2").write_text("in the sun")
        assert [told(path, store), told(path, store)] == [1, 0]
        # Which fragments these are is known where they are rendered.
        write_manifest(tmp_path, prompts=[{"id": "a", "text": "Pan {% include which %}"}], vars={"which": "away.j2"})
        assert [told(path, store), told(path, store)] == [1, 1]


def test_warnings_are_handed_on(tmp_path):
    manifest = load(write_manifest(tmp_path))
    first = plan(tmp_path, takes=1)
    with pytest.raises(ManifestError) as caught:
        plan(tmp_path, params={"cfg_scale": "{{ none_such }}"})
    warnings = caught.value.diagnostics
    assert first.diagnostics == ()
    assert make_plan(manifest, warnings=warnings).diagnostics == warnings


def test_the_first_jobs_alone_are_submitted(tmp_path):
    made = plan(tmp_path, Selection(first=2), takes=5, budget={"price_per_job": 1})
    assert [each.reason for each in made.jobs] == ["new", "new", *["left for a later run"] * 3]
    assert (made.totals[Action.SUBMIT], made.later, made.cost) == (2, 3, 2)
    assert len(list(made.submits)) == 2


def test_the_first_jobs_of_a_large_plan_alone_are_submitted(tmp_path, monkeypatch):
    monkeypatch.setattr(tally, "KEPT", 3)
    monkeypatch.setattr(tally, "HELD", 2)
    made = plan(tmp_path, Selection(first=4), takes=7)
    assert [each.job.take for each in made.submits] == [1, 2, 3, 4]
    assert (made.totals[Action.SUBMIT], made.later) == (4, 3)
